"""M1 and M4 of Fei et al. 2020 on CIFAR-10.

Predictions, effects and margins were written before measuring. Trial runs that a prediction speaks
of had other seeds, 2100 and above; they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.mimicnorm import claims, m1_cifar10, m4_cifar10
from bnlab.train import Run
from bnlab.verdicts.verdict import Effect

PAPER = (
    "The paper trains VGG-11 and -16, ResNet-18 and -50 and others on CIFAR-100, 32 x 32, for 150 "
    "epochs in batches of 256. "
)
HERE = (
    "momentum and weight decay as in the official code, crops, flips, and a rate that falls at its "
    "shares of the training, on CIFAR-10 halved to 16 x 16 pixels in batches of 64, "
    "for {steps} steps, {epochs:.1f} epochs, the first {warmup} of them warm-up"
)


def _here(run: Run) -> str:
    return HERE.format(
        steps=run.steps,
        epochs=run.steps / 704,
        warmup=run.schedule_options["warmup"],
    )


M1 = claims.M1.on_cifar10(
    falsifier=(
        "In the residual net or in the small VGG, test accuracy is more than two points above or "
        "below that of BatchNorm in every layer."
    ),
    prediction=(
        "No net with MimicNorm had been trained here for more than 40 steps. Trials with "
        "one seed and another schedule of the rate: after two epochs the small VGG reached 65 % "
        "with BatchNorm and 56 % without a normalizer, the residual net 59 and 51 %. So here, "
        "unlike on digits, there is room to differ. We expect MimicNorm a point or two behind "
        "BatchNorm in both nets: it has one BatchNorm, not one a layer, to hold a large rate. Our "
        "margin lies in the middle of that, so that a part may stay undecided."
    ),
    gap=(
        f"{PAPER}We train a residual net of three blocks and a small VGG of six convolutions, from "
        f"16 to 64 channels: {_here(m1_cifar10.BASE)}, at rates tuned for each method with one "
        "seed. The digits' net of 30 plain layers, which did not count, is left out; the VGG "
        "without a normalizer stands beside the verdict."
    ),
    effects=(
        Effect(
            "residual",
            "test accuracy in the residual net, BatchNorm minus MimicNorm",
            "",
            0.02,
            kind="same",
            says="in the residual net it is as accurate as BatchNorm",
            predicted=(0.0, 0.03),
        ),
        Effect(
            "plain",
            "the same in the small VGG",
            "",
            0.02,
            kind="same",
            says="in the small VGG it is as accurate as BatchNorm",
            predicted=(0.0, 0.03),
        ),
    ),
    core=("residual", "plain"),
    setting="the net",
    answer=(
        "Two epochs measure how soon a net learns, not how far it gets: the paper's accuracies are "
        "those after 150 epochs, where its two methods end within half a point of each other. Its "
        "nets are also four times as wide, and a mean over a filter of 144 weights is a coarser "
        "thing than over 576. The official nets, trained to the end on CIFAR-100, would tell."
    ),
    measure=m1_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=m1_cifar10.values,
    facts=m1_cifar10.facts,
    repeat=m1_cifar10.repeat,
    runs={"cifar10": m1_cifar10.BASE},
)

TOO_LARGE = m4_cifar10.TOO_LARGE

M4 = claims.M4.on_cifar10(
    falsifier=(
        "The largest usable rate with the last BatchNorm is less than three times that of the same "
        "net without it; or at a rate at which that net does not train it does not train either."
    ),
    prediction=(
        "Trials with one seed: with the last BatchNorm the small VGG reached 43 % at the rates "
        "0.03 and 0.1, 40 % at 0.3 and 35 % at 1; without it 36 % at 0.01 and 0.03, 30 % at 0.1, "
        "and at 0.3 it stayed at chance. So the usable rate will be about ten times as large. "
        "The net with the usual initial weights and no normalizer reached 38 % at 0.03 and 26 % at "
        "0.1: the same there. Half an epoch ends near 40 %, so 15 points count as training "
        "where the other net does not (on digits, where all end near 98 %, it is 50 points)."
    ),
    gap=(
        f"{PAPER}On digits a residual net decided, whose scalars make its branches small; we train "
        "a small VGG of six convolutions, from 16 to 64 channels, which has none: "
        f"{_here(m4_cifar10.BASE)}. A rate is usable if the net ends within five points of its own "
        "best. Rates are a factor of three apart."
    ),
    effects=(
        Effect(
            "rate",
            "largest usable learning rate, last BatchNorm only over the same net without it",
            "decades",
            0.5,
            says="the last BatchNorm allows larger rates",
            predicted=(0.6, 1.2),
        ),
        Effect(
            "trains",
            f"test accuracy at rate {TOO_LARGE:g}, last BatchNorm only minus the same net without "
            "it",
            "",
            0.15,
            says="a rate at which the net without it does not train still trains",
            predicted=(0.24, 0.33),
        ),
        Effect(
            "bare",
            "largest usable learning rate, last BatchNorm only over a net with the usual initial "
            "weights and no normalizer",
            "decades",
            0.5,
            says="its rates are larger than those of a usual net without a normalizer",
            predicted=(0.6, 1.2),
        ),
    ),
    core=("rate",),
    answer=(
        "Half an epoch is short, and the paper's net is twice as deep, where nets without a "
        "normalizer are harder to train. A rate that would be too large for half an epoch may be "
        "right for 150 with the same warm-up. The official VGG-16, trained to the end at several "
        "rates, would tell."
    ),
    measure=m4_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=m4_cifar10.values,
    facts=m4_cifar10.facts,
    repeat=m4_cifar10.repeat,
    runs={"cifar10": m4_cifar10.BASE},
)

CLAIMS = (M1, M4)
"""At the scale of CIFAR-10."""
