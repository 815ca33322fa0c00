"""What a graph can be run on: floats, mpmath numbers, balls, symbols."""
