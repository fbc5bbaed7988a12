"""Chapter 10: LAWN, claims LW1 to LW4."""
