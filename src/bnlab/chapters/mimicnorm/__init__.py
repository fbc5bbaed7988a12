"""Chapter 09: MimicNorm, claims M1 to M5."""
