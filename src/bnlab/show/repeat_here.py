"""Where a reader repeats a verdict, below its box."""

from __future__ import annotations

from bnlab.claims.standings import is_repeatable
from bnlab.verdicts.verdict import Claim


def repeat_here(item: Claim) -> str:
    """HTML that a reader opens: on the site with a widget, which is loaded then; else with code."""
    if not is_repeatable(item):
        return ""
    return (
        f'<details id="{name_of(item)}" class="bnlab-repeat-here" data-claim="{item.id}">'
        "<summary>Repeat this verdict</summary>"
        '<div class="bnlab-repeat-place"><p>On the website, its trainings are done again here. '
        "In a notebook, run this in a new cell:</p>"
        f'<pre>from bnlab.lab import Repeat\n\nRepeat("{item.id}")</pre></div></details>'
    )


def where_repeated(item: Claim) -> str:
    """The part of an address, behind the page, at which the verdict is repeated; "" if nowhere."""
    return f"#{name_of(item)}" if is_repeatable(item) else ""


def name_of(item: Claim) -> str:
    """The name of the widget, and of the place, in addresses."""
    return f"repeat-{item.id.lower()}"
