"""Chapter 08: the size of groups, claims L2 to L6 (Lubana 2021)."""

TOPIC = "group size"
