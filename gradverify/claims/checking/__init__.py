"""One formula with claimed derivatives: what `check_claim` does."""
