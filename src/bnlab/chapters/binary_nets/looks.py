"""How the nets of chapter 11 look, and what they are called."""

from __future__ import annotations

LOOKS = {
    "batch": "batch",
    "none": "none",
    "signs": "none",
    "scaled": "layer",
    "positive": "weight_mean",
    "widened": "variance",
    "unchanged": "evonorm_s0",
    "without_clip": "l1_batch",
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
    "widened": "a wider window",
    "unchanged": "nothing, BatchNorm's rate",
    "without_clip": "without clipping",
    "clip": "clipping alone",
    "standardized": "standardized alone",
    "block": "the block alone",
    "three": "all three parts",
}
