"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "mimic"
SCENES = (
    Scene(
        "Twelve layers",
        ask="Twelve layers at a rate of 0.3: which half of MimicNorm matters?",
        says="The last norm: with it alone the net is about as accurate as BatchNorm.",
        state={"depth": 12, "lr": 0.3, "predict": True},
    ),
    Scene(
        "A smaller rate",
        ask="At a rate of 0.1, what is left of the differences?",
        says="Little: all five nets do well.",
        state={"depth": 12, "lr": 0.1, "predict": True},
    ),
    Scene(
        "Thirty layers",
        ask="Thirty layers at a rate of 0.03: does MimicNorm still work?",
        says="It fails, and its last norm alone does better.",
        state={"depth": 30, "lr": 0.03, "predict": True},
    ),
)
