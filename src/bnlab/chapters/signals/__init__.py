"""Chapter 02: signals before the first step, claims B3 to B6 and B8 (Bjorck 2018) and L1."""

TOPIC = "nets before their first step"
QUESTION = "What flows through a deep net before its first step?"
