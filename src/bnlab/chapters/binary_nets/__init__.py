"""Chapter 11: binary nets without BatchNorm, claims BNN1 to BNN3."""

QUESTION = "Can a binary net learn without BatchNorm?"
