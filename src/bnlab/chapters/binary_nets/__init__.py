"""Chapter 11: binary nets without BatchNorm, claims BNN1 to BNN3 (Chen, Zhang et al. 2021)."""

TOPIC = "nets of signs without BatchNorm"
QUESTION = "Can a binary net learn without BatchNorm?"
