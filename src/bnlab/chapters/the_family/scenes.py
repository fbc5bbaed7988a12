"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "family"
SCENES = (
    Scene(
        "In training",
        ask="The other images change. Does the chosen number's output move?",
        says="It moves: in training BatchNorm's mean comes from the whole batch.",
        state={"norm": "batch", "mode": "train", "batch_size": 4},
    ),
    Scene(
        "In evaluation",
        ask="The same in evaluation mode: does it move?",
        says="It stays: running statistics are constants by then.",
        state={"norm": "batch", "mode": "eval", "batch_size": 4},
    ),
    Scene(
        "Layer norm",
        ask="Layer norm in training mode: does it move?",
        says="It stays: layer norm pools over one image alone.",
        state={"norm": "layer", "mode": "train", "batch_size": 4},
    ),
)
