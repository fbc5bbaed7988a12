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
    prediction="Written after the search for set-ups.",
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
        ),
        Effect(
            "sgd",
            "the same with SGD and momentum",
            "",
            0.02,
            kind="same",
            upper=True,
            says="so it is with SGD and momentum",
        ),
        Effect(
            "needed",
            "test accuracy in the paper's block, the three parts minus nothing",
            "",
            0.02,
            says="in the paper's block something must stand in for BatchNorm",
        ),
        Effect(
            "needed_signs",
            "test accuracy, the three parts minus nothing with filters of signs alone",
            "",
            0.05,
            says="in a net whose filters are signs alone something must stand in for it",
        ),
        Effect(
            "clip",
            "test accuracy with filters of signs alone, clipping minus nothing",
            "",
            0.05,
            says="there clipping alone helps",
        ),
        Effect(
            "filters",
            "the same, standardized filters minus nothing",
            "",
            0.05,
            says="there standardized filters alone help",
        ),
        Effect(
            "block",
            "the same, the modified block minus nothing",
            "",
            0.05,
            says="there the modified block alone helps",
        ),
    ),
    core=("accuracy",),
    answer="The authors could answer: …",
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
    prediction="Written after the search for set-ups.",
    gap=PAPER + HERE.format(steps=bnn2_drop.LONG.steps) + ", in two stages and in one.",
    untestable="These accuracies take hundreds of epochs of CIFAR and ImageNet: many GPU-days.",
    instead="The same blocks in a net of eight, on digits; only the difference is compared.",
    effects=(
        Effect(
            "two_stages",
            "test accuracy after two stages, BatchNorm minus the three parts",
            "",
            0.02,
            kind="same",
            upper=True,
            says="trained in two stages the net loses at most two points without BatchNorm",
        ),
        Effect(
            "one_stage",
            "the same after one stage of as many steps",
            "",
            0.02,
            kind="same",
            upper=True,
            says="so it does in one stage",
        ),
    ),
    core=("two_stages",),
    answer="The authors could answer: …",
    measure=bnn2_drop.measure,
    options=("tuning", "base"),
    values=bnn2_drop.values,
    facts=bnn2_drop.facts,
    repeat=bnn2_drop.repeat,
    runs={"digits": bnn2_drop.LONG},
)


def _collapse(net: str, words: str) -> Effect:
    return Effect(
        net,
        f"test accuracy, BatchNorm minus nothing in its place, {words}",
        "",
        0.3,
        says=f"accuracy collapses {words}",
    )


BNN3 = Claim(
    id="BNN3",
    **CHEN,
    sentence="Simply leaving BatchNorm out makes accuracy on ImageNet collapse, to 34.1 %.",
    falsifier=(
        "Without BatchNorm, test accuracy is less than thirty points below that with it: in the "
        "paper's block, or in simpler binary nets."
    ),
    prediction="Written after the search for set-ups.",
    gap=ONE_STAGE,
    untestable="Accuracy on ImageNet takes hundreds of epochs of it: many GPU-days.",
    instead=(
        "Binary nets of eight layers on digits, with and without BatchNorm: with the paper's block "
        "and with simpler ones."
    ),
    effects=(
        _collapse("scaled", "in the paper's block"),
        _collapse("signs", "in the same block with filters of signs alone"),
        _collapse("scaled_bare", "in the paper's block without its shortcut"),
        _collapse("signs_bare", "with filters of signs alone and without shortcuts"),
        Effect(
            "window",
            "test accuracy with filters of signs alone, divided by a constant minus not",
            "",
            0.05,
            says="a constant that keeps the signals in the window of the gradient helps",
        ),
        Effect(
            "window_bare",
            "the same without shortcuts",
            "",
            0.05,
            says="without shortcuts it helps too",
        ),
    ),
    core=("scaled", "signs", "scaled_bare", "signs_bare"),
    setting="the scale of the filters and the shortcuts",
    answer="The authors could answer: …",
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
