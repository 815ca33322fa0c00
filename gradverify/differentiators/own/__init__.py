"""Our own engines: dual numbers and a tape."""
