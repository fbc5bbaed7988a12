"""How the nets of chapter 11 look, and what they are called."""

from __future__ import annotations

LOOKS = {
    "batch": "batch",
    "none": "none",
    "signs": "none",
    "scaled": "layer",
    "positive": "weight_mean",
    "divided": "variance",
    "clip": "rms",
    "standardized": "scaled_weight_standardization",
    "block": "group",
    "three": "ghost_batch",
}
"""The look of each net, or of what stands in for its BatchNorm, a key of ``STYLE``."""

WORDS = {
    "batch": "BatchNorm",
    "none": "nothing",
    "signs": "signs alone",
    "scaled": "a scale for each filter",
    "positive": "scale, positive start",
    "divided": "divided by a constant",
    "clip": "clipping",
    "standardized": "standardized filters",
    "block": "the block",
    "three": "all three parts",
}
