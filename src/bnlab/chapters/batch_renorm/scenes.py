"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "small"
SCENES = (
    Scene(
        "Batches of four",
        ask="Batches of four images: which net ends with the highest accuracy?",
        says="Batch Renormalization; BatchNorm ends far behind it.",
        state={"batch_size": 4, "classes": 10, "predict": True},
    ),
    Scene(
        "Two classes",
        ask="Two digits in each batch: which of BatchNorm's curves tells the truth?",
        says="The one with running statistics. In training it does worse than a coin.",
        state={"batch_size": 32, "classes": 2},
    ),
    Scene(
        "One class",
        ask="One digit in each batch: what is left of BatchNorm?",
        says="Nothing: with its running statistics it guesses.",
        state={"batch_size": 32, "classes": 1},
    ),
)
