"""What all instruments need: checks, layers, passes, noise, and a model left as it was."""
