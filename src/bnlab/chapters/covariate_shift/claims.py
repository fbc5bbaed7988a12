"""Santurkar et al. 2018, S1 to S3: does BatchNorm work by keeping distributions stable?

The sentences, predictions, effects and margins were written before measuring. Where a prediction
speaks of trial runs: they had other seeds, and they are not counted.
"""

from __future__ import annotations

import math

from bnlab.chapters.covariate_shift import s1_race, s3_shift_by_depth
from bnlab.chapters.covariate_shift import s2_noisy_race as noisy_race
from bnlab.verdicts.verdict import LEAST_SEEDS, Claim, Effect, decide

SANTURKAR = {"paper": "santurkar2018", "authors": "Santurkar et al. 2018"}
CHAPTER = {"chapter": "04_covariate_shift"}
GAP = (
    "The paper trains a VGG-like net on CIFAR-10 for 15,000 steps of SGD with batches of 128, "
    "without augmentation. We train perceptrons of 6 and of 15 hidden layers on 1,197 digits, for "
    "{steps} steps of SGD with batches of 64."
)


def _facts_s3(data: dict) -> dict[str, object]:
    """The numbers of the measurement, and the word on the linear net."""
    found = s3_shift_by_depth.facts(data)
    if len(data["seeds"]) >= LEAST_SEEDS:
        judgements = decide(S3, s3_shift_by_depth.values(data)).judgements
        found["linear_word"] = next(j.word for j in judgements if j.effect.name == "linear")
    return found


S1 = Claim(
    id="S1",
    **SANTURKAR,
    **CHAPTER,
    sentence=(
        "Nets with BatchNorm train faster and tolerate larger learning rates than nets without, "
        "although the distributions of their layers' inputs are about as stable or unstable."
    ),
    falsifier=(
        "At its best rate the net with BatchNorm does not reach a lower training loss in the same "
        "number of steps, or its largest usable rate is not larger; or the inputs of its layers "
        "move less than half as much."
    ),
    prediction=(
        "The rates hold: trial runs had usable rates ten times larger and more. How far the inputs "
        "move: before any trial we expected less than a factor of two between the nets; in trial "
        "runs those of the net without moved about ten times as far, and so we now expect this "
        "part to be reversed."
    ),
    gap=GAP.format(steps=s1_race.BASE.steps) + " At depth 6 the verdict is taken.",
    effects=(
        Effect(
            "loss",
            "mean training loss over the run, each net at its best rate, no normalizer over "
            "BatchNorm",
            "decades",
            0.1,
        ),
        Effect(
            "rate",
            "largest usable learning rate, BatchNorm over no normalizer",
            "decades",
            0.5,
        ),
        Effect(
            "stable",
            "movement of the layers' inputs from step to step at the same rate, no normalizer over "
            "BatchNorm, median over the layers",
            "decades",
            math.log10(2),
            kind="same",
            upper=True,
        ),
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
        "With the noise the inputs of the layers move no more than in the plain net; or the "
        "training loss is far above that of BatchNorm, or not below that of the plain net; or the "
        "plain net trains with the same noise too."
    ),
    prediction=(
        "At a large rate noisy BatchNorm trains nearly as well as BatchNorm, as in trial runs; at "
        "a small rate it is behind both. In the trial runs the noise slowed the plain net and did "
        "not stop it, so we expect that part to fail."
    ),
    gap=(
        GAP.format(steps=noisy_race.BASE.steps)
        + f" The verdict is taken at depth 6 and rate {noisy_race.LR:g}. Whether the paper's r is "
        "a variance or a deviation is not said; we take deviation."
    ),
    effects=(
        Effect(
            "moves",
            "movement of the layers' inputs from step to step, noisy BatchNorm over no normalizer",
            "decades",
            0.1,
        ),
        Effect(
            "near",
            "mean training loss over the run, noisy BatchNorm over BatchNorm",
            "decades",
            0.2,
            kind="same",
            upper=True,
        ),
        Effect("ahead", "the same loss, no normalizer over noisy BatchNorm", "decades", 0.3),
        Effect(
            "stops",
            "test accuracy of the net without a normalizer, with the same noise",
            "",
            0.2,
            kind="same",
            upper=True,
        ),
    ),
    measure=noisy_race.measure,
    options=("depths", "lrs", "looks"),
    values=noisy_race.values,
    facts=noisy_race.facts,
    repeat=noisy_race.repeat,
    runs={"digits": noisy_race.BASE},
)

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
        "In the shallow or in the deep net the gradients change clearly more without a normalizer "
        "than with BatchNorm; or in the deep linear net the two cosines hardly differ."
    ),
    prediction=(
        "It depends on the depth. In trial runs BatchNorm had the smaller shift in a perceptron of "
        "6 layers, which reverses the claim, and the larger one at 15 layers. The deep linear net "
        "behaves as the paper says, at its small rate."
    ),
    gap=(
        GAP.format(steps=s3_shift_by_depth.BASE.steps)
        + " The deep linear net is the paper's, 25 square layers of width 10, for 500 steps "
        "instead of 10,000."
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
            )
            for depth in (6, 15)
        ),
        Effect(
            "linear",
            "cosine of the gradients before and after in the deep linear net, no normalizer minus "
            "BatchNorm",
            "of cosine",
            0.3,
        ),
    ),
    measure=s3_shift_by_depth.measure,
    options=("depths", "lrs", "linear_lrs"),
    values=s3_shift_by_depth.values,
    facts=_facts_s3,
    runs={"digits": s3_shift_by_depth.BASE},
)

CLAIMS = (S1, S2, S3)
