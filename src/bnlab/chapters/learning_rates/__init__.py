"""Chapter 03: larger learning rates, claims B1, B2, B7, B9 and B10 (Bjorck 2018)."""

TOPIC = "what BatchNorm owes to learning rates"
QUESTION = "Does BatchNorm win because it allows larger learning rates?"
