"""Three findings of the book as cards for its first page, each a link."""

from __future__ import annotations

import html

from bnlab.arguments import checked
from bnlab.draw.shown import Shown, fill
from bnlab.show.boxes import filled

FINDINGS = (
    (
        "03_learning_rates",
        "{B1[ratio_12]:.0f} times",
        "In a net of twelve layers BatchNorm bears a learning rate {B1[ratio_12]:.0f} times as "
        "large. At a small rate, trained ten times as long, both nets end within two points of "
        "each other.",
    ),
    (
        "04_covariate_shift",
        "{S1[calmer_step_6]:.0f} times steadier",
        "A paper says that BatchNorm wins without making the inputs of the layers steadier. In our "
        "nets they move {S1[calmer_step_6]:.0f} times as far in a step without it.",
    ),
    (
        "07_batch_renorm",
        "{R3[test_running_batch_2]:.0f}\u00a0% or {R3[test_running_group_2]:.0f}\u00a0%",
        "With two samples to normalize over, a perceptron with BatchNorm gets "
        "{R3[test_running_batch_2]:.0f}\u00a0% of the test digits right, the same net with group "
        "norm {R3[test_running_group_2]:.0f}\u00a0%.",
    ),
)
"""Chapter, headline and sentence."""

CSS = (
    ".bnlab-cards{display:grid;gap:.8rem;grid-template-columns:repeat(auto-fit,minmax(14rem,1fr))}"
    ".bnlab-cards a{display:block;padding:.8em 1em;border-radius:.4em;color:inherit!important;"
    "text-decoration:none;border:1px solid color-mix(in srgb,currentColor 25%,transparent)}"
    ".bnlab-cards a:is(:hover,:focus-visible){border-color:currentColor}"
    ".bnlab-cards b{display:block;font-size:1.5em;line-height:1.2;margin-bottom:.3em}"
)


@checked
def findings() -> Shown:
    """The findings; their numbers are those of the evidence."""
    cards = [(page, filled(head), filled(text)) for page, head, text in FINDINGS]
    inner = "".join(
        f'<a href="{page}.html"><b>{html.escape(head)}</b>{html.escape(text)}</a>'
        for page, head, text in cards
    )
    return Shown(
        f'<style>{CSS}</style><div class="bnlab-cards">{inner}</div>',
        "\n".join(fill(f"{head}: {text}") for _, head, text in cards),
    )
