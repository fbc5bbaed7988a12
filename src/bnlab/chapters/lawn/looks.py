"""How the methods of chapter 10 look, in its figures and in its widget."""

from __future__ import annotations

from bnlab.chapters.lawn.methods import ALONE, DECAY, DECOUPLED, LAWN

LOOKS = {
    ALONE: "none",
    LAWN: "weight_norm",
    DECAY: "layer",
    DECOUPLED: "group",
    "stopped": "rms",
}
"""The look of each method, a key of ``STYLE``."""
