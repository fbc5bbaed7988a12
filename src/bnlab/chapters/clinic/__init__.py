"""Chapter 14: symptoms that practitioners report, claims T1 to T8, and what repairs them."""

TOPIC = "what goes wrong with normalization in practice"
QUESTION = "When normalization goes wrong, what is it and what repairs it?"
