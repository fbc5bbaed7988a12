"""The verdicts of a chapter in one line, for its first screen."""

from __future__ import annotations

import html

from bnlab import claims
from bnlab.draw.shown import Shown, fill
from bnlab.show.boxes import marked_word

STYLE = "display:inline-block;padding:.1em .6em;margin:.15em .35em .15em 0"


def chips(*names: str) -> Shown:
    """The claims' ids with their verdicts on digits, each a small box in the verdict's colour.

    Args:
        names: ids of claims.

    Raises:
        ValueError: for an id that there is not.
    """
    items = [claims.claim(name) for name in names]
    words = {item.id: marked_word(item) for item in items}
    page = "".join(
        f'<span class="bnlab-box {_look(item)}" style="{STYLE}">'
        f"<b>{item.id}</b> {html.escape(words[item.id])}</span>"
        for item in items
    )
    text = fill(" · ".join(f"{name} {word}" for name, word in words.items()))
    return Shown(f'<p class="bnlab-say" aria-label="Verdicts">{page}</p>', text)


def _look(item: claims.Claim) -> str:
    try:
        return claims.load(item.id).verdict.word.replace(" ", "-")
    except FileNotFoundError:
        return "claim"
