"""Straight-line Python read over a whitelist: statements, expressions, calls."""
