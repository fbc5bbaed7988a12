"""Chapter 06: the mean-field view, claims W1 to W4 (Wei 2019)."""

TOPIC = "curvature before the first step"
