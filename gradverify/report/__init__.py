"""What people read, made from records alone: the terminal's text and the page."""
