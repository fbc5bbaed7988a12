"""Chen et al. 2021, *"BNN − BN = ?"*: binary nets without BatchNorm.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.verdicts.verdict import Claim, Effect

CHEN = {
    "paper": "chen2021bnn",
    "authors": "Chen, Zhang et al. 2021",
    "chapter": "11_binary_nets",
}
GAP = (
    "The paper trains ReActNets in two stages, with a teacher, for 256 epochs on ImageNet, and a "
    "ReActNet-18 on CIFAR. We plan binary nets of three and of eight layers on digits, in one "
    "stage, without a teacher."
)

BNN1 = Claim(
    id="BNN1",
    **CHEN,
    sentence=(
        "BatchNorm can be removed from training and inference of binary nets, with adaptive "
        "gradient clipping, scaled weight standardization and a modified block in its place."
    ),
    falsifier=(
        "Without BatchNorm but with the three parts, test accuracy is more than two points below "
        "that of BatchNorm; or without any of them it is as high, so that they are not needed."
    ),
    prediction=(
        "It holds. In trial runs scaled weight standardization alone did nearly all of it, and a "
        "plain scale for each filter came close; clipping added little."
    ),
    gap=GAP,
    effects=(
        Effect(
            "accuracy",
            "test accuracy, BatchNorm minus the three parts without it, learning rate tuned for "
            "each",
            "",
            0.02,
            kind="same",
            upper=True,
        ),
        Effect("needed", "test accuracy, the three parts minus none of them", "", 0.05),
    ),
)

BNN2 = Claim(
    id="BNN2",
    **CHEN,
    sentence=(
        "A ReActNet without BatchNorm reaches 92.08 % on CIFAR-10, 68.34 % on CIFAR-100 and 68.0 % "
        "on ImageNet: 0.23 to 0.44 and 1.40 points less than with it."
    ),
    falsifier=(
        "In a small net of the same blocks, the BN-free one is more than two points below the one "
        "with BatchNorm."
    ),
    prediction=(
        "The small net loses less than two points. A difference of a few tenths of a point is far "
        "below what 300 test images can show."
    ),
    gap=GAP,
    untestable="These accuracies take hundreds of epochs of CIFAR and ImageNet: many GPU-days.",
    instead="The same blocks in a net of eight, on digits; only the difference is compared.",
    effects=(
        Effect(
            "drop",
            "test accuracy, BatchNorm minus BN-free blocks",
            "",
            0.02,
            kind="same",
            upper=True,
        ),
    ),
)

BNN3 = Claim(
    id="BNN3",
    **CHEN,
    sentence="Simply leaving BatchNorm out makes accuracy on ImageNet collapse, to 34.1 %.",
    falsifier="A binary net of eight layers without BatchNorm learns digits well above chance.",
    prediction=(
        "It collapses to chance, as in trial runs. The reason is partly the initial weights: with "
        "centred Gaussian ones trial runs learned without any normalizer."
    ),
    gap=GAP,
    untestable="Accuracy on ImageNet takes hundreds of epochs of it: many GPU-days.",
    instead="A binary net of eight layers on digits, with and without BatchNorm.",
    effects=(
        Effect(
            "collapse",
            "test accuracy of a binary net of eight layers, BatchNorm minus nothing in its place",
            "",
            0.3,
        ),
    ),
)

CLAIMS = (BNN1, BNN2, BNN3)
