"""Claims about nets at their start: B3 to B6 and B8 of Bjorck 2018, L1 of Lubana 2021.

The sentences, margins and predictions were written before the seeds that count were run.
"""

from __future__ import annotations

import math

from bnlab.chapters.signals import b3_to_b6_l1_at_start as at_start
from bnlab.chapters.signals import b3_to_b6_l1_values as effects
from bnlab.chapters.signals import b8_matrix_products
from bnlab.chapters.signals.b3_b5_claims import B3, B5
from bnlab.chapters.signals.l1_claim import L1
from bnlab.chapters.signals.papers import AT_START, BJORCK, DAY, GAP, TWICE
from bnlab.verdicts.verdict import Change, Claim, Effect

B4 = Claim(
    id="B4",
    **BJORCK,
    sentence=(
        "At the start, gradients without a normalizer have heavy tails and are about a hundred "
        "times larger."
    ),
    falsifier=(
        "The gradients of the convolutions are less than ten times larger than with BatchNorm. Or "
        "they are less than 32 or more than 316 times larger, half a power of ten from a hundred. "
        "Or their tails, the 99.9 % quantile of their size over its median, are no heavier."
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
            says="without a normalizer the gradients are much larger",
            predicted=(3.0, math.inf),
        ),
        Effect(
            "hundred",
            "the same size",
            "decades",
            0.5,
            kind="about",
            target=2.0,
            says="they are about a hundred times larger",
            predicted=(3.0, math.inf),
        ),
        Effect(
            "tail",
            "99.9 % quantile over median of |gradient|, no normalizer over BatchNorm, median over "
            "the convolutions",
            "decades",
            0.1,
            says="their tails are heavier",
            predicted=(0.0, TWICE),
        ),
    ),
    changes=(
        Change(
            DAY,
            "The part that they are about a hundred times larger is new; it is judged on the rows "
            "of the first edition. The other two parts are as they were.",
            "The claim names a number, and was tested from one side only: a thousand times counted "
            "as about a hundred.",
        ),
    ),
    answer=(
        "The hundred is read off a figure of one layer of a ResNet-110. Ours is the median over "
        "all convolutions of a net of another depth and with other initial weights, on which the "
        "size of the gradients depends. The same measurement in a net of the paper's depth and "
        "initial weights would test the number."
    ),
    measure=at_start.measure_gradient_sizes,
    values=effects.b4_values,
    facts=effects.b4_facts,
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
            "plain",
            "share of the images that get the most frequent class, no normalizer",
            "of the images",
            0.9,
            says="without a normalizer nearly all inputs get one class",
            predicted=(0.9, 1.0),
        ),
        Effect(
            "less",
            "share of the images that get the most frequent class, no normalizer minus BatchNorm",
            "of the images",
            0.2,
            says="with BatchNorm fewer do",
            predicted=(-math.inf, 0.5),
        ),
    ),
    answer=(
        "The paper shows the gradients at the outputs, not the most frequent class: with BatchNorm "
        "they differ from image to image, since the net is not sure of any class. Our digits, "
        "whose features are averaged over the positions, hardly differ at the start. That heat "
        "map, on CIFAR-10, would test what the paper shows."
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
        Effect(
            "condition",
            "condition number, five matrices over one",
            "decades",
            1.0,
            says="products of random matrices become ill-conditioned with depth",
            predicted=(1.0, math.inf),
        ),
        Effect(
            "scale",
            "growth of the output when five matrices are doubled, without a normalizer over "
            "BatchNorm",
            "decades",
            1.0,
            says="BatchNorm between them resets the scale",
            predicted=(1.0, math.inf),
        ),
    ),
    changes=(
        Change(
            "2026-11-21",
            "The spread of the singular values in the chains was a part, and is a mere fact now.",
            "After a pilot with two other seeds: the paper claims only that the scale is reset.",
        ),
    ),
    measure=b8_matrix_products.measure,
    values=b8_matrix_products.values,
    facts=b8_matrix_products.facts,
    runs={"digits": b8_matrix_products.BASE},
)

CLAIMS = (B3, B4, B5, B6, B8, L1)
