"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "plane"
SCENES = (
    Scene(
        "Above the line",
        ask="A point just above the predicted border: does the net train?",
        says="It diverges within ten steps.",
        state={"rate": 0.5, "predict": True},
    ),
    Scene(
        "All points",
        ask="Where will the border between trained and diverged lie?",
        says="Just above the predicted line, in every column.",
        state={"rate": 0.5, "predict": False},
    ),
    Scene(
        "No normalizer",
        ask="Eight layers without a normalizer, at four times the predicted border: does it train?",
        says="It trains: here the prediction is far too low.",
        state={"norm": "none", "depth": 8, "gamma": 1.0, "seed": 1, "rate": 0.02, "predict": True},
    ),
)
