"""L1 of Lubana 2021: linear or exponential?

The sentence, margins and prediction were written before the seeds that count were run.
"""

from __future__ import annotations

import functools
import math

from bnlab.chapters.signals import b3_growth
from bnlab.chapters.signals import b3_to_b6_l1_at_start as at_start
from bnlab.chapters.signals import b3_to_b6_l1_values as effects
from bnlab.chapters.signals.papers import AT_START, DAY, LUBANA, MISFIT, TWICE
from bnlab.verdicts.verdict import Change, Claim, Effect

LINEAR = math.log10(at_start.BASE.depth)  # growth in proportion to the number of blocks
NAMES = {"batch": "BatchNorm", "layer": "layer norm", "group": "group norm"}
NAMES["instance"] = "instance norm"
EXPECTED = {"batch": (0.97, 1.1), "layer": (0.88, 1.1), "group": (0.9, 1.1)}
EXPECTED["instance"] = (0.97, 1.1)

L1 = Claim(
    id="L1",
    **LUBANA,
    sentence=(
        "In residual nets with normalizers of activations the variance grows about linearly with "
        "depth; with normalizers of weights it grows exponentially, unless SkipInit remedies it."
    ),
    falsifier=(
        "With one of batch, layer, group or instance norm the variance grows like a power of the "
        "number of summed parts whose exponent is below 0.75 or above 1.25; a root has 0.5, no "
        "growth 0. Or with weight norm or scaled weight standardization the last block's variance "
        "is not a hundred times the first's, or a power law misses less than twice as much as an "
        "exponential. Or with SkipInit it is more than 18 times as large."
    ),
    prediction=(
        "Known from the first edition and from trials with seeds 0 to 15: all parts hold. The "
        "exponents lie within a tenth of 1; the smaller growth is that of weight norm, about a "
        "thousand times, and a power law misses more than five times as much. With SkipInit there "
        "is no growth, since its branches start at 0."
    ),
    gap=(
        "The paper looks at a ResNet-56 on CIFAR-100. We look at 18 residual blocks of 16 and 32 "
        "channels on 128 digits; groups of 8 channels. Weight norm is that of the paper's code: "
        "gains of 1, and each ReLU corrected for its mean and size. We have read the paper's code "
        "and abstract, not its text."
    ),
    effects=(
        *(
            Effect(
                norm,
                "exponent of the variance as a power of the number of parts that the sum holds, "
                f"{NAMES[norm]}, mean of the two stages",
                "of exponent",
                0.25,
                kind="about",
                target=1.0,
                says=f"with {NAMES[norm]} the variance grows about linearly",
                predicted=EXPECTED[norm],
            )
            for norm in at_start.POOLING
        ),
        Effect(
            "parametric",
            "growth of the variance from first to last block, the smaller one of weight norm and "
            "scaled weight standardization",
            "decades",
            2.0,
            says="with normalizers of weights the variance grows a hundred times or more",
            predicted=(2.5, 3.5),
        ),
        Effect(
            "law",
            f"{MISFIT}, the smaller one of these two",
            "decades",
            TWICE,
            says="with normalizers of weights it grows exponentially rather than as a power of the "
            "depth",
            predicted=(0.7, 1.6),
        ),
        Effect(
            "remedied",
            "growth of the variance, scaled weight standardization with SkipInit",
            "decades",
            LINEAR,
            kind="same",
            upper=True,
            says="with SkipInit it grows no more than linearly",
            predicted=(-0.1, 0.1),
        ),
    ),
    core=at_start.POOLING,
    setting="the normalizer",
    changes=(
        Change(
            DAY,
            "Linear is tested on both sides, by the exponent of the growth, for each normalizer by "
            "itself. Two laws of growth now differ only if one misses twice as much as the other.",
            "Before, any growth of at most 18 times counted as linear, no growth and that of a "
            "root among them; and any difference in R² made a growth exponential.",
        ),
    ),
    answer=(
        "Eighteen blocks with two stages are few: in each stage a straight line is fitted to nine "
        "variances. A ResNet-56 with three stages of nine blocks, on images of 32 x 32 pixels, "
        "would test the law where the paper states it."
    ),
    measure=functools.partial(at_start.measure_growth, seeds=b3_growth.SEEDS),
    options=("nets",),
    values=effects.l1_values,
    facts=effects.l1_facts,
    **AT_START,
)
