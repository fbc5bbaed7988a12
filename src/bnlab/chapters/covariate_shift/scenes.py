"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "race"
SCENES = (
    Scene(
        "A large rate",
        ask="Noise makes the layers' inputs jump. Does the shaken net keep up with BatchNorm?",
        says="It keeps up with BatchNorm. Without a normalizer the net diverges.",
        state={"lr": 1.0, "predict": True},
    ),
    Scene(
        "A small rate",
        ask="The same at a rate of 0.03: does it still keep up?",
        says="No: now the shaken net is last.",
        state={"lr": 0.03, "predict": True},
    ),
    Scene(
        "Four times noise",
        ask="Four times the noise, at a rate of 0.3: does the shaken net still learn?",
        says="Its training loss falls, but its validation accuracy stays near guessing.",
        state={"lr": 0.3, "noise": 4.0, "predict": True},
    ),
)
