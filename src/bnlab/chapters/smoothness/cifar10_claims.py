"""S4 of Santurkar et al. 2018 on CIFAR-10.

Prediction, effects and margins were written before measuring; the trial that the prediction speaks
of had another seed and is not counted.
"""

from __future__ import annotations

import math

from bnlab.chapters.covariate_shift.small_vgg import GAP
from bnlab.chapters.smoothness import s4_cifar10
from bnlab.chapters.smoothness.claims import S4
from bnlab.verdicts.parts import Effect

S4_CIFAR10 = S4.on_cifar10(
    falsifier=(
        "In the first sixth of the training the range of the loss or the change of the gradient is "
        "not three times larger without a normalizer, or β is no larger; or the ratio of the "
        "ranges is as large in the last third."
    ),
    prediction=(
        "In one trial of 704 steps, early the range was about 2.4 times larger without a "
        "normalizer, the change about four times, β about three times. Later the "
        "range was about ten times larger, so that we expect the smoothing to grow with the "
        "training: the part that it is strongest early fails, and that of the range "
        "may stay below its margin."
    ),
    gap=GAP.format(steps=s4_cifar10.BASE.steps)
    + " The steps along the gradient are those of the paper, and so is the rate that decides, "
    f"{s4_cifar10.BASE.lr:g}. How long early lasts the paper does not say; here it is the share of "
    "the training that it was on digits.",
    effects=(
        Effect(
            "range",
            "range of the loss along the gradient, no normalizer over BatchNorm, median over the "
            "early steps",
            "decades",
            0.5,
            says="early, the loss along the gradient ranges less with BatchNorm",
            predicted=(math.log10(1.5), math.log10(5)),
        ),
        Effect(
            "change",
            "the same for the change of the gradient",
            "decades",
            0.5,
            says="early, the gradient changes less with BatchNorm",
            predicted=(math.log10(2.5), math.log10(8)),
        ),
        Effect(
            "beta",
            "the same for the effective smoothness β",
            "decades",
            0.1,
            says="early, β is smaller with BatchNorm",
            predicted=(math.log10(1.8), math.log10(4)),
        ),
        Effect(
            "early",
            "the ratio of the ranges in early steps over that in the last third",
            "decades",
            0.1,
            says="the ranges differ more early than late",
            predicted=(-1.0, -0.1),
        ),
    ),
    core=("change",),
    answer=(
        "The paper's training is 14 times as long, in steps, so that what we call late is early "
        "there. And the paper says smoother, not by how much: by a margin as that of β the core "
        "would hold. A net of 13 or 16 layers on images of 32 pixels, trained to the end, would "
        "tell whether the smoothing fades at last."
    ),
    measure=s4_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=s4_cifar10.values,
    facts=s4_cifar10.facts,
    repeat=s4_cifar10.repeat,
    runs={"cifar10": s4_cifar10.BASE},
)

CLAIMS = (S4_CIFAR10,)
