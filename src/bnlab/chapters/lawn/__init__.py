"""Chapter 10: LAWN, claims LW1 to LW4 (Gupta 2021)."""

TOPIC = "weights of fixed norm"
QUESTION = "Does a net learn better if its weights may not grow?"
