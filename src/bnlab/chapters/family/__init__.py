"""Chapter 01: the family of normalizers."""
