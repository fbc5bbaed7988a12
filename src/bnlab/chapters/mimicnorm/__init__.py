"""Chapter 09: two cheap operations in place of every BatchNorm, claims M1 to M5 (Fei 2020)."""

TOPIC = "two cheap operations in place of BatchNorm"
QUESTION = "Can two cheap operations do the work of every BatchNorm?"
