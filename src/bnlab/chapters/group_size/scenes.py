"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "groups"
SCENES = (
    Scene(
        "Groups of four",
        ask="A perceptron: which group size ends with the highest accuracy?",
        says="Groups of 8. Groups of two learn nothing.",
        state={"group_size": 4, "lr": 0.1, "predict": True},
    ),
    Scene(
        "Groups of 32",
        ask="And among larger groups?",
        says="Layer norm, which is one group of all 64 units.",
        state={"group_size": 32, "lr": 0.1, "predict": True},
    ),
)
