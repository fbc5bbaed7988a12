"""The verdicts of a chapter in one line, for its first screen."""

from __future__ import annotations

import html

from bnlab import claims
from bnlab.arguments import checked
from bnlab.claims import Claim
from bnlab.draw.shown import Shown, fill
from bnlab.show.scaled import is_measured, look_at, marked_word, said_at
from bnlab.verdicts.verdict import CIFAR10, DIGITS, SCALES

STYLE = "display:inline-block;padding:.1em .6em;margin:.15em .35em .15em 0;overflow:visible"
INNER = "display:inline-block;padding:0 .5em;margin:0;overflow:visible"
SAME = f"{SCALES[CIFAR10]} too"


@checked
def chips(*names: str) -> Shown:
    """The claims' ids with their verdicts, each a small box in the colour of that on digits.

    Where a claim is measured on CIFAR-10 as well, the chip has the word there too if it is another
    one, else says that it is the same.

    Args:
        names: ids of claims.

    Raises:
        ValueError: for an id that there is not.
    """
    items = [claims.claim(name) for name in names]
    page = "".join(map(_chip, items))
    text = "\n".join(fill(_text(item)) for item in items)
    return Shown(
        f'<p class="bnlab-say" role="group" aria-label="Verdicts">{page}</p>',
        text,
    )


def _chip(item: Claim) -> str:
    word, more = html.escape(marked_word(item)), _more(item)
    if more not in ("", SAME):
        more = f'<span class="bnlab-box {look_at(item, CIFAR10)}" style="{INNER}">{more}</span>'
    inner = f"<b>{item.id}</b> {word}" + (f" · {more}" if more else "")
    return (
        f'<span class="bnlab-box {look_at(item, DIGITS)}" style="{STYLE}" role="img" '
        f'aria-label="{html.escape(_name(item), quote=True)}">{inner}</span>'
    )


def _more(item: Claim) -> str:
    """What a chip says of CIFAR-10: nothing, that the word is the same, or the other word."""
    if not is_measured(item):
        return ""
    if said_at(item, CIFAR10) == said_at(item, DIGITS):
        return SAME
    return f"{SCALES[CIFAR10]}: {marked_word(item, CIFAR10)}"


def _name(item: Claim) -> str:
    """The chip as a screen reader says it: both scales by name."""
    return f"{item.id}: " + "; ".join(
        f"{said_at(item, scale)} on {SCALES[scale]}" for scale in (DIGITS, CIFAR10)
    )


def _text(item: Claim) -> str:
    more = _more(item)
    return f"{item.id} {marked_word(item)}" + (f" · {more}" if more else "")
