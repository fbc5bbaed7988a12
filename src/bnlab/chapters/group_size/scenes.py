"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "groups"
SCENES = (
    Scene(
        "Groups of four",
        ask="A perceptron: do groups of 2, 4 or 8 keep up with BatchNorm?",
        says="Groups of 4 and 8 nearly do. Groups of two learn nothing.",
        state={"group_size": 4, "lr": 0.1, "predict": True},
    ),
    Scene(
        "Groups of 32",
        ask="And groups of 16, of 32, or one group of all 64 units?",
        says="They do as well as BatchNorm; groups of 32 with a lower loss than groups of 4.",
        state={"group_size": 32, "lr": 0.1, "predict": True},
    ),
)
