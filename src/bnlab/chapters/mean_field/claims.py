"""Wei et al. 2019, *Mean-field Analysis of Batch Normalization*: curvature and learning rates.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

import math

from bnlab.chapters.mean_field import (
    w1_fisher_at_start,
    w2_rate_plane,
    w3_gamma_start,
    w4_best_rate,
    wide_net,
)
from bnlab.verdicts.verdict import Claim, Effect

WEI = {
    "paper": "wei2019",
    "authors": "Wei et al. 2019",
    "chapter": "06_mean_field",
}
GAP = (
    "The paper has four layers of width 1000 on MNIST and CIFAR-10, with squared error and "
    "momentum. We plan the same net, loss and momentum on digits, with width 300 where it is "
    "trained. A gradient that passes through the batch's statistics differs from the paper's, "
    "which holds them constant; both are measured."
)


def _facts_w1(data: dict) -> dict[str, object]:
    """The numbers of the measurement, and the last layer's term of the theory at width 300."""
    found = w1_fisher_at_start.facts(data)
    side = ("gaussian", "hidden", wide_net.BASE.depth, w1_fisher_at_start.SIDE_WIDTH, "batch", 1.0)
    last = wide_net.theory(w1_fisher_at_start.run_of(side)).by_layer[-1]
    return {**found, "four_larger": 1 / found["four_held"], "last_term": last}


def _facts_w3(data: dict) -> dict[str, object]:
    """The numbers of the measurement, and what part of an effect goes with the outputs' size."""
    found = w3_gamma_start.facts(data)
    for end in ("0_25", "3"):
        if f"over_one_rescaled_{end}" in found:
            usual, rescaled = (
                math.log(found[f"over_one_{start}_{end}"]) for start in ("usual", "rescaled")
            )
            found[f"share_{end}"] = 100 * (1 - rescaled / usual)
    return found


W1 = Claim(
    id="W1",
    **WEI,
    sentence=(
        "BatchNorm lowers the largest eigenvalue of the expected Fisher information matrix, as "
        "long as the scale γ is below about 3."
    ),
    falsifier=(
        "At γ = 1 the largest eigenvalue is not three times smaller than without a normalizer; or "
        "at γ = 4 it is still smaller."
    ),
    prediction=(
        "Both hold. The paper's recursions give a crossing just below 3; trial runs had an "
        "eigenvalue five to ten times smaller at γ = 1."
    ),
    gap=GAP,
    effects=(
        Effect(
            "one",
            "largest eigenvalue at the start, no normalizer over BatchNorm with γ = 1",
            "decades",
            0.5,
        ),
        Effect("four", "the same with γ = 4", "decades", 0.0, kind="same", upper=True),
    ),
    measure=w1_fisher_at_start.measure,
    options=("width", "depths", "widths", "inputs"),
    values=w1_fisher_at_start.values,
    facts=_facts_w1,
    repeat=w1_fisher_at_start.repeat,
    runs={"digits": w1_fisher_at_start.BASE},
)

W2 = Claim(
    id="W2",
    **WEI,
    sentence=(
        "So larger learning rates are stable. The rate η* = 2(1 + momentum)/λ predicts the border "
        "between training and divergence over about three decades."
    ),
    falsifier=(
        "For some γ the border is more than a factor of three away from η*; or over all γ the "
        "borders span less than a decade, which would be no test."
    ),
    prediction=(
        "In trial runs with four layers the border lay between one and four times η*, without a "
        "normalizer farther than with one. So it may fail by the factor. In a net of ten layers it "
        "did fail, by more."
    ),
    gap=GAP,
    effects=(
        Effect(
            "error",
            "distance of the border from η*, the largest over γ from 0.25 to 3",
            "decades",
            math.log10(3),
            kind="same",
            upper=True,
        ),
        Effect("span", "largest over smallest border", "decades", 1.0),
    ),
    measure=w2_rate_plane.measure,
    options=("gammas", "depths", "powers", "side_powers", "device"),
    values=w2_rate_plane.values,
    facts=w2_rate_plane.facts,
    repeat=w2_rate_plane.repeat,
    runs={"digits": w2_rate_plane.BASE},
)

W3 = Claim(
    id="W3",
    **WEI,
    sentence="A smaller γ at the start gives a lower test loss after the same number of epochs.",
    falsifier=(
        "With the learning rate tuned for each γ, the test loss after five epochs is not lower at "
        "γ = 0.25 than at 1, or not lower at 1 than at 3."
    ),
    prediction=(
        "It holds, as in trial runs, from 3 to 1 clearly and from 1 to 0.25 less so. Part of it is "
        "that γ scales the output, and a smaller output starts at a smaller squared error."
    ),
    gap=GAP,
    effects=(
        Effect("low", "test loss after five epochs, γ = 1 over γ = 0.25", "decades", 0.1),
        Effect("high", "test loss after five epochs, γ = 3 over γ = 1", "decades", 0.1),
    ),
    measure=w3_gamma_start.measure,
    options=("nets", "device"),
    values=w3_gamma_start.values,
    facts=_facts_w3,
    repeat=w3_gamma_start.repeat,
    runs={"digits": w3_gamma_start.BASE},
)

W4 = Claim(
    id="W4",
    **WEI,
    sentence="The best learning rate is about half of η*.",
    falsifier=(
        "On a grid of rates in units of η*, the rate with the lowest test loss is more than a "
        "factor of two away from η*/2, on average over γ."
    ),
    prediction=(
        "It holds: trial runs had their best rates at about 0.3 to 1 times the measured η*, on a "
        "coarse grid."
    ),
    gap=GAP,
    effects=(
        Effect(
            "distance",
            "distance of the best rate from η*/2, mean over γ",
            "decades",
            math.log10(2),
            kind="same",
            upper=True,
        ),
    ),
    measure=w4_best_rate.measure,
    options=("gammas", "powers", "device"),
    values=w4_best_rate.values,
    facts=w4_best_rate.facts,
    repeat=w4_best_rate.repeat,
    runs={"digits": w4_best_rate.BASE},
)

CLAIMS = (W1, W2, W3, W4)
