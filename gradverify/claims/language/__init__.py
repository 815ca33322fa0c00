"""Formulas as people write them: tokens, names, parts, grammar."""
