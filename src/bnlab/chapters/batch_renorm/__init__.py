"""Chapter 07: Batch Renormalization, claims R1 to R5 (Ioffe 2017)."""

TOPIC = "small batches"
QUESTION = "Can a net learn from statistics of two samples?"
