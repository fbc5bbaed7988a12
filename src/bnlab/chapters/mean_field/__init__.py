"""Chapter 06: the mean-field view, claims W1 to W4 (Wei 2019)."""

TOPIC = "curvature before the first step"
QUESTION = "Can the largest stable learning rate be known before the first step?"
