"""What the pages tell a reader or a lecturer to do, done in a browser."""
