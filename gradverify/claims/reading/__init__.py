"""From a file to its claims with their verdicts."""
