"""Where a discrepancy comes from, and whether conventions explain it."""
