"""Where a deviation comes from, why, and whether conventions at kinks explain it."""
