"""What Lubana et al. 2021 claim of trained nets, L3, L5 and L6; see ``claims``."""

from __future__ import annotations

import math

from bnlab.chapters.group_size import l3_order, l5_tradeoff, l6_architectures, trainings
from bnlab.chapters.group_size.start_claims import GAP, LUBANA
from bnlab.verdicts.verdict import Change, Claim, Effect

TRAINED = ", for {steps} steps of SGD with batches of 32."
DAY = "2026-11-29"

L3 = Claim(
    id="L3",
    **LUBANA,
    sentence="The more alike the activations are at the start, the slower is the training.",
    falsifier=(
        "Normalizers that leave samples more alike do not have the larger training loss, each at "
        "its best rate: over the normalizers, or within group norm, Kendall's τ is 0.2 or less."
    ),
    prediction=(
        "It holds, by τ = 0.5 to 0.9 over the normalizers and 0.6 to 1 within group norm. We know "
        "trials of one seed at each rate, in which τ was about 0.7 and 1, and the first edition, "
        "with 0.33 over nine normalizers: it lacked EvoNorm and those of weights, and chose some "
        "rates too small. Instance norm will be the exception: unlike, and yet not fast."
    ),
    gap=GAP
    + TRAINED.format(steps=trainings.STEPS)
    + " The verdict is taken at depth 10. The normalizers are the paper's ten, group norm with "
    "groups of 2, 4 and 8; weight normalization without the paper's scaled ReLU.",
    effects=(
        Effect(
            "order",
            "rank correlation of cosine at the start and mean training loss, over 12 normalizers; "
            "the interval is over the normalizers",
            "of τ",
            0.2,
            says="over normalizers, more alike goes together with slower",
            predicted=(0.5, 0.9),
        ),
        Effect(
            "groups",
            "the same within group norm, from groups of 2 to layer norm; the interval is over "
            "the seeds",
            "of τ",
            0.2,
            says="within group norm, more alike goes together with slower",
            predicted=(0.6, 1.0),
        ),
    ),
    changes=(
        Change(
            DAY,
            "The interval of the first part is over normalizers, no longer over seeds. Twelve "
            "normalizers in place of nine, without groups of 16; the best rate is that of the "
            "lowest mean loss, of a finer grid; 300 steps in place of 150; the second part is new.",
            "The sentence is about normalizers, so that more seeds of the same ones say nothing; "
            "groups of 16 are layer norm in half of the net; the old grid had two rates a decade, "
            "and chose by accuracy where losses are compared.",
        ),
    ),
    answer=(
        "That the two go together does not say that one makes the other: a test would make "
        "samples alike, or unlike, and leave the normalizer as it is. Twelve normalizers, some of "
        "them of one family, are few, and the nets are small."
    ),
    measure=l3_order.measure,
    options=("norms", "tuning", "base"),
    values=l3_order.values,
    facts=l3_order.facts,
    repeat=lambda data, seeds: l3_order.measure(seeds, norms=data["norms"], tuning=data),
    runs={"digits": trainings.BASE},
)

L5 = Claim(
    id="L5",
    **LUBANA,
    sentence=(
        "So the group size of group norm trades speed, which small groups have, against stability, "
        "which large groups have."
    ),
    falsifier=(
        "The largest usable rate is not twice as large with one group of all channels as with "
        "groups of 2 (or of 4); or, at each one's best rate, small groups do not train to a lower "
        "loss."
    ),
    prediction=(
        "Stability, which is the core, fails: small groups bear the larger rates, about twice as "
        "large with groups of 2 and as large or twice with groups of 4. Speed holds for both: the "
        "loss is 1.3 to 1.6 times with layer norm that of groups of 2, and 1.15 to 1.4 times that "
        "of groups of 4. We know trials of one seed, and the first edition, which had groups of 4 "
        "and half as many steps."
    ),
    gap=GAP
    + TRAINED.format(steps=trainings.STEPS)
    + " The verdict is taken at depth 10. The paper's word for what instance norm lacks is "
    "stability; we take the largest rate at which a net learns about as well as at its best.",
    effects=(
        Effect(
            "stability",
            "largest usable learning rate, layer norm over groups of 2",
            "decades",
            math.log10(2),
            says="one large group bears larger rates than groups of 2",
            predicted=(-0.6, -0.1),
        ),
        Effect(
            "speed",
            "mean training loss at the best rate, layer norm over groups of 2",
            "decades",
            0.05,
            says="groups of 2 train faster than one large group",
            predicted=(math.log10(1.3), math.log10(1.6)),
        ),
        Effect(
            "stability_4",
            "largest usable learning rate, layer norm over groups of 4",
            "decades",
            math.log10(2),
            says="one large group bears larger rates than groups of 4",
            predicted=(-0.3, 0.0),
        ),
        Effect(
            "speed_4",
            "mean training loss at the best rate, layer norm over groups of 4",
            "decades",
            0.05,
            says="groups of 4 train faster than one large group",
            predicted=(math.log10(1.15), math.log10(1.4)),
        ),
    ),
    changes=(
        Change(
            DAY,
            "Groups of 2 beside groups of 4; rates by factors of two; 300 steps in place of 150; "
            "the best rate is that of the lowest mean loss, no longer of the best validation "
            "accuracy.",
            "With a grid of half decades the choice of a rate decided whether speed was above its "
            "margin, and groups of 2 are where the paper's small groups end.",
        ),
    ),
    answer=(
        "In the MLPs of the chapter large groups do bear larger rates. And stability means more "
        "than the largest rate of a short training: the paper speaks of "
        "instance norm in long trainings with momentum, where gradients that grow towards the "
        "input can make a net fail. Trainings of many epochs at depth 20, with momentum and "
        "warm-up, would meet this."
    ),
    measure=l5_tradeoff.measure,
    options=("nets", "tuning", "base"),
    values=l5_tradeoff.values,
    facts=l5_tradeoff.facts,
    repeat=lambda data, seeds: l5_tradeoff.measure(seeds, nets=data["nets"], tuning=data),
    runs={"digits": trainings.BASE},
)

L6 = Claim(
    id="L6",
    **LUBANA,
    sentence="No normalizer wins in every architecture.",
    falsifier=(
        "The normalizer with the best mean accuracy over all nets is also within a point of "
        "the best one in each of them."
    ),
    prediction=(
        "At the end of training it is not shown, or the seeds do not decide: BatchNorm is the best "
        "overall or within half a point of it, and lacks less than one point in its worst net. In "
        "trials of one seed nearly all nets came to 97 to 99 %."
    ),
    gap=(
        GAP
        + TRAINED.format(steps=l6_architectures.STEPS)
        + " The nets are these two and a residual one of 5 blocks. We know this claim at second "
        "hand."
    ),
    effects=(
        Effect(
            "behind",
            "test accuracy that the best normalizer overall lacks in its worst net, against the "
            "best one there (both chosen on other seeds)",
            "",
            0.01,
            says="the best normalizer overall is beaten in some net",
            predicted=(-0.005, 0.01),
        ),
    ),
    changes=(
        Change(
            DAY,
            "600 steps in place of 100; the net with SkipInit is left out; rates by factors of "
            "two, as far as the best one is no edge; what chooses is the mean of the validation "
            "accuracies in the last third.",
            "After 100 steps most nets had only begun to learn, so that accuracy was speed.",
        ),
    ),
    answer=(
        "That digits of 8 × 8 are too easy: where nearly every normalizer reaches "
        "the same accuracy, none can win and none can lose. Harder data, where the best ones "
        "differ by points, and smaller batches would meet this."
    ),
    measure=l6_architectures.measure,
    options=("nets", "norms", "tuning", "base"),
    values=l6_architectures.values,
    facts=l6_architectures.facts,
    repeat=lambda data, seeds: l6_architectures.measure(
        seeds, nets=data["nets"], norms=data["norms"], tuning=data
    ),
    runs={"digits": l6_architectures.LONG},
)
