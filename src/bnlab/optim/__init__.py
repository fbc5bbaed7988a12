"""What a paper changes in the steps of an optimizer: LAWN and adaptive gradient clipping."""

from bnlab.optim.agc import adaptive_clip_grad, clip_units
from bnlab.optim.constrained import constrained_weights, tangent
from bnlab.optim.lawn import LAWN

__all__ = ["LAWN", "adaptive_clip_grad", "clip_units", "constrained_weights", "tangent"]
