"""Chapter 12: architecture search by BatchNorm, claims N1 to N5."""
