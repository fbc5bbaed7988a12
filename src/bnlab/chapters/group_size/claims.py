"""Lubana et al. 2021, *Beyond BatchNorm*, L2 to L6: what the size of a group does.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds and other settings; they are not counted.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from bnlab.chapters.group_size import l2_l4_at_start, l6_architectures, trainings
from bnlab.chapters.group_size import l3_l5_trained as trained
from bnlab.verdicts.verdict import Claim, Effect

LUBANA = {
    "paper": "lubana2021",
    "authors": "Lubana et al. 2021",
    "chapter": "08_group_size",
}
GAP = (
    "The paper trains VGG-like nets of 10 and 20 layers and a ResNet-56 on CIFAR-100 for 60 "
    "epochs. We take plain nets of 10 and 20 convolutions on digits, with 16 channels in the first "
    "half and 32 in the second"
)
TRAINED = ", for {steps} steps of SGD with batches of 32."
AT_START = {
    "runs": {"digits": l2_l4_at_start.BASE},
}


def _values_l3(data: dict) -> dict[str, np.ndarray]:
    """The effect of L3, one number a seed."""
    return {"order": trained.order(data)}


def _facts_l5(data: dict) -> dict[str, object]:
    """The numbers of the measurement, and what the choice of the rates cost."""
    net, lrs, means = data["nets"][0], data["lrs"], {}
    found = trained.tradeoff_facts(data)
    for norm in trained.PAIR:
        losses = [trainings.column(data, net, norm, lr, "loss").mean() for lr in lrs]
        means[norm] = min(losses)
        found[f"{norm}_lowest_lr"] = lrs[losses.index(min(losses))]
    return {**found, "lowest": means["layer"] / means["group_4"]}


L2 = Claim(
    id="L2",
    **LUBANA,
    sentence=(
        "At the start, the activations of different samples are the more alike the larger the "
        "groups are; layer norm, one group of all channels, is worst."
    ),
    falsifier=(
        "In the last layer the mean cosine of two samples is hardly larger with layer norm than "
        "with instance norm, or falls somewhere as the groups grow."
    ),
    prediction=(
        "It holds at every step of the group size. In trial runs the cosine rose from about 0.4 to "
        "about 0.8, with all seeds alike."
    ),
    gap=GAP + "; the verdict is taken at depth 20. Nothing is trained for this claim.",
    effects=(
        Effect(
            "ends",
            "mean cosine of two samples in the last layer, layer norm minus instance norm",
            "of cosine",
            0.2,
        ),
        Effect(
            "steps",
            "smallest change of this cosine when the group size doubles",
            "of cosine",
            0.0,
        ),
    ),
    measure=functools.partial(l2_l4_at_start.measure, part="cosine"),
    options=("depths", "norms"),
    values=l2_l4_at_start.similarity_values,
    facts=l2_l4_at_start.similarity_facts,
    **AT_START,
)

L3 = Claim(
    id="L3",
    **LUBANA,
    sentence="The more alike the activations are at the start, the slower is the training.",
    falsifier=(
        "Over the normalizers, the cosine at the start and the mean training loss at each one's "
        "best rate are not ordered alike (Kendall's τ)."
    ),
    prediction=(
        "It fails at this scale. In trial runs the larger groups trained faster, and instance "
        "norm, which keeps samples most apart, hardly trained: averaging over positions after it "
        "leaves no signal."
    ),
    gap=GAP + TRAINED.format(steps=trainings.STEPS) + " The verdict is taken at depth 10.",
    effects=(
        Effect(
            "order",
            "rank correlation of cosine at the start and mean training loss over the normalizers",
            "of τ",
            0.2,
        ),
    ),
    measure=trained.measure_order,
    options=("norms", "tuning", "base"),
    values=_values_l3,
    facts=trained.order_facts,
    repeat=lambda data, seeds: trained.measure_order(seeds, norms=data["norms"], tuning=data),
    runs={"digits": trainings.BASE},
)

L4 = Claim(
    id="L4",
    **LUBANA,
    sentence=(
        "The smaller the groups, the larger are the gradients in early layers; with instance norm "
        "they explode with depth."
    ),
    falsifier=(
        "At depth 20 the gradient of the first over that of the last layer is not three times "
        "larger with instance norm than with layer norm; or with instance norm this ratio does not "
        "double from depth 10 to depth 20."
    ),
    prediction=(
        "It holds. In trial runs the ratio was about a hundred times larger with instance norm "
        "than with layer norm at depth 20, and nearly level at depth 10."
    ),
    gap=GAP + "; the verdict is taken at depth 20. Nothing is trained for this claim.",
    effects=(
        Effect(
            "groups",
            "gradient of the first over that of the last layer at depth 20, instance norm over "
            "layer norm",
            "decades",
            0.5,
        ),
        Effect(
            "depth",
            "the same with instance norm, depth 20 over depth 10",
            "decades",
            math.log10(2),
        ),
    ),
    measure=functools.partial(l2_l4_at_start.measure, part="gradient"),
    options=("depths", "norms"),
    values=l2_l4_at_start.gradient_values,
    facts=l2_l4_at_start.gradient_facts,
    **AT_START,
)

L5 = Claim(
    id="L5",
    **LUBANA,
    sentence=(
        "So the group size of group norm trades speed, which small groups have, against stability, "
        "which large groups have."
    ),
    falsifier=(
        "At each one's best rate, groups of 4 channels do not train to a lower loss than one group "
        "of all; or the largest usable rate is not larger with one group of all."
    ),
    prediction=(
        "Stability may hold. Speed fails: in trial runs at one rate the larger groups trained "
        "faster."
    ),
    gap=GAP + TRAINED.format(steps=trainings.STEPS) + " The verdict is taken at depth 10.",
    effects=(
        Effect(
            "speed",
            "mean training loss at the best rate, layer norm over groups of 4",
            "decades",
            0.05,
        ),
        Effect(
            "stability",
            "largest usable learning rate, layer norm over groups of 4",
            "decades",
            math.log10(2),
        ),
    ),
    measure=trained.measure_tradeoff,
    options=("nets", "tuning", "base"),
    values=trained.tradeoff_values,
    facts=_facts_l5,
    repeat=lambda data, seeds: trained.measure_tradeoff(seeds, nets=data["nets"], tuning=data),
    runs={"digits": trainings.BASE},
)

L6 = Claim(
    id="L6",
    **LUBANA,
    sentence="No normalizer wins in every architecture.",
    falsifier=(
        "The normalizer with the best mean test accuracy over all nets is also within a point of "
        "the best one in each of them."
    ),
    prediction=(
        "It holds, since the depths favour different normalizers. With nets this small it is a "
        "weak test: differences of less than 1.5 points are noise."
    ),
    gap=(
        GAP
        + TRAINED.format(steps=l6_architectures.STEPS)
        + " The nets are two plain ones and two residual ones of 5 blocks, one of these with "
        "SkipInit. We know this claim at second hand."
    ),
    effects=(
        Effect(
            "behind",
            "test accuracy that the best normalizer overall lacks in its worst net, against the "
            "best one there (chosen on other seeds)",
            "",
            0.01,
        ),
    ),
    measure=l6_architectures.measure,
    options=("nets", "norms", "tuning", "base"),
    values=l6_architectures.values,
    facts=l6_architectures.facts,
    repeat=lambda data, seeds: l6_architectures.measure(
        seeds, nets=data["nets"], norms=data["norms"], tuning=data
    ),
    runs={"digits": l6_architectures.SHORT},
)

CLAIMS = (L2, L3, L4, L5, L6)
