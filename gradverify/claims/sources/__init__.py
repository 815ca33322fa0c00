"""From a file to its cells and to the texts in them."""
