"""Chapter 12: architecture search by BatchNorm, claims N1 to N5 (Chen, Li 2021)."""

TOPIC = "choosing an architecture by BatchNorm's scales"
QUESTION = "Can the scales of BatchNorm choose an architecture?"
