"""Chen et al. 2021, *"BNN − BN = ?"*: binary nets without BatchNorm.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds, some of them other settings; they are not counted.
"""

from __future__ import annotations

from bnlab.chapters.binary_nets import bnn1_three_parts, bnn2_drop, bnn3_collapse
from bnlab.verdicts.verdict import Claim, Effect

CHEN = {
    "paper": "chen2021bnn",
    "authors": "Chen, Zhang et al. 2021",
    "chapter": "11_binary_nets",
}
PAPER = (
    "The paper trains ReActNets with Adam in two stages (real weights first), with a teacher, for "
    "256 epochs a stage on ImageNet, and a ReActNet-18 on CIFAR. "
)
HERE = (
    "We train eight of its blocks, of 16 and 32 channels, on 1,197 digits, without a teacher, "
    "with Adam and a rate that falls to 0, for {steps} steps at rates tuned for each net"
)
ONE_STAGE = PAPER + HERE.format(steps=bnn1_three_parts.BASE.steps) + ", in one stage."

BNN1 = Claim(
    id="BNN1",
    **CHEN,
    sentence=(
        "BatchNorm can be removed from training and inference of binary nets, with adaptive "
        "gradient clipping, scaled weight standardization and a modified block in its place."
    ),
    falsifier=(
        "Without BatchNorm but with the three parts, test accuracy is more than two points below "
        "that of BatchNorm; or without any of them it is as high, so that they are not needed."
    ),
    prediction=(
        "Trials with one or two seeds, each net at its best rate. In the paper's block: BatchNorm "
        "96 to 97 %, the three parts 95 %, nothing in its place 92 to 95 %. So the core will hold "
        "or stay undecided, and in this block, whose filters have a scale each, mean |w|, next to "
        "nothing is needed. With filters of signs alone nothing in its place reached 70 %: there "
        "standardized filters repair all, as any scale does, the modified block most, and clipping "
        "nothing."
    ),
    gap=ONE_STAGE,
    effects=(
        Effect(
            "accuracy",
            "test accuracy in the paper's block, BatchNorm minus the three parts",
            "",
            0.02,
            kind="same",
            upper=True,
            says="with the three parts it is as accurate as with BatchNorm",
            predicted=(0.0, 0.02),
        ),
        Effect(
            "needed",
            "test accuracy in the paper's block, the three parts minus nothing in its place",
            "",
            0.02,
            says="in the paper's block something must stand in for BatchNorm",
            predicted=(-0.01, 0.03),
        ),
        Effect(
            "clip_added",
            "the same, the three parts minus two of them, without clipping",
            "",
            0.02,
            says="there clipping adds to the other two",
            predicted=(-0.01, 0.01),
        ),
        Effect(
            "needed_signs",
            "test accuracy, the three parts minus nothing, with filters of signs alone",
            "",
            0.05,
            says="in a net whose filters are signs alone something must stand in for it",
            predicted=(0.15, 0.4),
        ),
        Effect(
            "filters",
            "the same, standardized filters minus nothing",
            "",
            0.05,
            says="there standardized filters alone help",
            predicted=(0.15, 0.4),
        ),
        Effect(
            "block",
            "the same, the modified block minus nothing",
            "",
            0.05,
            says="there the modified block alone helps",
            predicted=(0.1, 0.35),
        ),
        Effect(
            "clip",
            "the same, clipping minus nothing",
            "",
            0.05,
            says="there clipping alone helps",
            predicted=(-0.15, 0.03),
        ),
    ),
    core=("accuracy",),
    answer=(
        "Our training is short, and the modified block makes its branches a fifth as large, which "
        "may slow it at first: after twice as many steps the same comparison comes out within two "
        "points, in two stages as in the paper (BNN2), and in trials with two seeds in one stage "
        "too. With SGD at a large rate a trial was as good as BatchNorm. The parts were made for "
        "nets that are hard to train, on ImageNet, for hundreds of epochs; in eight blocks with "
        "shortcuts and a scale little can go wrong. Clipping is said to allow large rates and "
        "batches; ours are small. CIFAR-100 with the paper's ReActNet-18, with each part left out, "
        "would tell."
    ),
    measure=bnn1_three_parts.measure,
    options=("tuning", "base"),
    values=bnn1_three_parts.values,
    facts=bnn1_three_parts.facts,
    repeat=bnn1_three_parts.repeat,
    runs={"digits": bnn1_three_parts.BASE},
)

BNN2 = Claim(
    id="BNN2",
    **CHEN,
    sentence=(
        "A ReActNet without BatchNorm reaches 92.08 % on CIFAR-10, 68.34 % on CIFAR-100 and 68.0 % "
        "on ImageNet: 0.23 to 0.44 and 1.40 points less than with it."
    ),
    falsifier=(
        "In a small net of the same blocks, the BN-free one is more than two points below the one "
        "with BatchNorm."
    ),
    prediction=(
        "The small net loses less than two points: trials with one seed and half the steps lost "
        "two, at 97 and 95 %, in one stage as in two; more steps will bring both nearer. A "
        "difference of a few tenths of a point, as on CIFAR, is far below what 300 test images and "
        "twelve seeds can show: about a point."
    ),
    gap=PAPER + HERE.format(steps=bnn2_drop.LONG.steps) + ", half of them with real weights.",
    untestable="These accuracies take hundreds of epochs of CIFAR and ImageNet: many GPU-days.",
    instead=(
        "The same blocks in a net of eight, on digits, trained in two stages as in the paper; only "
        "the difference is compared."
    ),
    effects=(
        Effect(
            "drop",
            "test accuracy after two stages, BatchNorm minus the three parts",
            "",
            0.02,
            kind="same",
            upper=True,
            says="without BatchNorm the net loses at most two points",
            predicted=(-0.005, 0.02),
        ),
    ),
    answer=(
        "The authors speak of a few tenths of a point on CIFAR-10 and CIFAR-100, with a teacher, "
        "after 256 epochs a stage. Two points on 300 images of digits say nothing against that, "
        "and little for it."
    ),
    measure=bnn2_drop.measure,
    options=("tuning", "base"),
    values=bnn2_drop.values,
    facts=bnn2_drop.facts,
    repeat=bnn2_drop.repeat,
    runs={"digits": bnn2_drop.LONG},
)


def _collapse(net: str, words: str, predicted: tuple[float, float]) -> Effect:
    return Effect(
        net,
        f"test accuracy, BatchNorm minus nothing in its place, {words}",
        "",
        0.2,
        says=f"accuracy collapses {words}",
        predicted=predicted,
    )


BNN3 = Claim(
    id="BNN3",
    **CHEN,
    sentence="Simply leaving BatchNorm out makes accuracy on ImageNet collapse, to 34.1 %.",
    falsifier=(
        "Without BatchNorm, test accuracy is less than twenty points below that with it: in the "
        "paper's block, or in simpler binary nets."
    ),
    prediction=(
        "It depends on the net. Trials with one seed, each at its best rate: in the paper's block, "
        "whose filters have a scale, 97 % with BatchNorm and 95 % without, and without the "
        "shortcut 94 and 87 %. With filters of signs alone 98 and 68 %, and without shortcuts 92 "
        "and 49 %. (Sixteen blocks with signs alone fell from 96 to 21 %, three from 97 to 88 %.) "
        "With signs alone a fifth of the numbers before the signs lay in the window of the "
        "gradient, with BatchNorm more than two thirds. With a wider window and nothing else they "
        "rose at the same rate from 46 to 82 %, and from 28 to 81 % without shortcuts."
    ),
    gap=ONE_STAGE,
    untestable="Accuracy on ImageNet takes hundreds of epochs of it: many GPU-days.",
    instead=(
        "Binary nets of eight layers on digits, with and without BatchNorm: with the paper's block "
        "and with simpler ones."
    ),
    effects=(
        _collapse("scaled", "in the paper's block", (0.0, 0.06)),
        _collapse("signs", "in the same block with filters of signs alone", (0.15, 0.4)),
        _collapse("scaled_bare", "in the paper's block without its shortcut", (0.0, 0.12)),
        _collapse("signs_bare", "with filters of signs alone and without shortcuts", (0.3, 0.6)),
        Effect(
            "same_rate",
            "the same in the paper's block without its shortcut, both at the rate that is best "
            "with BatchNorm",
            "",
            0.2,
            says="without shortcuts it collapses at the rate that is best with BatchNorm",
            predicted=(0.3, 0.9),
        ),
        Effect(
            "window",
            "test accuracy with filters of signs alone and nothing for BatchNorm, with a window of "
            "the gradient as wide as the signals minus without",
            "",
            0.05,
            says="a wider window of the gradient helps the net of signs",
            predicted=(0.05, 0.3),
        ),
        Effect(
            "window_bare",
            "the same without shortcuts",
            "",
            0.05,
            says="without shortcuts it helps too",
            predicted=(0.2, 0.5),
        ),
    ),
    core=("scaled", "signs", "scaled_bare", "signs_bare"),
    setting="the scale of the filters",
    answer=(
        "Our nets with a scale do not collapse because they are shallow, small and wide enough for "
        "digits: without shortcuts and with a scale, sixteen blocks fell to chance in the search "
        "for set-ups. The authors' net on ImageNet has a scale and shortcuts and fell to half; "
        "which of its depth, the second convolution of its blocks, or the data makes the "
        "difference, a deeper net on CIFAR-100 could tell."
    ),
    measure=bnn3_collapse.measure,
    options=("tuning", "base"),
    values=bnn3_collapse.values,
    facts=bnn3_collapse.facts,
    repeat=bnn3_collapse.repeat,
    runs={"digits": bnn3_collapse.BASE},
)

CLAIMS = (BNN1, BNN2, BNN3)
"""Chapter 11: binary nets without BatchNorm, claims BNN1 to BNN3."""

QUESTION = "Can a binary net learn without BatchNorm?"
