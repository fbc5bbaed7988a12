"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "race"
SCENES = (
    Scene(
        "A small rate",
        ask="At a learning rate of 0.01, which net ends with the higher accuracy?",
        says="Without a normalizer: at a small rate BatchNorm is behind.",
        state={"lr": 0.01, "predict": True},
    ),
    Scene(
        "A large rate",
        ask="At a rate of 0.3, is it the same net that wins?",
        says="No: now the net with BatchNorm is far ahead.",
        state={"lr": 0.3, "predict": True},
    ),
    Scene(
        "A huge rate",
        ask="Is there a rate that is too large for BatchNorm?",
        says="Yes: at a rate of 10 neither net learns.",
        state={"lr": 10.0, "predict": True},
    ),
)
