"""Chapter 12: architecture search by BatchNorm, claims N1 to N5."""

QUESTION = "Can the scales of BatchNorm choose an architecture?"
