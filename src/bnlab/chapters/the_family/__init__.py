"""Chapter 01: the family of normalizers."""

TOPIC = "the family of methods"
