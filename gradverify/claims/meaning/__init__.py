"""From formulas to nodes of the file's program, in the names of their place."""
