"""The loss along and around the gradient."""
