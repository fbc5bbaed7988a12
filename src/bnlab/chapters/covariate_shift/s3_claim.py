"""Santurkar et al. 2018, S3: is the shift of the gradients no lower with BatchNorm?

Written before measuring; the trials of which the prediction speaks are not counted.
"""

from __future__ import annotations

from bnlab.chapters.covariate_shift import s3_shift_by_depth
from bnlab.chapters.covariate_shift.paper import CHAPTER, GAP, SANTURKAR
from bnlab.verdicts.parts import Effect
from bnlab.verdicts.verdict import LEAST_SEEDS, Change, Claim, decide


def _facts_s3(data: dict) -> dict[str, object]:
    """The numbers of the measurement, and the word on the linear net."""
    found = s3_shift_by_depth.facts(data)
    if len(data["seeds"]) >= LEAST_SEEDS:
        judgements = decide(S3, s3_shift_by_depth.values(data)).judgements
        found["linear_word"] = next(j.word for j in judgements if j.effect.name == "linear")
    return found


S3 = Claim(
    id="S3",
    **SANTURKAR,
    **CHAPTER,
    sentence=(
        "Internal covariate shift, taken as the change of a layer's gradient when the layers "
        "before it make their step, is not lower with BatchNorm, and often higher. In a deep "
        "linear net it is nearly none without BatchNorm, and with it the gradients before and "
        "after are almost unrelated."
    ),
    falsifier=(
        "At some of the depths the gradients change clearly more without a normalizer than with "
        "BatchNorm; or in the deep linear net the two cosines hardly differ."
    ),
    prediction=(
        "We knew the first edition's result, and trial runs with seeds 0 to 3. It depends on the "
        "depth: at 4, 6 and 10 layers the shift is larger without a normalizer, at 15 and 20 with "
        "BatchNorm. With steps of one length, and relative to the gradient, most of BatchNorm's "
        "advantage in shallow nets is gone, and the depth still matters. In the deep linear net "
        "the cosine is lower with BatchNorm."
    ),
    gap=(
        GAP.format(steps=s3_shift_by_depth.BASE.steps).replace(
            "of 6 and of 15 hidden layers", "of 4 to 20 hidden layers"
        )
        + " The deep linear net has the paper's 25 square layers of width 10. Its rate, 0.0001 for "
        "500 steps instead of 0.000001 for 10,000, is ours; and the paper does not say how its "
        "weights start, whether its loss is a sum or a mean, and whether its last layer is "
        "normalized: there we guess."
    ),
    effects=(
        *(
            Effect(
                f"shift_{depth}",
                f"distance of the gradients before and after at depth {depth}, no normalizer over "
                "BatchNorm, median over layers and steps",
                "decades",
                0.1,
                kind="same",
                upper=True,
                says=f"at depth {depth} the gradients shift no less with BatchNorm",
                predicted=predicted,
            )
            for depth, predicted in zip(
                s3_shift_by_depth.DEPTHS,
                ((0.35, 0.75), (0.35, 0.7), (0.1, 0.5), (-0.4, 0.0), (-0.8, -0.25)),
                strict=True,
            )
        ),
        Effect(
            "linear",
            "cosine of the gradients before and after in the deep linear net, no normalizer minus "
            "BatchNorm",
            "of cosine",
            0.3,
            says="in the deep linear net the gradients turn far more with BatchNorm",
            predicted=(0.3, 0.8),
        ),
    ),
    core=tuple(f"shift_{depth}" for depth in s3_shift_by_depth.DEPTHS),
    setting="depth",
    changes=(
        Change(
            "2026-11-29",
            "Measured anew with other seeds at five depths instead of two, which are the core in "
            "five settings; two linear nets with BatchNorm a seed instead of one.",
            "The first edition's two depths disagreed, so that depth had to be varied; and 16 "
            "linear nets did not decide.",
        ),
    ),
    answer=(
        "The paper's nets are deep: a VGG and 25 linear layers. Our shallow perceptrons may lie "
        "outside of what it speaks of. A VGG on CIFAR-10 would tell on which side of our "
        "crossing its net is."
    ),
    measure=s3_shift_by_depth.measure,
    options=("lrs", "linear_lrs", "tuning"),
    values=s3_shift_by_depth.values,
    facts=_facts_s3,
    repeat=s3_shift_by_depth.repeat,
    runs={"digits": s3_shift_by_depth.BASE},
)
