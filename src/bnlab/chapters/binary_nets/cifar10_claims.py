"""BNN1 of Chen et al. 2021 on CIFAR-10.

Predictions, effects and margins were written before measuring. Trial runs that a prediction speaks
of had other seeds, 2100 and above; they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.binary_nets import bnn1_cifar10, claims
from bnlab.verdicts.verdict import Effect

SHORT, LONG = bnn1_cifar10.SHORT, bnn1_cifar10.LONG
EPOCH = 704  # steps

BNN1 = claims.BNN1.on_cifar10(
    falsifier=(
        f"After {SHORT} or after {LONG:,} steps, test accuracy without BatchNorm but with the "
        "three parts is more than two points below that of BatchNorm; or without any of them it is "
        "as high, so that they are not needed."
    ),
    prediction=(
        "Known from trials with one seed: at the rate 0.01 BatchNorm reached 50 % after 1,056 "
        "steps and the three parts 46 %; after 40 steps at 0.003 BatchNorm had 26 %, nothing in "
        "its place 24 % and the three parts 20 %. We expect the three parts behind after both, "
        "less so after the larger number; tuned rates may bring them within two points. Nothing "
        "in its place will do about as well as they, since the filters have a scale and the blocks "
        "shortcuts, and clipping will add nothing."
    ),
    gap=(
        f"{claims.PAPER}We train three of its blocks, of 16, 32 and 64 channels, on CIFAR-10 "
        "halved to 16 x 16 pixels, in one stage, without a teacher or augmentation, with Adam and "
        "a rate that falls to 0 along a cosine (theirs: a line), in batches of 64, for "
        f"{SHORT} and {LONG:,} steps, {SHORT / EPOCH:.1f} and {LONG / EPOCH:.1f} epochs, each at "
        "rates tuned with two seeds. Filters of signs alone, which the digits' claim tries too, "
        "are left out: they are not the paper's."
    ),
    effects=(
        Effect(
            "accuracy_short",
            f"test accuracy after {SHORT} steps, BatchNorm minus the three parts",
            "",
            0.02,
            kind="same",
            upper=True,
            says=f"after {SHORT} steps it is as accurate with the three parts as with BatchNorm",
            predicted=(0.03, 0.08),
        ),
        Effect(
            "accuracy",
            f"the same after {LONG:,} steps",
            "",
            0.02,
            kind="same",
            upper=True,
            says=f"after {LONG:,} steps it is as accurate with the three parts as with BatchNorm",
            predicted=(0.015, 0.05),
        ),
        Effect(
            "needed",
            f"test accuracy after {LONG:,} steps, the three parts minus nothing in its place",
            "",
            0.02,
            says="something must stand in for BatchNorm",
            predicted=(-0.03, 0.02),
        ),
        Effect(
            "clip_added",
            "the same, the three parts minus two of them, without clipping",
            "",
            0.02,
            says="clipping adds to the other two",
            predicted=(-0.01, 0.01),
        ),
    ),
    core=("accuracy_short", "accuracy"),
    setting="the number of steps",
    answer=(
        "The paper trains for 256 epochs in each of two stages; an epoch and a half is a "
        "beginning, and a lead there says nothing of the end. Three blocks with shortcuts and a "
        "scale are easy to train, so that little needs replacing: the parts were made for deep "
        "nets, and clipping for large rates and batches. The paper's ReActNet-18 on CIFAR-100, in "
        "two stages, with each part left out, would tell."
    ),
    measure=bnn1_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=bnn1_cifar10.values,
    facts=bnn1_cifar10.facts,
    repeat=bnn1_cifar10.repeat,
    runs={"cifar10": bnn1_cifar10.BASE},
)

CLAIMS = (BNN1,)
"""At the scale of CIFAR-10."""
