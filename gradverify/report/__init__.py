"""What people read, made from records alone: text for the terminal, and the page."""
