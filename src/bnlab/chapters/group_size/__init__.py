"""Chapter 08: the size of groups, claims L2 to L6 (Lubana 2021)."""

TOPIC = "group size"
QUESTION = "Small groups or one large one: what does the group size decide?"
