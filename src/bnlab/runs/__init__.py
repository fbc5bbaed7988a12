"""What a training is: its Run, what is built from it, and its History."""
