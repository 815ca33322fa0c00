"""What a file computes: its straight-line program, its names, and their values."""
