"""Fei et al. 2020, *MimicNorm*: weight means and one last BatchNorm.

The sentences, predictions, effects and margins were written before measuring. Trial runs that a
prediction speaks of had other seeds, some of them other settings; they are not counted.
"""

from __future__ import annotations

import math

from bnlab.chapters.mimicnorm import m1_matches, m4_usable_rates, m5_over_steps
from bnlab.chapters.mimicnorm.setting import FEI, HERE, PAPER
from bnlab.chapters.mimicnorm.start_claims import M2, M3
from bnlab.verdicts.verdict import Change, Claim, Effect

M1 = Claim(
    id="M1",
    **FEI,
    sentence=(
        "Subtracting the mean from the weights, with one last BatchNorm, matches the accuracy of "
        "BatchNorm in every layer."
    ),
    falsifier=(
        "In the residual or in the plain net, test accuracy is more than two points above or below "
        "that of BatchNorm in every layer."
    ),
    prediction=(
        "It holds in both nets: trials with one to three seeds ended within a point of each other. "
        "All end near 98 %, where one image in fifty is wrong: at such a ceiling two methods can "
        "hardly differ by two points. In the 30 plain layers, which do not count, trials "
        "contradicted each other: at large rates MimicNorm failed, at small ones it kept up."
    ),
    gap=(
        f"{PAPER}{HERE}, and a plain one of 12 convolutions, for {m1_matches.MARKS[-1]} steps at "
        "rates tuned for each method."
    ),
    effects=(
        Effect(
            "residual",
            "test accuracy in the residual net, BatchNorm minus MimicNorm",
            "",
            0.02,
            kind="same",
            says="in the residual net it is as accurate as BatchNorm",
            predicted=(-0.01, 0.01),
        ),
        Effect(
            "plain",
            "the same in the plain net",
            "",
            0.02,
            kind="same",
            says="in the plain net it is as accurate as BatchNorm",
            predicted=(-0.01, 0.01),
        ),
    ),
    core=("residual", "plain"),
    setting="the net",
    answer=(
        "In the plain net the seeds lie far apart: at a constant rate the accuracy jumps from step "
        "to step, and one of them is counted. Rates that fall, as in the paper, would settle that. "
        "And digits are too easy to tell two good methods apart, a few hundred steps too few: the "
        "paper trains for 150 epochs. The same nets on CIFAR-10, trained so, would tell."
    ),
    changes=(
        Change(
            "2026-11-29",
            "The grids of rates were widened, to 3 and, in the 30 plain layers, down to 0.003.",
            "In the first result MimicNorm's best rate lay at the edge of the grid in all three "
            "nets.",
        ),
    ),
    measure=m1_matches.measure,
    options=("tuning", "earlier", "base"),
    values=m1_matches.values,
    facts=m1_matches.facts,
    repeat=m1_matches.repeat,
    runs={"digits": m1_matches.BASE},
)

M4 = Claim(
    id="M4",
    **FEI,
    sentence=(
        "The last BatchNorm tunes the learning rate by itself, so rates at which plain nets "
        "diverge still train."
    ),
    falsifier=(
        "The largest usable rate with the last BatchNorm is less than three times that of the same "
        "net without it; or at a rate at which that net does not train it does not train either."
    ),
    prediction=(
        "Trials with two seeds: with the last BatchNorm rates up to 0.1 or 1 are usable, in the "
        "same net without it 0.1, and in a net whose normalizers are just left out 0.003 to 0.01. "
        "At 0.3 the net without it stayed at chance, with it 85 to 99 % were right. So the first "
        "ratio is 1 to 10, on both sides of our margin, and will probably stay undecided; the last "
        "one is 10 or more. With the last BatchNorm alone the accuracy jumps from step to step. "
        "The ablation: with the mean alone 0.3 trained well and 1 diverged; at 1 only both "
        "together were as good as BatchNorm."
    ),
    gap=f"{PAPER}{HERE}, for {m4_usable_rates.STEPS} steps.",
    effects=(
        Effect(
            "rate",
            "largest usable learning rate, last BatchNorm only over the same net without it",
            "decades",
            0.5,
            says="the last BatchNorm allows larger rates",
            predicted=(0.2, 0.8),
        ),
        Effect(
            "trains",
            f"test accuracy at rate {m4_usable_rates.TOO_LARGE:g}, last BatchNorm only minus the "
            "same net without it",
            "",
            0.5,
            says="a rate at which the net without it does not train still trains",
            predicted=(0.7, 0.9),
        ),
        Effect(
            "bare",
            "largest usable learning rate, last BatchNorm only over a net whose normalizers are "
            "left out",
            "decades",
            0.5,
            says="its rates are larger than those of a net without normalizers or scalars",
            predicted=(1.2, 2.2),
        ),
    ),
    core=("rate",),
    answer=(
        "The net without the last BatchNorm has the scalars of the method, which make its branches "
        "small: the paper's plain nets have no such thing. A ratio of rates that are a factor of "
        "three apart is coarse, and momentum would change it. A finer grid, in the paper's nets, "
        "would tell."
    ),
    changes=(
        Change(
            "2026-11-29",
            "The net without the last BatchNorm was trained at one more rate, 0.01, and the one "
            "without a normalizer at two more, 0.1 and 0.3.",
            "In the first result its best rate, and the other's usable rate, lay at the edge of "
            "the grid.",
        ),
    ),
    measure=m4_usable_rates.measure,
    options=("earlier", "base"),
    values=m4_usable_rates.values,
    facts=m4_usable_rates.facts,
    repeat=m4_usable_rates.repeat,
    runs={"digits": m4_usable_rates.BASE},
)

SHORT, LONG = m5_over_steps.SHORT, m5_over_steps.LONG
M5 = Claim(
    id="M5",
    **FEI,
    sentence="It is better than no normalizer, and better than Fixup.",
    falsifier=(
        f"After {SHORT} or after {LONG} steps its test accuracy is less than a point above that of "
        "Fixup, or of no normalizer."
    ),
    prediction=(
        f"Against Fixup it depends on the number of steps. Trials with one to three seeds: far "
        f"ahead after {SHORT} steps, as Fixup starts with all branches and the last layer at 0, "
        f"and equal after {LONG}. It stays ahead of no normalizer: by more than half after {SHORT} "
        f"steps, by ten points or so after {LONG}."
    ),
    gap=(
        f"{PAPER}{HERE}, for up to {LONG} steps, which is {LONG * 32 // 1197} epochs; the paper "
        "trains for 150, with momentum and weight decay."
    ),
    effects=(
        Effect(
            "fixup_short",
            f"test accuracy after {SHORT} steps, MimicNorm minus Fixup",
            "",
            0.01,
            says=f"after {SHORT} steps it is better than Fixup",
            predicted=(0.3, 0.8),
        ),
        Effect(
            "fixup_long",
            f"the same after {LONG} steps",
            "",
            0.01,
            says=f"after {LONG} steps it is better than Fixup",
            predicted=(-0.01, 0.01),
        ),
        Effect(
            "none_short",
            f"test accuracy after {SHORT} steps, MimicNorm minus no normalizer",
            "",
            0.01,
            says=f"after {SHORT} steps it is better than no normalizer",
            predicted=(0.5, 0.8),
        ),
        Effect(
            "none_long",
            f"the same after {LONG} steps",
            "",
            0.01,
            says=f"after {LONG} steps it is better than no normalizer",
            predicted=(0.05, math.inf),
        ),
    ),
    core=("fixup_short", "fixup_long"),
    setting="the number of steps",
    answer=(
        "Fixup's authors could: it begins with branches and last layer at 0, so it is late, and "
        "after 400 steps it still rises while MimicNorm is at the ceiling. Trainings to the end, "
        "with momentum as in both papers, may leave no lead; CIFAR-100 after 150 epochs, with the "
        "regularization that Fixup's authors add and without it, would tell."
    ),
    changes=(
        Change(
            "2026-11-29",
            "Four seeds choose the rates in place of two, MimicNorm and no normalizer were given a "
            "larger rate to choose from, and new seeds are counted.",
            "In the first result Fixup stayed at chance in four of eight seeds, at a rate at which "
            "it had trained well in the two that chose; two best rates lay at the edge of the "
            "grid.",
        ),
    ),
    measure=m5_over_steps.measure,
    options=("tuning", "base"),
    values=m5_over_steps.values,
    facts=m5_over_steps.facts,
    repeat=m5_over_steps.repeat,
    runs={"digits": m5_over_steps.BASE},
)

CLAIMS = (M1, M2, M3, M4, M5)
