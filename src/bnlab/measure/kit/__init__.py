"""What all instruments need: arguments, losses, layers, passes, and a net left as it was."""
