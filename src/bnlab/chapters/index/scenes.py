"""The demonstration of the first page."""

from bnlab.draw.scene import Scene

WIDGET = "race"
SCENES = (
    Scene(
        "A large rate",
        ask="Twelve layers at a learning rate of 0.3: which net ends with the higher accuracy?",
        says="The one with BatchNorm, by far.",
        state={"norms": ["none", "batch"], "lr": 0.3, "predict": True},
    ),
    Scene(
        "A small rate",
        ask="At a rate of 0.01, is BatchNorm still ahead?",
        says="No: the net without a normalizer is.",
        state={"norms": ["none", "batch"], "lr": 0.01, "predict": True},
    ),
    Scene(
        "Two layers",
        ask="Two layers instead of twelve, at 0.3: does the net still need BatchNorm?",
        says="No: both nets do well.",
        state={"norms": ["none", "batch"], "depth": 2, "predict": True},
    ),
)
