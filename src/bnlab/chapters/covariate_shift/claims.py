"""Santurkar et al. 2018, S1 to S3: does BatchNorm work by keeping distributions stable?

The sentences, predictions, effects and margins were written before measuring. Where a prediction
speaks of trial runs: they had other seeds, and they are not counted. All three were measured once
before, in the first edition, with other parts and other seeds.
"""

from __future__ import annotations

import math

from bnlab.chapters.covariate_shift import s1_race
from bnlab.chapters.covariate_shift import s2_noisy_race as noisy_race
from bnlab.chapters.covariate_shift.paper import CHAPTER, GAP, SANTURKAR
from bnlab.chapters.covariate_shift.s3_claim import S3
from bnlab.verdicts.parts import Effect
from bnlab.verdicts.verdict import Change, Claim

S1 = Claim(
    id="S1",
    **SANTURKAR,
    **CHAPTER,
    sentence=(
        "Nets with BatchNorm train faster, tolerate larger learning rates and end with a better "
        "test accuracy than nets without, although the distributions of their layers' inputs are "
        "about as stable or unstable."
    ),
    falsifier=(
        "At its best rate the net with BatchNorm has no lower mean training loss over the run, no "
        "larger largest usable rate, or no better test accuracy at the end; or at the same rate "
        "its layers' inputs move less than half as much, in a step or over the whole training, "
        "after BatchNorm or before it."
    ),
    prediction=(
        "We knew the first edition's result, and trial runs with seeds 0 to 7. BatchNorm is about "
        "twice as fast by the mean over the run, and its usable rates are about ten times larger. "
        "Its test accuracy is hardly better, and the net without a normalizer ends with the lower "
        "training loss. The inputs are not about as stable: with BatchNorm they move about nine "
        "times less in a step, before it as after it, and over the whole training four to eight "
        "times less."
    ),
    gap=GAP.format(steps=s1_race.BASE.steps) + " At depth 6 the verdict is taken.",
    effects=(
        Effect(
            "loss",
            "mean training loss over the run, each net at its best rate, no normalizer over "
            "BatchNorm",
            "decades",
            0.1,
            says="nets with BatchNorm train faster",
            predicted=(0.2, 0.45),
        ),
        Effect(
            "rate",
            "largest usable learning rate, BatchNorm over no normalizer",
            "decades",
            0.5,
            says="they tolerate larger learning rates",
            predicted=(0.8, 1.3),
        ),
        Effect(
            "accuracy",
            "test accuracy at the end, each net at its best rate, BatchNorm minus no normalizer",
            "",
            0.01,
            says="they end with a better test accuracy",
            predicted=(0.0, 0.02),
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
                    (0.8, 1.1),
                ),
                (
                    "step_before",
                    "what goes into BatchNorm",
                    "from step to step",
                    "what goes into BatchNorm moves about as far in a step",
                    (0.8, 1.1),
                ),
                (
                    "whole",
                    "the layers' inputs",
                    "from the first step to the last",
                    "the layers' inputs move about as far over the whole training",
                    (0.7, 1.0),
                ),
                (
                    "whole_before",
                    "what goes into BatchNorm",
                    "from the first step to the last",
                    "what goes into BatchNorm moves about as far over the whole training",
                    (0.5, 0.8),
                ),
            )
        ),
    ),
    changes=(
        Change(
            "2026-11-29",
            "Measured anew with other seeds: stability is now also measured before BatchNorm and "
            "over the whole training, and the test accuracy at the end is a part.",
            "After BatchNorm the moments are pinned, so that stability there could be a tautology; "
            "the paper looks at a whole training; and a mean over the run hides its end.",
        ),
    ),
    answer=(
        "The paper's net is a VGG on CIFAR-10, in which inputs may move otherwise than in "
        "perceptrons on digits, and its authors compare histograms of a few layers by eye. They "
        "would also say that the larger stability need not be why BatchNorm is faster, which is "
        "their point. The first needs the same measurement in their net; the second is S2."
    ),
    measure=s1_race.measure,
    options=("depths", "tuning"),
    values=s1_race.values,
    facts=s1_race.facts,
    repeat=s1_race.repeat,
    runs={"digits": s1_race.BASE},
)

S2 = Claim(
    id="S2",
    **SANTURKAR,
    **CHAPTER,
    sentence=(
        "Noise after BatchNorm that changes with time makes the distributions less stable than in "
        "the net without a normalizer. Yet the net trains nearly as well as with BatchNorm alone, "
        "and better than without. The same noise stops the training of the net without."
    ),
    falsifier=(
        "Each net at its own best rate, the mean training loss over the run with the noise is not "
        "clearly below that without a normalizer, or is far above that of BatchNorm, or the test "
        "accuracy at the end is not better; or with the noise the inputs of the layers move no "
        "more; or the net without a normalizer trains with the same noise too."
    ),
    prediction=(
        "We knew the first edition's result, and trial runs with seeds 0 to 7. Each at its own "
        "best rate, noisy BatchNorm is about 1.5 times as fast as no normalizer by the mean over "
        "the run, at both depths, and has less than 1.6 times the loss of BatchNorm. At the end it "
        "is not better: at 15 layers its test accuracy is lower. Its inputs move more in a step "
        "and less over the whole training. The noise does not stop the net without a normalizer."
    ),
    gap=(
        GAP.format(steps=noisy_race.BASE.steps)
        + f" Where one rate is compared it is {noisy_race.LR:g}, at depth 6. Whether the paper's r "
        "is a variance or a deviation is not said; we take deviation."
    ),
    effects=(
        *(
            Effect(
                f"ahead_{depth}",
                f"mean training loss over the run at depth {depth}, each net at its best rate, no "
                "normalizer over noisy BatchNorm",
                "decades",
                0.1,
                says=f"noisy BatchNorm trains faster than no normalizer at depth {depth}",
                predicted=(0.1, 0.3),
            )
            for depth in noisy_race.DEPTHS
        ),
        *(
            Effect(
                f"near_{depth}",
                f"the same loss at depth {depth}, noisy BatchNorm over BatchNorm",
                "decades",
                0.2,
                kind="same",
                upper=True,
                says=f"it trains nearly as fast as BatchNorm at depth {depth}",
                predicted=predicted,
            )
            for depth, predicted in ((6, (0.08, 0.18)), (15, (0.04, 0.18)))
        ),
        *(
            Effect(
                f"accuracy_{depth}",
                f"test accuracy at the end at depth {depth}, each net at its best rate, noisy "
                "BatchNorm minus no normalizer",
                "",
                0.01,
                says=f"it ends with a better test accuracy than no normalizer at depth {depth}",
                predicted=predicted,
            )
            for depth, predicted in ((6, (-0.01, 0.01)), (15, (-0.05, 0.0)))
        ),
        Effect(
            "moves",
            f"movement of the layers' inputs from step to step at rate {noisy_race.LR:g}, noisy "
            "BatchNorm over no normalizer",
            "decades",
            0.1,
            says="its layers' inputs move farther in a step than without a normalizer",
            predicted=(0.1, 0.35),
        ),
        Effect(
            "moves_whole",
            "the same from the first step to the last",
            "decades",
            0.1,
            says="they move farther over the whole training, too",
            predicted=(-0.6, -0.2),
        ),
        Effect(
            "common",
            f"mean training loss over the run at depth 6 and rate {noisy_race.LR:g}, no normalizer "
            "over noisy BatchNorm",
            "decades",
            0.3,
            says=f"at the common rate {noisy_race.LR:g} noisy BatchNorm trains much faster than no "
            "normalizer",
            predicted=(0.35, 0.65),
        ),
        Effect(
            "stops",
            "test accuracy at depth 6 of the net without a normalizer, with the same noise, at its "
            "best rate",
            "of the test images",
            0.2,
            kind="same",
            upper=True,
            says="the same noise stops the training of the net without a normalizer",
            predicted=(0.9, 1.0),
        ),
    ),
    core=tuple(f"ahead_{depth}" for depth in noisy_race.DEPTHS),
    setting="depth",
    changes=(
        Change(
            "2026-11-29",
            "Measured anew with other seeds: each net at its own best rate, at two depths, where "
            "the first edition compared at rate 0.3 alone; test accuracy at the end, movement over "
            "the whole training, and the net without noise as the control of the one with it.",
            "A single rate decides who wins, and a mean over the run hides its end. The margin of "
            "being ahead is now that of S1, as at its own best rate BatchNorm itself leads by "
            "less than the old one.",
        ),
    ),
    answer=(
        "The paper compares at one rate, in a net for CIFAR-10 that BatchNorm helps far more than "
        "it helps our perceptrons: 83 against 80 % test accuracy. Where there is more to gain, "
        "noisy BatchNorm may keep a lead to the end. And at one common, large rate the noise does "
        "stop some of our nets without a normalizer, as it did theirs; only at their own rate they "
        "survive it. That needs the paper's net, each method at its own rate."
    ),
    measure=noisy_race.measure,
    options=("tuning",),
    values=noisy_race.values,
    facts=noisy_race.facts,
    repeat=noisy_race.repeat,
    runs={"digits": noisy_race.BASE},
)

CLAIMS = (S1, S2, S3)
