"""Ioffe 2017, *Batch Renormalization*: batches that are small or not independent.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.batch_renorm import (
    methods,
    r1_identity,
    r2_speed,
    r3_few_samples,
    r4_one_class,
    r5_scale,
)
from bnlab.verdicts.verdict import Claim, Effect

IOFFE = {
    "paper": "ioffe2017",
    "authors": "Ioffe 2017",
    "chapter": "07_batch_renorm",
}
GAP = (
    "The paper trains Inception-v3 on ImageNet with 50 workers of 32 images each. We train a "
    f"perceptron of four layers on 1,197 digits for {methods.STEPS} steps, with the paper's "
    "schedule of limits shortened in proportion, and rates tuned for each method."
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
            kind="same",
            upper=True,
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
        ),
        Effect(
            "accuracy",
            "test accuracy, BatchNorm minus Batch Renormalization",
            "",
            0.01,
            kind="same",
            upper=True,
        ),
    ),
    measure=r2_speed.measure,
    options=("tuning", "base"),
    values=r2_speed.values,
    facts=r2_speed.facts,
    repeat=r2_speed.repeat,
    runs={"digits": methods.BASE},
)

R3 = Claim(
    id="R3",
    **IOFFE,
    sentence="With four samples to normalize over it is clearly better than BatchNorm.",
    falsifier=(
        "Its test accuracy with four samples to normalize over is less than two points higher than "
        "BatchNorm's."
    ),
    prediction=(
        "It fails at four samples: in trial runs the gain was about a point. With two samples, "
        "which the paper does not test, the gain is large."
    ),
    gap=GAP + " The gradient is taken over 32 samples; only the statistics see four.",
    effects=(
        Effect(
            "four",
            "test accuracy with four samples to normalize over, Batch Renormalization minus "
            "BatchNorm",
            "",
            0.02,
        ),
    ),
    measure=r3_few_samples.measure,
    options=("tuning", "groups", "sizes", "controls", "base"),
    values=r3_few_samples.values,
    facts=r3_few_samples.facts,
    repeat=r3_few_samples.repeat,
    runs={"digits": methods.BASE},
)

R4 = Claim(
    id="R4",
    **IOFFE,
    sentence=(
        "When the samples of a batch are not independent, BatchNorm fits itself to how batches are "
        "put together and loses much accuracy; Batch Renormalization loses nearly nothing."
    ),
    falsifier=(
        "BatchNorm loses less than ten points when each group that it normalizes holds one class; "
        "or Batch Renormalization makes good less than four fifths of the loss."
    ),
    prediction=(
        "BatchNorm falls nearly to chance. Batch Renormalization makes good only about half of it, "
        "as in trial runs, so *nearly nothing* fails."
    ),
    gap=GAP
    + " The paper's batches hold two images of each of 16 labels; our groups hold one class.",
    effects=(
        Effect(
            "loss",
            "test accuracy of BatchNorm, mixed groups minus groups of one class",
            "",
            0.1,
        ),
        Effect(
            "recovered",
            "share of this loss that Batch Renormalization does not have",
            "of the loss",
            0.8,
        ),
    ),
    measure=r4_one_class.measure,
    options=("tuning", "alone", "controls", "base"),
    values=r4_one_class.values,
    facts=r4_one_class.facts,
    repeat=r4_one_class.repeat,
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
        ),
        Effect("plain", "the same range, no normalizer minus Batch Renormalization", "", 0.1),
    ),
    measure=r5_scale.measure,
    options=("tuning", "norms", "base"),
    values=r5_scale.values,
    facts=r5_scale.facts,
    repeat=r5_scale.repeat,
    runs={"digits": methods.BASE},
)

CLAIMS = (R1, R2, R3, R4, R5)
