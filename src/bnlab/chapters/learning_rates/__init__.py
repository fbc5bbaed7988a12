"""Chapter 03: larger learning rates, claims B1, B2 and B9 (Bjorck 2018)."""
