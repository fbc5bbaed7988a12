"""T1 and T2: two modes that disagree, and batches that are too small."""

from __future__ import annotations

from bnlab.chapters.clinic import t1_modes, t2_tiny_batches
from bnlab.chapters.clinic.setting import GAP, PRACTITIONERS
from bnlab.verdicts.verdict import Claim, Effect

CAUSES = {
    "slow": ("a momentum of 0.001", (0.2, 0.6)),
    "one_class": ("last batches of one class", (0.1, 0.25)),
    "averaged": ("averaged weights with the statistics of the start", (0.3, 0.8)),
}

T1 = Claim(
    id="T1",
    **PRACTITIONERS,
    sentence=(
        "A net that is right in training mode and wrong in evaluation mode has running statistics "
        "that do not belong to its weights; statistics computed anew repair it."
    ),
    falsifier=(
        "With one of the three causes, after statistics were computed anew from the training "
        "images, evaluation mode is still more than two points below training mode."
    ),
    prediction=(
        "It holds for all three causes, since nothing but the statistics differs between the "
        "modes, and digits of the training set stand for those of the test set. In trial runs the "
        "loss was 15 to 80 points, by cause, and less than a point was left of it. The usual net, "
        "the control, loses nothing."
    ),
    gap=GAP.format(depth="four", steps=t1_modes.BASE.steps)
    + " Running statistics take no part in training. So the nets with a small momentum, with last "
    "batches of one class and without a cause have the same weights, and the repair is measured on "
    "two kinds of weights, not on three.",
    effects=(
        *(
            Effect(
                f"{cause}_repaired",
                f"test accuracy in training mode minus that in evaluation mode with statistics "
                f"computed anew, {words}",
                "",
                0.02,
                kind="same",
                upper=True,
                says=f"with {words} the repair brings back what was lost",
                predicted=(-0.02, 0.01),
            )
            for cause, (words, _) in CAUSES.items()
        ),
        *(
            Effect(
                f"{cause}_lost",
                f"test accuracy in training mode minus that in evaluation mode, {words}",
                "",
                0.1,
                says=f"with {words} evaluation mode is far below training mode",
                predicted=predicted,
            )
            for cause, (words, predicted) in CAUSES.items()
        ),
        Effect(
            "usual",
            "the same difference, usual momentum, mixed batches, weights of the last step",
            "",
            0.02,
            kind="same",
            says="without such a cause the two modes are alike",
            predicted=(-0.015, 0.015),
        ),
    ),
    core=tuple(f"{cause}_repaired" for cause in CAUSES),
    setting="the cause",
    answer=(
        "Images that differ between training and use, or padding and crops that do, give other "
        "statistics for good; statistics from training images would not repair that. Images of "
        "another kind at test time would meet it."
    ),
    measure=t1_modes.measure,
    options=("base", "causes"),
    values=t1_modes.values,
    facts=t1_modes.facts,
    repeat=t1_modes.repeat,
    runs={"digits": t1_modes.BASE},
)

T2 = Claim(
    id="T2",
    **PRACTITIONERS,
    sentence=(
        "BatchNorm cannot be trained on batches of one or two; group and layer normalization can, "
        "and from eight images on BatchNorm is as good."
    ),
    falsifier=(
        "On batches of two, each at its own best rate and with as many images seen, BatchNorm is "
        "within five points of the test accuracy of group normalization."
    ),
    prediction=(
        "The core holds by far: with two numbers a channel is plus or minus one, whatever they "
        "are. Trial runs had 27 % against 96 % with two, a few points between the two with four, "
        "and none with eight. New statistics recover little of it, so the training fails and not "
        "the statistics alone. Batch Renormalization recovers more than half. On single images "
        "group normalization loses some points, and layer normalization none."
    ),
    gap=GAP.format(depth="four", steps="600 to 4,800")
    + " All trainings see 4,800 images. On vectors a batch of two is two numbers a channel; on "
    "images of 32 × 32 it is 2,048, and the sentence is then about 1 × 1 maps. Batch "
    "Renormalization has its largest limits from the first step.",
    effects=(
        Effect(
            "two",
            "test accuracy on batches of two, group normalization minus BatchNorm",
            "",
            0.05,
            says="on batches of two BatchNorm fails where group normalization trains",
            predicted=(0.5, 0.8),
        ),
        Effect(
            "training",
            "the same difference, BatchNorm with statistics computed anew after the training",
            "",
            0.05,
            says="it fails in the training, and not for its running statistics alone",
            predicted=(0.4, 0.7),
        ),
        Effect(
            "layer",
            "test accuracy on batches of two, layer normalization minus BatchNorm",
            "",
            0.05,
            says="layer normalization trains there too",
            predicted=(0.5, 0.8),
        ),
        Effect(
            "renorm",
            "test accuracy on batches of two, Batch Renormalization minus BatchNorm",
            "",
            0.05,
            says="so does Batch Renormalization, better than BatchNorm",
            predicted=(0.35, 0.6),
        ),
        Effect(
            "four",
            "test accuracy on batches of four, group normalization minus BatchNorm",
            "",
            0.02,
            says="on batches of four BatchNorm is still worse",
            predicted=(0.02, 0.07),
        ),
        Effect(
            "eight",
            "test accuracy on batches of eight, group normalization minus BatchNorm",
            "",
            0.02,
            kind="same",
            upper=True,
            says="on batches of eight BatchNorm is as good",
            predicted=(-0.01, 0.02),
        ),
        Effect(
            "one_group",
            "test accuracy of group normalization, batches of eight minus single images",
            "",
            0.03,
            kind="same",
            upper=True,
            says="group normalization trains on single images as well as on eight",
            predicted=(0.01, 0.06),
        ),
        Effect(
            "one_layer",
            "test accuracy of layer normalization, batches of eight minus single images",
            "",
            0.03,
            kind="same",
            upper=True,
            says="layer normalization trains on single images as well as on eight",
            predicted=(-0.01, 0.02),
        ),
    ),
    answer=(
        "Convolutional nets pool over positions too, so that two images can be enough; and a "
        "smaller momentum suits smaller batches. Both are known to move the border, and neither "
        "was varied here."
    ),
    measure=t2_tiny_batches.measure,
    options=("tuning", "base", "sizes"),
    values=t2_tiny_batches.values,
    facts=t2_tiny_batches.facts,
    repeat=t2_tiny_batches.repeat,
    runs={"digits": t2_tiny_batches.BASE},
)
