"""The demonstration of this chapter."""

from bnlab.draw.scene import Scene

WIDGET = "profiles"
SCENES = (
    Scene(
        "With shortcuts",
        ask="Eighteen residual blocks: where does the variance grow most, by which factor?",
        says="Without a normalizer, over ten thousand times; with BatchNorm less than ten times.",
        state={"predict": True},
    ),
    Scene(
        "Without shortcuts",
        ask="Eighteen layers without shortcuts: does the variance double in one of the nets?",
        says="In neither. But BatchNorm's gradient is over ten times larger at the first layer.",
        state={"net": "plain", "predict": True},
    ),
)
