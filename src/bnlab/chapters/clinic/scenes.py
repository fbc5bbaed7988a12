"""The demonstration of this chapter: three ways to the same symptom, and one repair."""

from bnlab.draw.scene import Scene

WIDGET = "t1"
SCENES = (
    Scene(
        "Averaged weights",
        ask="The weights are an average over the steps. How good is the net in evaluation mode?",
        says="Far below training mode: the average never saw a batch.",
        state={"cause": "averaged", "repaired": False, "predict": True},
    ),
    Scene(
        "One class",
        ask="The last batches hold a single class, and the weights stay. What moves?",
        says="The running statistics alone, and evaluation mode falls.",
        state={"cause": "one_class", "repaired": False, "predict": True},
    ),
    Scene(
        "Computed anew",
        ask="The same net, and statistics computed anew from training images: how much comes back?",
        says="All of it.",
        state={"cause": "one_class", "repaired": True, "predict": True},
    ),
)
