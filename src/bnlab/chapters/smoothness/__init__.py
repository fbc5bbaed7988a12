"""Chapter 05: smoothness, claims S4 to S6 (Santurkar 2018)."""

TOPIC = "the smoothness of the loss"
QUESTION = "Does BatchNorm work because it makes the loss smoother?"
