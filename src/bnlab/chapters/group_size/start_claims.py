"""What Lubana et al. 2021 claim of untrained nets, L2 and L4; see ``claims``."""

from __future__ import annotations

import functools
import math

from bnlab.chapters.group_size import l2_l4_at_start
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
AT_START = {
    "runs": {"digits": l2_l4_at_start.BASE},
}

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
            says="samples are more alike with layer norm than with instance norm",
            predicted=(0.2, math.inf),
        ),
        Effect(
            "steps",
            "smallest change of this cosine when the group size doubles",
            "of cosine",
            0.0,
            says="each doubling of the group makes them more alike",
            predicted=(0.0, math.inf),
        ),
    ),
    measure=functools.partial(l2_l4_at_start.measure, part="cosine"),
    options=("depths", "norms"),
    values=l2_l4_at_start.similarity_values,
    facts=l2_l4_at_start.similarity_facts,
    **AT_START,
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
            says="gradients in early layers are larger with instance norm than with layer norm",
            predicted=(0.5, math.inf),
        ),
        Effect(
            "depth",
            "the same with instance norm, depth 20 over depth 10",
            "decades",
            math.log10(2),
            says="with instance norm they grow with depth",
            predicted=(math.log10(2), math.inf),
        ),
    ),
    measure=functools.partial(l2_l4_at_start.measure, part="gradient"),
    options=("depths", "norms"),
    values=l2_l4_at_start.gradient_values,
    facts=l2_l4_at_start.gradient_facts,
    **AT_START,
)
