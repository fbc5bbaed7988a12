"""Chapter 11: binary nets without BatchNorm, claims BNN1 to BNN3."""
