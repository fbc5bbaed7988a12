"""Santurkar et al. 2018 on CIFAR-10, S1 and S2.

Predictions, effects and margins were written before measuring; the trials of which a prediction
speaks had another seed and are not counted. The margins of losses are those on digits divided by
five: there a training takes the loss from 2.3 to a hundredth, here from 2.3 to about 1.2, so that
losses that differ by a twentieth are trainings whose accuracies differ by about three points.
"""

from __future__ import annotations

import math

from bnlab.chapters.covariate_shift import s1_cifar10, s2_cifar10
from bnlab.chapters.covariate_shift.claims import S1, S2
from bnlab.chapters.covariate_shift.small_vgg import GAP
from bnlab.verdicts.parts import Effect
from bnlab.verdicts.verdict import Change

MARGINS = (
    " Margins of losses are smaller than on digits: here a loss falls from 2.3 to between 1 and "
    "1.5, and not to nearly nothing."
)

S1_CIFAR10 = S1.on_cifar10(
    falsifier=(
        "At its best rate the net with BatchNorm has no lower mean training loss over the run, no "
        "larger largest usable rate, or no better test accuracy at the end; or at the same rate "
        "its layers' inputs move less than half as much, in a step or over the whole training, "
        "after BatchNorm or before it."
    ),
    prediction=(
        "Known were the result on digits and trials of 704 steps: at rate 0.1 the net without a "
        "normalizer came to a test accuracy of 42 %, with BatchNorm to 50 %, and BatchNorm trained "
        "at rate 1. So BatchNorm is faster, ends several points better and bears rates three to "
        "twenty times larger. Without a normalizer inputs move farther in a step; we do not know "
        "whether twice as far, nor how far over the whole training."
    ),
    gap=GAP.format(steps=s1_cifar10.BASE.steps) + MARGINS,
    effects=(
        Effect(
            "loss",
            "mean training loss over the run, each net at its best rate, no normalizer over "
            "BatchNorm",
            "decades",
            0.02,
            says="nets with BatchNorm train faster",
            predicted=(0.04, 0.12),
        ),
        Effect(
            "rate",
            "largest usable learning rate, BatchNorm over no normalizer",
            "decades",
            0.5,
            says="they tolerate larger learning rates",
            predicted=(0.5, 1.3),
        ),
        Effect(
            "accuracy",
            "test accuracy at the end, each net at its best rate, BatchNorm minus no normalizer",
            "",
            0.01,
            says="they end with a better test accuracy",
            predicted=(0.04, 0.12),
        ),
        *(
            Effect(
                name,
                f"movement of {what} {when} at the same rate, no normalizer over BatchNorm, median "
                "over the layers",
                "decades",
                math.log10(2),
                kind="same",
                upper=True,
                says=says,
                predicted=predicted,
            )
            for name, what, when, says, predicted in (
                (
                    "step",
                    "the layers' inputs",
                    "from step to step",
                    "the layers' inputs move about as far in a step",
                    (0.1, 0.8),
                ),
                (
                    "step_before",
                    "what goes into BatchNorm",
                    "from step to step",
                    "what goes into BatchNorm moves about as far in a step",
                    (0.0, 0.7),
                ),
                (
                    "whole",
                    "the layers' inputs",
                    "from the first step to the last",
                    "the layers' inputs move about as far over the whole training",
                    (-0.2, 0.6),
                ),
                (
                    "whole_before",
                    "what goes into BatchNorm",
                    "from the first step to the last",
                    "what goes into BatchNorm moves about as far over the whole training",
                    (-0.3, 0.6),
                ),
            )
        ),
    ),
    changes=(
        Change(
            "2026-11-29",
            "The search for the largest usable rate goes on as long as the largest one that was "
            "tried is usable for a seed; both nets were trained at larger rates.",
            "For seven seeds without a normalizer and five with BatchNorm the largest rate that "
            "was tried was usable, so that the first ratio, 7.6, was that of two lower bounds. It "
            "stayed as it was.",
        ),
    ),
    answer=(
        "The paper's net has more layers, sees larger images and trains ten times as long, and its "
        "authors compare histograms of a few layers by eye. They would also say that a larger "
        "stability need not be why BatchNorm is faster, which is their point; that is S2."
    ),
    measure=s1_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=s1_cifar10.values,
    facts=s1_cifar10.facts,
    repeat=s1_cifar10.repeat,
    runs={"cifar10": s1_cifar10.BASE},
)

S2_CIFAR10 = S2.on_cifar10(
    falsifier=(
        "Each net at its own best rate, the mean training loss over the run with the noise is not "
        "clearly below that without a normalizer, or is far above that of BatchNorm, or the test "
        "accuracy at the end is not better; or with the noise the inputs of the layers move no "
        "more; or the net without a normalizer trains with the same noise too."
    ),
    prediction=(
        "Known were the result on digits and trials of 704 steps without noise, in which BatchNorm "
        "led by eight points at rate 0.1. We expect noisy BatchNorm to keep most of that lead at "
        "its own best rate and at the common one, its inputs to move farther in a step but not "
        "over the whole training, and the net with the noise alone to train, though less well."
    ),
    gap=GAP.format(steps=s2_cifar10.BASE.steps)
    + f" Where one rate is compared it is {s2_cifar10.LR:g}, the paper's. Whether the paper's r is "
    "a variance or a deviation is not said; we take deviation. There is one depth, 6." + MARGINS,
    effects=(
        Effect(
            "ahead_6",
            "mean training loss over the run, each net at its best rate, no normalizer over noisy "
            "BatchNorm",
            "decades",
            0.02,
            says="noisy BatchNorm trains faster than no normalizer",
            predicted=(0.02, 0.08),
        ),
        Effect(
            "near_6",
            "the same loss, noisy BatchNorm over BatchNorm",
            "decades",
            0.04,
            kind="same",
            upper=True,
            says="it trains nearly as fast as BatchNorm",
            predicted=(0.01, 0.05),
        ),
        Effect(
            "accuracy_6",
            "test accuracy at the end, each net at its best rate, noisy BatchNorm minus no "
            "normalizer",
            "",
            0.01,
            says="it ends with a better test accuracy than no normalizer",
            predicted=(0.02, 0.08),
        ),
        Effect(
            "moves",
            f"movement of the layers' inputs from step to step at rate {s2_cifar10.LR:g}, noisy "
            "BatchNorm over no normalizer",
            "decades",
            0.1,
            says="its layers' inputs move farther in a step than without a normalizer",
            predicted=(0.2, 0.9),
        ),
        Effect(
            "moves_whole",
            "the same from the first step to the last",
            "decades",
            0.1,
            says="they move farther over the whole training, too",
            predicted=(-0.3, 0.1),
        ),
        Effect(
            "common",
            f"mean training loss over the run at rate {s2_cifar10.LR:g}, no normalizer over noisy "
            "BatchNorm",
            "decades",
            0.06,
            says=f"at the common rate {s2_cifar10.LR:g} noisy BatchNorm trains much faster than no "
            "normalizer",
            predicted=(0.02, 0.1),
        ),
        Effect(
            "stops",
            "test accuracy of the net without a normalizer, with the same noise, at its best rate",
            "of the test images",
            0.2,
            kind="same",
            upper=True,
            says="the same noise stops the training of the net without a normalizer",
            predicted=(0.25, 0.45),
        ),
    ),
    core=("ahead_6",),
    answer=(
        "The paper's net is deeper and trains twenty times as long, and it starts from Glorot's "
        "weights, with which signals are smaller and the same noise is larger beside them. At "
        "32 pixels and 15,000 steps it could be seen whether the lead lasts and the noise stops "
        "the net without a normalizer."
    ),
    measure=s2_cifar10.measure,
    options=("tuning", "device", "image_size"),
    values=s2_cifar10.values,
    facts=s2_cifar10.facts,
    repeat=s2_cifar10.repeat,
    runs={"cifar10": s2_cifar10.BASE},
)

CLAIMS = (S1_CIFAR10, S2_CIFAR10)
