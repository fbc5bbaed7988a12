"""Passes through the reader's model, and what is seen in them."""
