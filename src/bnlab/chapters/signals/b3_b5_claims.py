"""B3 and B5 of Bjorck 2018: does the signal explode, and do the parts of a gradient cancel?

The sentences, margins and predictions were written before the seeds that count were run.
"""

from __future__ import annotations

import math

from bnlab.chapters.signals import b3_growth, b5_cancellation
from bnlab.chapters.signals.papers import AT_START, BJORCK, DAY, GAP, MISFIT, TWICE
from bnlab.verdicts.verdict import Change, Claim, Effect

LEVEL = {"unit": "decades", "margin": TWICE, "kind": "same"}

B3 = Claim(
    id="B3",
    **BJORCK,
    sentence=(
        "At the start, means and standard deviations of the channels grow with depth roughly "
        "exponentially without a normalizer, and stay level with BatchNorm."
    ),
    falsifier=(
        "Without a normalizer a power of the depth fits the standard deviations about as well as "
        "an exponential: it misses less than twice as much. Or they grow less than ten times from "
        "first to last block. Or with BatchNorm, at some place of a block, they become more than "
        "twice or less than half as large."
    ),
    prediction=(
        "Known from trials with seeds 0 to 15: without a normalizer a power law misses ten times "
        "as much inside of the branches, and twenty times as much at the outputs of the blocks, "
        "where both grow more than eighty times. BatchNorm keeps the standard deviation level "
        "after the second convolution of a branch, and of course behind itself; after the first "
        "convolution it grows about three times, and at the outputs of the blocks 2.3 times, since "
        "there the branches add up."
    ),
    gap=(
        GAP + " We have not read the paper's text, only a summary that shows its figure, and do "
        "not know whether its layers are taken before or after the normalizer. So we look at all "
        "places: after each convolution of a branch, behind its normalizer, and where the branches "
        "add up."
    ),
    effects=(
        Effect(
            "law_inside",
            f"{MISFIT}, after the convolutions of the branches, no normalizer",
            "decades",
            TWICE,
            says="after the convolutions of the branches the growth is exponential rather than a "
            "power of the depth, without a normalizer",
            predicted=(0.7, 1.4),
        ),
        Effect(
            "law_blocks",
            f"{MISFIT}, at the outputs of the blocks, no normalizer",
            "decades",
            TWICE,
            says="at the outputs of the blocks the growth is exponential rather than a power of "
            "the depth, without a normalizer",
            predicted=(1.0, 1.7),
        ),
        Effect(
            "std",
            "growth of the standard deviation from first to last block, no normalizer",
            "decades",
            1.0,
            says="without a normalizer the standard deviation grows",
            predicted=(1.9, 2.7),
        ),
        Effect(
            "mean",
            "growth of the mean from first to last block, no normalizer",
            "decades",
            1.0,
            says="without a normalizer the mean grows",
            predicted=(2.0, 2.8),
        ),
        Effect(
            "level_blocks",
            "growth of the standard deviation from first to last block, BatchNorm, at the outputs "
            "of the blocks",
            **LEVEL,
            says="with BatchNorm the standard deviation stays level at the outputs of the blocks",
            predicted=(0.33, 0.39),
        ),
        Effect(
            "level_first",
            "the same after the first convolution of a branch, which reads the sum",
            **LEVEL,
            says="with BatchNorm it stays level after the first convolution of a branch",
            predicted=(0.4, 0.55),
        ),
        Effect(
            "level_second",
            "the same after the second convolution of a branch, which reads normalized signals",
            **LEVEL,
            says="with BatchNorm it stays level after the second convolution of a branch",
            predicted=(-0.1, 0.05),
        ),
        Effect(
            "level_normalized",
            "the same right behind a BatchNorm, without its sign",
            "decades",
            0.001,
            kind="identity",
            says="behind a BatchNorm it is 1",
            predicted=(0.0, 0.001),
        ),
    ),
    core=("law_inside", "law_blocks"),
    setting="where one looks",
    changes=(
        Change(
            DAY,
            "Measured inside of the branches too, not at the outputs of the blocks alone. Two laws "
            "of growth now differ only if one misses twice as much as the other; before, any "
            "difference in R² counted. Level means neither twice nor half as large.",
            "The first edition judged the word level by the outputs of the blocks, and called the "
            "whole claim reversed for it, though the summaries of the paper speak of layers.",
        ),
    ),
    answer=(
        "If the paper's curves are taken behind the normalizers, they are level by construction; "
        "and a growth of two or three times is little beside the hundreds of times without a "
        "normalizer. To take all these places in a ResNet-110 on CIFAR-10, and the layers of the "
        "paper's figure among them, would settle which of the two the authors meant."
    ),
    measure=b3_growth.measure,
    values=b3_growth.values,
    facts=b3_growth.facts,
    **AT_START,
)


B5 = Claim(
    id="B5",
    **BJORCK,
    sentence=(
        "Without a normalizer the contributions of samples and positions to a kernel's gradient "
        "share their sign, and most of the gradient does not depend on the image; with BatchNorm "
        "they cancel."
    ),
    falsifier=(
        "Without a normalizer the sum of the absolute contributions is more than four times the "
        "absolute value of their sum; or with BatchNorm this ratio is less than three times as "
        "large as without. Or without a normalizer half of an image's gradient or less is common "
        "to the images of its class; or with BatchNorm nearly as much is."
    ),
    prediction=(
        "Known from the first edition and from trials with seeds 0 to 15: the ratio is about 2.6 "
        "without a normalizer, and twelve times as large with BatchNorm. Without a normalizer "
        "about 80 % of an image's gradient depend on its label alone; half of it is common to all "
        "images. With BatchNorm it is less than a tenth."
    ),
    gap=(
        GAP + " We have not read the paper's text. That it takes the equal signs as a gradient "
        "that hardly depends on the data is from memory; a summary says that the gradients of a "
        "batch point the same way and add up. An image's gradient is the sum over its positions. "
        "What the images of a class have in common does not depend on the image, but does on its "
        "label."
    ),
    effects=(
        Effect(
            "plain",
            "sum of absolute contributions over absolute sum, no normalizer, median over the "
            "convolutions",
            "decades",
            math.log10(4),
            kind="same",
            upper=True,
            says="without a normalizer the contributions share their sign",
            predicted=(0.3, 0.5),
        ),
        Effect(
            "cancel",
            "the same ratio, BatchNorm over no normalizer",
            "decades",
            0.5,
            says="with BatchNorm they cancel much more than without",
            predicted=(1.0, 1.2),
        ),
        Effect(
            "image",
            "share of an image's gradient (of its mean square) that all images of its class have "
            "in common, no normalizer, median over the convolutions",
            "of the gradient",
            0.5,
            says="without a normalizer most of the gradient does not depend on the image",
            predicted=(0.75, 0.88),
        ),
        Effect(
            "less",
            "the same share, no normalizer minus BatchNorm",
            "of the gradient",
            0.2,
            says="with BatchNorm less of the gradient is independent of the image",
            predicted=(0.65, 0.82),
        ),
    ),
    core=("cancel",),
    changes=(
        Change(
            DAY,
            "Two parts on the share of the gradient that does not depend on the image are new. "
            "The two on signs are measured as before, on new seeds.",
            "The first edition read equal signs as a sign that everything is too large. Equal "
            "signs say instead that the parts agree, whatever the image, and that can be measured.",
        ),
    ),
    answer=(
        "A reader may count the label to the data: then about half of the gradient is independent "
        "of them, and with BatchNorm nothing. And our images are digits, which look alike to a net "
        "at its start. The same shares in a ResNet-110 on CIFAR-10 would test the reading where it "
        "was made."
    ),
    measure=b5_cancellation.measure,
    values=b5_cancellation.values,
    facts=b5_cancellation.facts,
    **AT_START,
)
