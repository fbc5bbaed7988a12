"""Wei et al. 2019 on CIFAR-10: W1 with the paper's net.

Margins and predictions were written before the counted seeds were run.
"""

from __future__ import annotations

import math

from bnlab.chapters.mean_field import claims, w1_cifar10
from bnlab.verdicts.table import fact_name
from bnlab.verdicts.verdict import Effect


def _facts(data: dict) -> dict[str, object]:
    """The numbers of the measurement, and BatchNorm's eigenvalue at gamma 4 over that without one.

    ``four_through_larger`` is about the images that decide, with gradients through the statistics.
    """
    found = w1_cifar10.facts(data)
    four = fact_name("through", found["image_size"], "batch", 4.0)
    return {**found, "four_through_larger": 1 / found[four]}


W1 = claims.W1.on_cifar10(
    falsifier=(
        "With held statistics the largest eigenvalue at γ = 1 is not three times smaller than "
        "without a normalizer, or at γ = 4 it is still smaller; or one of the two is so where "
        "gradients pass through the statistics."
    ),
    prediction=(
        "Known was one eigenvalue with another seed, 2,700 without a normalizer, where the theory "
        "of white noise says 2,500; none with BatchNorm. On digits the same net's was 6.6 times "
        "smaller with held statistics at γ = 1, 19 times where gradients pass through them, and "
        "at γ = 4 larger by 2.4 and smaller by 1.2 times. Photographs resemble each other more "
        "than noise does, which enlarges the first layer's part of both nets. So all comes out as "
        "on digits: all parts hold but the last."
    ),
    gap=(
        "The net is the paper's for CIFAR-10, four layers of width 1000, with its loss and start; "
        "its convolutional net was not measured. Of the training images the first "
        f"{w1_cifar10.IMAGES} make the matrix; the paper's theory is for infinitely many, and for "
        "inputs that are independent of each other, which photographs are not: a bright one "
        "resembles all others that are bright. The paper holds the batch's mean and deviation "
        "constant; in a training gradients pass through them. These are two matrices."
    ),
    effects=(
        Effect(
            "one",
            "largest eigenvalue at the start, no normalizer over BatchNorm with γ = 1, statistics "
            "held constant",
            "decades",
            0.5,
            says="with held statistics the eigenvalue is smaller at γ = 1",
            predicted=(math.log10(4), math.log10(12)),
        ),
        Effect(
            "four",
            "the same with γ = 4",
            "decades",
            0.0,
            "same",
            says="with held statistics it is not smaller at γ = 4",
            upper=True,
            predicted=(-math.inf, 0.0),
        ),
        Effect(
            "one_through",
            "the same with γ = 1, gradients through the statistics",
            "decades",
            0.5,
            says="with gradients through the statistics it is smaller at γ = 1",
            predicted=(1.0, math.log10(50)),
        ),
        Effect(
            "four_through",
            "the same with γ = 4, gradients through the statistics",
            "decades",
            0.0,
            "same",
            says="with gradients through the statistics it is not smaller at γ = 4",
            upper=True,
            predicted=(0.0, math.inf),
        ),
    ),
    answer=(
        "The limit of 3 was derived for statistics that are constants, those of infinitely many "
        "data. Where gradients pass through the statistics, BatchNorm only helps more than was "
        "promised."
    ),
    measure=w1_cifar10.measure,
    options=("image_size",),
    values=w1_cifar10.values,
    facts=_facts,
    repeat=w1_cifar10.repeat,
    runs={"cifar10": w1_cifar10.BASE},
)

CLAIMS = (W1,)
