"""Claims about nets at their start: B3 to B6 and B8 of Bjorck 2018, L1 of Lubana 2021.

The sentences, margins and predictions were written before measuring.
"""

from __future__ import annotations

import functools
import math

from bnlab.chapters.signals import b3_to_b6_l1_at_start as at_start
from bnlab.chapters.signals import b3_to_b6_l1_values as effects
from bnlab.chapters.signals import b8_matrix_products
from bnlab.chapters.signals.b3_to_b6_l1_at_start import BASE
from bnlab.verdicts.verdict import Claim, Effect

CHAPTER = {"chapter": "02_signals"}
BJORCK = {"paper": "bjorck2018", "authors": "Bjorck et al. 2018", **CHAPTER}
LUBANA = {"paper": "lubana2021", "authors": "Lubana et al. 2021", **CHAPTER}
AT_START = {
    "runs": {"digits": BASE},
}
GAP = (
    "The paper looks at a ResNet-110 on CIFAR-10. We look at 18 residual blocks of 16 and 32 "
    "channels, with He's initial weights, on 128 digits."
)
LINEAR = math.log10(BASE.depth)  # growth in proportion to the number of blocks


B3 = Claim(
    id="B3",
    **BJORCK,
    sentence=(
        "At the start, means and standard deviations of the channels grow with depth roughly "
        "exponentially without a normalizer, and stay level with BatchNorm."
    ),
    falsifier=(
        "Without a normalizer they grow by less than a decade from first to last block, or a power "
        "law fits better than an exponential; or with BatchNorm they more than double too."
    ),
    prediction=(
        "Without a normalizer both grow by more than two decades, exponentially. With BatchNorm "
        "they do not stay level: the blocks add up, and the standard deviation about triples."
    ),
    gap=GAP + " We look at the outputs of the blocks, where the branches add up.",
    effects=(
        Effect(
            "std",
            "growth of the standard deviation from first to last block, no normalizer",
            "decades",
            1.0,
        ),
        Effect("mean", "growth of the mean, no normalizer", "decades", 1.0),
        Effect(
            "law",
            "R² of an exponential minus R² of a power law, standard deviation, no normalizer",
            "of R²",
            0.0,
        ),
        Effect(
            "level",
            "growth of the standard deviation from first to last block, BatchNorm",
            "decades",
            math.log10(2),
            kind="same",
            upper=True,
        ),
    ),
    measure=functools.partial(at_start.measure_growth, nets=at_start.PAIR),
    values=effects.b3_values,
    facts=effects.b3_facts,
    **AT_START,
)


B4 = Claim(
    id="B4",
    **BJORCK,
    sentence=(
        "At the start, gradients without a normalizer have heavy tails and are about a hundred "
        "times larger."
    ),
    falsifier=(
        "The gradients of the convolutions are less than ten times larger than with BatchNorm; or "
        "their tails are no heavier: the 99.9 % quantile of their size over its median."
    ),
    prediction=(
        "The gradients are more than a thousand times larger, since the net starts at a loss that "
        "is far too high. The tails are a little heavier, by less than a factor of two."
    ),
    gap=GAP,
    effects=(
        Effect(
            "size",
            "size (rms) of the weight gradients of a convolution, no normalizer over BatchNorm, "
            "median over the convolutions",
            "decades",
            1.0,
        ),
        Effect(
            "tail",
            "99.9 % quantile over median of |gradient|, no normalizer over BatchNorm, median over "
            "the convolutions",
            "decades",
            0.1,
        ),
    ),
    measure=at_start.measure_gradient_sizes,
    values=effects.b4_values,
    facts=effects.b4_facts,
    **AT_START,
)


B5 = Claim(
    id="B5",
    **BJORCK,
    sentence=(
        "Without a normalizer the contributions of samples and positions to a kernel's gradient "
        "share their sign; with BatchNorm they cancel."
    ),
    falsifier=(
        "Without a normalizer the sum of the absolute contributions is more than four times the "
        "absolute value of their sum; or with BatchNorm this ratio is less than three times as "
        "large as without."
    ),
    prediction=(
        "The ratio is about two without a normalizer and falls with depth; with BatchNorm it is "
        "above twenty everywhere."
    ),
    gap=GAP,
    effects=(
        Effect(
            "plain",
            "sum of absolute contributions over absolute sum, no normalizer, median over the "
            "convolutions",
            "decades",
            math.log10(4),
            kind="same",
            upper=True,
        ),
        Effect("cancel", "the same ratio, BatchNorm over no normalizer", "decades", 0.5),
    ),
    measure=at_start.measure_sums,
    values=effects.b5_values,
    facts=effects.b5_facts,
    **AT_START,
)


B6 = Claim(
    id="B6",
    **BJORCK,
    sentence=(
        "At the start, the net without a normalizer predicts one class for nearly all inputs; the "
        "net with BatchNorm does not."
    ),
    falsifier=(
        "Without a normalizer less than 90 % of the images get the most frequent class; or with "
        "BatchNorm nearly as many do."
    ),
    prediction=(
        "Nearly all images get one class without a normalizer. With BatchNorm most do too: the "
        "features are averaged over the positions and hardly differ between digits."
    ),
    gap=GAP + " For this claim 512 digits, in training mode.",
    effects=(
        Effect(
            "plain", "share of the images that get the most frequent class, no normalizer", "", 0.9
        ),
        Effect(
            "less",
            "share of the images that get the most frequent class, no normalizer minus BatchNorm",
            "",
            0.2,
        ),
    ),
    measure=at_start.measure_classes,
    values=effects.b6_values,
    facts=effects.b6_facts,
    **AT_START,
)

B8 = Claim(
    id="B8",
    **BJORCK,
    sentence=(
        "Products of random matrices become ill-conditioned with depth; BatchNorm between them "
        "resets the scale."
    ),
    falsifier=(
        "The condition number of a product of five is less than ten times that of one; or doubling "
        "all matrices of a chain changes the size of its output as much with BatchNorm as without."
    ),
    prediction=(
        "Both hold. The largest singular values follow the theory of free products, and BatchNorm "
        "keeps the scale exactly."
    ),
    gap=(
        "As the paper: square matrices, entries N(0, 1/N), one, three and five of them; N = 256 "
        "here. The chains of 20 matrices with BatchNorm, on 512 Gaussian samples, are ours."
    ),
    effects=(
        Effect("condition", "condition number, five matrices over one", "decades", 1.0),
        Effect(
            "scale",
            "growth of the output when five matrices are doubled, plain over BatchNorm",
            "decades",
            1.0,
        ),
    ),
    measure=b8_matrix_products.measure,
    values=b8_matrix_products.values,
    facts=b8_matrix_products.facts,
    runs={"digits": b8_matrix_products.BASE},
)


L1 = Claim(
    id="L1",
    **LUBANA,
    sentence=(
        "In residual nets with normalizers of activations the variance grows about linearly with "
        "depth; with normalizers of weights it grows exponentially, unless SkipInit remedies it."
    ),
    falsifier=(
        "With one of batch, layer, group or instance norm the variance of the last block is more "
        "than 18 times that of the first, which is growth in proportion to the depth; or with "
        "weight norm or scaled weight standardization it is not a hundred times as large, or a "
        "power law fits better; or with SkipInit it is more than 18 times as large too."
    ),
    prediction=(
        "All parts hold: a factor near 10 with normalizers of activations, of more than 10,000 "
        "with those of weights. With SkipInit there is no growth, since its branches start at 0."
    ),
    gap=(
        "The paper looks at a ResNet-56 on CIFAR-100. We look at 18 residual blocks of 16 and 32 "
        "channels on 128 digits; groups of 8 channels."
    ),
    effects=(
        Effect(
            "activations",
            "growth of the variance from first to last block, the largest of batch, layer, group "
            "and instance norm",
            "decades",
            LINEAR,
            kind="same",
            upper=True,
        ),
        Effect(
            "parametric",
            "the same, the smaller one of weight norm and scaled weight standardization",
            "decades",
            2.0,
        ),
        Effect(
            "law",
            "R² of an exponential minus R² of a power law, the smaller one of these two",
            "of R²",
            0.0,
        ),
        Effect(
            "remedied",
            "growth of the variance, scaled weight standardization with SkipInit",
            "decades",
            LINEAR,
            kind="same",
            upper=True,
        ),
    ),
    measure=at_start.measure_growth,
    options=("nets",),
    values=effects.l1_values,
    facts=effects.l1_facts,
    **AT_START,
)

CLAIMS = (B3, B4, B5, B6, B8, L1)
