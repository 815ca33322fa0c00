"""Our own two engines and the table of rules that they share."""
