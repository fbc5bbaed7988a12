"""Chapter 09: MimicNorm, claims M1 to M5."""

QUESTION = "Can a single BatchNorm before the head do the work of all?"
