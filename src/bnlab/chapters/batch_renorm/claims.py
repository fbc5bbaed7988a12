"""Ioffe 2017, *Batch Renormalization*: batches that are small or not independent.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds; they are not counted.
"""

from __future__ import annotations

import math

from bnlab.chapters.batch_renorm import (
    methods,
    r1_identity,
    r2_speed,
    r5_scale,
)
from bnlab.chapters.batch_renorm.r3_r4_claims import R3, R4
from bnlab.chapters.batch_renorm.setting import GAP, IOFFE
from bnlab.verdicts.verdict import Change, Claim, Effect

COMPILED = Change(
    "2026-11-30",
    "All trainings were repeated with the compiled step, one by one, with the same grid of rates "
    "and the same seeds; PyTorch had done them side by side, to the same verdict.",
    "So that each of them can be repeated to the last bit, in the page too.",
)

R1 = Claim(
    id="R1",
    **IOFFE,
    sentence=(
        "Without limits on r and d, the outputs in training are those of inference, with the "
        "statistics as they were before the step."
    ),
    falsifier="The two outputs differ by more than the rounding of float64.",
    prediction="It holds exactly: it is an identity, and a trial with random numbers confirmed it.",
    gap="None: the claim is about one layer and needs no training.",
    effects=(
        Effect(
            "same",
            "largest relative difference between the outputs in training and in inference",
            "decades",
            -9.0,
            kind="identity",
            says="in training and in inference the outputs are the same",
            predicted=(-math.inf, -9.0),
        ),
    ),
    measure=r1_identity.measure,
    options=("limits",),
    values=r1_identity.values,
    facts=r1_identity.facts,
    runs={"digits": r1_identity.BASE},
)

R2 = Claim(
    id="R2",
    **IOFFE,
    sentence=(
        "With 32 independent samples it trains as fast as BatchNorm, and its accuracy at the end "
        "is the same or slightly better."
    ),
    falsifier=(
        "Its mean training loss is clearly larger than BatchNorm's, or its test accuracy is more "
        "than a point lower."
    ),
    prediction="It holds: in trial runs the two were alike, within the spread of the seeds.",
    gap=GAP,
    effects=(
        Effect(
            "speed",
            "mean training loss over the run, Batch Renormalization over BatchNorm",
            "decades",
            0.1,
            kind="same",
            upper=True,
            says="it trains as fast as BatchNorm",
            predicted=(-0.1, 0.1),
        ),
        Effect(
            "accuracy",
            "test accuracy, BatchNorm minus Batch Renormalization",
            "",
            0.01,
            kind="same",
            upper=True,
            says="its accuracy at the end is the same or slightly better",
            predicted=(-0.01, 0.01),
        ),
    ),
    changes=(COMPILED,),
    measure=r2_speed.measure,
    options=("tuning", "base", "engine"),
    values=r2_speed.values,
    facts=r2_speed.facts,
    repeat=r2_speed.repeat,
    runs={"digits": methods.BASE},
)

R5 = Claim(
    id="R5",
    **IOFFE,
    sentence="Like BatchNorm, it does not depend on the scale of the initial weights.",
    falsifier=(
        "Its test accuracy varies by more than five points over initial weights that are four "
        "times smaller, as they are, and four times larger; or no normalizer varies as little."
    ),
    prediction=(
        "It holds, since the schedule starts as BatchNorm. Without a normalizer the largest "
        "weights make the net diverge. No trial runs were made."
    ),
    gap=GAP,
    effects=(
        Effect(
            "own",
            "range of the test accuracy over the three scales, Batch Renormalization",
            "",
            0.05,
            kind="same",
            upper=True,
            says="its accuracy does not depend on the scale of the initial weights",
            predicted=(0.0, 0.05),
        ),
        Effect(
            "plain",
            "the same range, no normalizer minus Batch Renormalization",
            "",
            0.1,
            says="without a normalizer it does",
            predicted=(0.1, 1.0),
        ),
    ),
    changes=(COMPILED,),
    measure=r5_scale.measure,
    options=("tuning", "norms", "base", "engine"),
    values=r5_scale.values,
    facts=r5_scale.facts,
    repeat=r5_scale.repeat,
    runs={"digits": methods.BASE},
)

CLAIMS = (R1, R2, R3, R4, R5)
