"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "choices"
SCENES = (
    Scene(
        "Pick one",
        ask="Which is the best of the three: yours, what γ finds, or a random one of that size?",
        says="The ranks of all three are in the table.",
        state={"predict": True},
    ),
    Scene(
        "Step 0",
        ask="What does the score measure before training?",
        says="The number of layers: all bars are equal.",
        state={"step": 0, "predict": False},
    ),
    Scene(
        "Step 400",
        ask="After the training, does the score tell more than the number of layers?",
        says="A little more.",
        state={"step": 400, "predict": False},
    ),
)
