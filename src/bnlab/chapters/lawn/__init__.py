"""Chapter 10: LAWN, claims LW1 to LW4."""

QUESTION = "Do normalized weights need BatchNorm, if the learning rate is theirs?"
