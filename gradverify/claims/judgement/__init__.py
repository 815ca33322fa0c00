"""Whether the members of a chain are equal, and what is said of it."""
