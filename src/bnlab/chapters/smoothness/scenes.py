"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "landscape"
SCENES = (
    Scene(
        "Step 50",
        ask="After 50 steps, whose loss has the widest range along the gradient?",
        says="The loss of the net without a normalizer.",
        state={"step": 50, "predict": True},
    ),
    Scene(
        "Step 300",
        ask="After 300 steps, is it still the same net?",
        says="No: now BatchNorm's loss has the wider range.",
        state={"step": 300, "predict": True},
    ),
    Scene(
        "A large rate",
        ask="At a rate of 1, which nets are still there after 50 steps?",
        says="BatchNorm alone: without a normalizer the net has diverged.",
        state={"lr": 1.0, "step": 50},
    ),
)
