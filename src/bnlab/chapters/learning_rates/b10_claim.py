"""B10 of Bjorck 2018: whether the larger rates are what BatchNorm's lead comes from.

The sentence, margins and prediction were written before measuring.
"""

from __future__ import annotations

import math

from bnlab.chapters.learning_rates import b10_given_rates
from bnlab.chapters.learning_rates.paper import BJORCK
from bnlab.verdicts.verdict import Claim, Effect

B10 = Claim(
    id="B10",
    **BJORCK,
    sentence="BatchNorm's advantage comes from the larger learning rates that it allows.",
    falsifier=(
        "Half of BatchNorm's lead or more is left when it is held at the rate that is best for the "
        "net without a normalizer; or when the net without a normalizer is helped to bear larger "
        "rates by other means; or the helped net gains nothing from its larger rate that the "
        "means do not give at the old rate."
    ),
    prediction=(
        "Trials with eight seeds. Scaled starts and warm-ups did not enlarge the usable rate; "
        "clipped gradients did, three to ten times, and after 300 steps a third of the lead was "
        "left. But clipping helped as much at the old rate. And after 3,000 steps BatchNorm was "
        "1.5 points ahead or more at equal rates of 0.03 to 0.1. So we expect: held at the bare "
        "net's best rate BatchNorm keeps more than half of its lead; the helped net takes more "
        "than half of it away, but not by its larger rate."
    ),
    gap=(
        "The paper compares rates of a ResNet-110 on CIFAR-10 that lie a factor of 1,000 apart. We "
        "train a 12-layer perceptron on digits for 600 steps of plain SGD; its best rates lie "
        "closer together. The paper does not clip gradients."
    ),
    effects=(
        Effect(
            "held",
            "BatchNorm's lead at the rate that is best for the bare net, over its lead with each "
            "at its own best rate",
            "of the lead",
            0.5,
            kind="same",
            upper=True,
            says="without larger rates most of BatchNorm's lead is gone",
            predicted=(0.5, math.inf),
        ),
        Effect(
            "given",
            "BatchNorm's lead over the bare net that is helped to bear larger rates, over its lead "
            "without the help, each at its own best rate",
            "of the lead",
            0.5,
            kind="same",
            upper=True,
            says="a net that is given larger rates by other means takes most of the lead away",
            predicted=(-math.inf, 0.5),
        ),
        Effect(
            "beyond",
            "test accuracy of the helped net at its best rate, minus that at the bare net's best "
            "rate with the means that suits this rate",
            "",
            0.01,
            says="the helped net gains by its larger rate, and not only by the means",
            predicted=(-0.01, 0.01),
        ),
        Effect(
            "lead",
            "test accuracy of BatchNorm minus no normalizer, each at its best learning rate",
            "",
            0.01,
            says="BatchNorm has a lead when each net uses its own best rate",
            predicted=(0.01, 0.035),
        ),
        Effect(
            "rate",
            "largest usable learning rate of the bare net, with the help over without",
            "decades",
            0.5,
            says="the help does enlarge the usable rate",
            predicted=(0.5, 1.2),
        ),
    ),
    answer=(
        "One net of sixteen without a normalizer failed at its best rate, which lies at the edge "
        "of what such nets bear, and made the mean lead and its spread: so the shares say little. "
        "And such a net bears rates near BatchNorm's best here; in the paper's net a factor of "
        "1,000 lies between them. The decisive measurement is this one with many more seeds, and "
        "with a net of that depth on CIFAR-10."
    ),
    measure=b10_given_rates.measure,
    options=("tuning", "base"),
    values=b10_given_rates.values,
    facts=b10_given_rates.facts,
    repeat=b10_given_rates.repeat,
    runs={"digits": b10_given_rates.BASE},
)
