"""The three sharpnesses of the book, side by side: chapters 05, 06 and 08."""

from __future__ import annotations

from collections.abc import Mapping

from bnlab.draw.shown import Shown, table

COLUMNS = ["What is measured", "Where", "On what", "What BatchNorm does"]
ROWS = (
    (
        "Chapter 05: effective β, change of the gradient over the way",
        "along the gradient, at steps near the rate, during training",
        "cross-entropy of 64 digits, perceptrons of 6 and 15 layers",
        "early, β falls from {S4[beta_none_early_6_0_1]:.0f} to "
        "{S4[beta_batch_early_6_0_1]:.0f} at 6 layers; at 15 it rises from "
        "{S4[beta_none_early_15_0_03]:.0f} to {S4[beta_batch_early_15_0_03]:.0f}",
    ),
    (
        "Chapter 06: largest eigenvalue of the Fisher matrix",
        "in the sharpest direction, before the first step",
        "squared error of 256 digits, perceptron of 3 hidden layers, 1000 wide",
        "{W1[one_through]:.0f} times smaller. With statistics held constant {W1[one_held]:.1f} "
        "times smaller, but {W1[four_larger]:.1f} times larger at γ = 4",
    ),
    (
        "Chapter 08: largest eigenvalue of the Gauss-Newton matrix",
        "in the sharpest direction, before the first step",
        "cross-entropy of 128 digits, convolutional net of 10 layers",
        "{L3[batch_sharpness]:.1f}, against {L3[group_2_sharpness]:.1f} with groups of two and "
        "{L3[layer_sharpness]:.0f} with layer norm",
    ),
)


def three_sharpnesses(**facts: Mapping[str, object]) -> Shown:
    """What each chapter calls sharp, where it looks, and what BatchNorm does to it there.

    Args:
        facts: those of the claims S4, W1 and L3, by these names.
    """
    rows = [[cell.format(**facts) for cell in row] for row in ROWS]
    page, text = table(COLUMNS, rows)
    return Shown(
        '<div class="bnlab-box bnlab-scales claim" role="group" aria-label="Three sharpnesses">'
        f"{page}</div>",
        text,
    )
