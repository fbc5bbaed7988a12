"""Bjorck et al. 2018, *Understanding Batch Normalization*: what BatchNorm owes to learning rates.

The sentences, margins and predictions were written before measuring.
"""

from __future__ import annotations

import math

from bnlab.chapters.learning_rates import b1_rates, b2_explosion
from bnlab.chapters.learning_rates.b1_rates import LONG, SMALL_LR
from bnlab.chapters.learning_rates.b7_b9_claims import B7, B9
from bnlab.chapters.learning_rates.b10_claim import B10
from bnlab.chapters.learning_rates.paper import BJORCK
from bnlab.verdicts.parts import judge
from bnlab.verdicts.verdict import LEAST_SEEDS, Change, Claim, Effect


def _facts_b1(data: dict) -> dict[str, object]:
    """The numbers of the sweep, and whether BatchNorm's lead counts at each depth."""
    found = b1_rates.facts(data)
    if len(data["seeds"]) >= LEAST_SEEDS:
        own = next(effect for effect in B1.effects if effect.name == "own")
        for depth in data["depths"]:
            found[f"own_word_{depth}"] = judge(own, b1_rates.at_own_rates(data, depth)["own"]).word
    return found


B1 = Claim(
    id="B1",
    **BJORCK,
    sentence=(
        "Trained to the end at the same small learning rate, nets with and without BatchNorm reach "
        "about the same test accuracy. With BatchNorm larger rates are usable, and with each net "
        "at its own best rate BatchNorm is ahead."
    ),
    falsifier=(
        "At the small rate, trained ten times as long as at the other rates, the net with "
        "BatchNorm is more than two points better or worse; or it is not more than a point ahead "
        "when each net uses its own best rate; or the largest usable rate is not larger with "
        "BatchNorm."
    ),
    prediction=(
        "Trained to the end at rate 0.01, BatchNorm is ahead by half a point to one and a half: "
        "trials with eight other seeds gave 0.8, and so did the first result, with its own seeds. "
        "The other two parts are those of the first result and keep their prediction and seeds: at "
        "the best rates BatchNorm is ahead by some points at depth 12 and hardly at depth 6, and "
        "its largest usable rate is 10 to 30 times larger."
    ),
    gap=(
        "The paper trains a ResNet-110 on CIFAR-10 for 165 epochs with momentum, weight decay and "
        "augmentation. We train a 12-layer perceptron on 1,197 digits for 300 steps of plain SGD, "
        "and for 3,000 at the small rate. Seeds vary the initial weights and the batches, not the "
        "split of the images."
    ),
    effects=(
        Effect(
            "small",
            f"test accuracy of BatchNorm minus no normalizer, both at learning rate {SMALL_LR:g} "
            f"and trained {LONG} times as long as in the sweep over rates",
            "",
            0.02,
            kind="same",
            says="trained to the end at a small rate, BatchNorm is no better and no worse",
            predicted=(0.005, 0.015),
        ),
        Effect(
            "own",
            "test accuracy of BatchNorm minus no normalizer, each at its best learning rate",
            "",
            0.01,
            says="with each net at its own best rate BatchNorm is ahead",
            predicted=(0.01, math.inf),
        ),
        Effect(
            "rate",
            "largest usable learning rate, BatchNorm over no normalizer",
            "decades",
            0.5,
            says="with BatchNorm larger rates are usable",
            predicted=(1.0, math.log10(30)),
        ),
    ),
    changes=(
        Change(
            "2026-11-21",
            "The largest usable rate is judged by validation accuracy, each net against its own "
            "best; it was judged by test accuracy, against the better of the two. The trainings to "
            "the end were added.",
            "A reading of the first result: the first measure favoured BatchNorm.",
        ),
        Change(
            "2026-11-21",
            "All trainings on digits were repeated with the compiled step.",
            "So that the page can repeat each of them to the last bit.",
        ),
        Change(
            "2026-11-29",
            "The small rate is judged by trainings to the end, with new seeds, and on both sides; "
            "it was judged after 300 steps. That the lead comes from the rates is a claim of its "
            "own, B10.",
            "300 steps at a small rate are an unfinished training, and say who is faster.",
        ),
    ),
    answer=(
        "The lead of BatchNorm at the best rates is small here, and at depth 6 it does not count: "
        "digits are easy, and the paper's net is nine times as deep. The same measurement with a "
        "deep residual net on CIFAR-10, trained for as many epochs as there, would tell."
    ),
    measure=b1_rates.measure,
    options=("depths", "tuning", "engine", "base"),
    values=b1_rates.values,
    facts=_facts_b1,
    repeat=b1_rates.repeat,
    runs={"digits": b1_rates.BASE},
)

B2 = Claim(
    id="B2",
    **BJORCK,
    sentence=(
        "Deep nets without a normalizer diverge at large learning rates, and in the step that "
        "diverges their activations explode with depth."
    ),
    falsifier=(
        "In the diverging step late blocks grow no more than early ones; or BatchNorm's blocks do "
        "so too, in a step of the same size; or the net without a normalizer diverges at no "
        "smaller rate than with BatchNorm; or its usable rate, even with a better start, is no "
        "smaller than BatchNorm's."
    ),
    prediction=(
        "The first result, with other seeds, showed three of the parts, and they will come out "
        "again: the residual net without a normalizer diverges at a rate 1,000 to 100,000 times "
        "smaller, its last block grows by many decades more than the first, with BatchNorm the "
        "profile hardly moves. New are the usable rates. Trials with three seeds: within 60 steps "
        "the net without a normalizer learns at no rate; with a scaled start its best rate is 0.01 "
        "to 0.03, with BatchNorm 0.1 to 0.3. So BatchNorm's usable rate is 5 to 30 times larger, "
        "a hundredth of the ratio of diverging rates or less."
    ),
    gap=(
        "The paper looks at a ResNet-110 on CIFAR-10. We look at 18 residual blocks of 16 and 32 "
        "channels on digits, over the first 10 steps, and over 60 for the usable rates. With He's "
        "initial weights the net without a normalizer starts at a loss that is far too high; how "
        "much that matters is measured too."
    ),
    effects=(
        Effect(
            "explode",
            "growth of the variance from first to last block, gained in the diverging step (a "
            f"growth beyond {b2_explosion.MOST:g} decades counts as that)",
            "decades",
            1.0,
            says="in the step that diverges the activations explode with depth",
            predicted=(3.0, math.inf),
        ),
        Effect(
            "control",
            "the same with BatchNorm, in a step of the same length",
            "decades",
            1.0,
            kind="same",
            upper=True,
            says="with BatchNorm a step of the same length does nothing of the kind",
            predicted=(-1.0, 1.0),
        ),
        Effect(
            "rate",
            "smallest learning rate that diverges within 10 steps, BatchNorm over no normalizer (a "
            "lower bound: a net that never diverged counts as one step above the largest rate)",
            "decades",
            0.5,
            says="without a normalizer deep nets diverge at smaller rates",
            predicted=(3.0, 5.0),
        ),
        Effect(
            "usable",
            f"largest usable learning rate after {b2_explosion.TRAINED} steps, BatchNorm over no "
            "normalizer with a scaled start",
            "decades",
            0.5,
            says="with BatchNorm larger rates are usable, too",
            predicted=(math.log10(5), math.log10(30)),
        ),
    ),
    changes=(
        Change(
            "2026-11-21",
            "The control with BatchNorm takes a step of the same length; it took one at the same "
            "rate. A net with a scaled start was added.",
            "A reading of the first result: at the same rate BatchNorm's step is far shorter.",
        ),
        Change(
            "2026-11-29",
            "Usable rates were added, growths are bounded, the explosion is the core, and all is "
            "measured on new seeds.",
            "Nets that do not diverge need not learn, and the mean growth was that of a few seeds.",
        ),
    ),
    answer=(
        "The net without a normalizer does not even start well here, so its diverging rate tells "
        "of the start as much as of the step. The authors' net starts with Xavier's weights and "
        "learns at small rates; their sweep, repeated at that scale, would tell the two apart."
    ),
    measure=b2_explosion.measure,
    values=b2_explosion.values,
    facts=b2_explosion.facts,
    runs={"digits": b2_explosion.BASE},
)

CLAIMS = (B1, B2, B7, B9, B10)
