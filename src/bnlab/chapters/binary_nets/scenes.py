"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "bits"
SCENES = (
    Scene(
        "No shortcuts",
        ask="Three binary nets without shortcuts: which one ends highest?",
        says="The one with a scale, ahead of BatchNorm. Signs alone are far behind.",
        state={"lr": 0.01, "predict": True},
    ),
    Scene(
        "A larger rate",
        ask="A rate five times as large: which one now?",
        says="BatchNorm alone learns.",
        state={"lr": 0.05, "predict": True},
    ),
    Scene(
        "With shortcuts",
        ask="Shortcuts, at the first rate: which net gains most?",
        says="All three gain, signs alone most.",
        state={"shortcuts": "on", "lr": 0.01, "predict": True},
    ),
)
