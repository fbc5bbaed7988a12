"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "lawn"
SCENES = (
    Scene(
        "Wrong labels",
        ask="Three labels in ten are wrong: which net ends higher?",
        says="LAWN-Adam. But the tops of both curves are level.",
        state={"lr": 0.003, "predict": True},
    ),
    Scene(
        "A smaller rate",
        ask="At a rate ten times smaller, which one?",
        says="They are level: the smaller rate does what LAWN does.",
        state={"lr": 0.0003, "predict": True},
    ),
    Scene(
        "No free phase",
        ask="A rate of 0.1, and LAWN from the first step: does either net learn?",
        says="LAWN-Adam learns, Adam does not.",
        state={"lr": 0.1, "free": 0.0, "predict": True},
    ),
)
