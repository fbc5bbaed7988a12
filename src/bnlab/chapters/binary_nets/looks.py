"""How the nets of chapter 11 look, and what they are called."""

from __future__ import annotations

LOOKS = {
    "batch": "batch",
    "signs": "none",
    "scaled": "layer",
    "positive": "weight_mean",
}
"""The look of each net, a key of ``STYLE``."""

WORDS = {
    "batch": "BatchNorm",
    "signs": "signs alone",
    "scaled": "a scale a filter",
    "positive": "scale, positive start",
}
