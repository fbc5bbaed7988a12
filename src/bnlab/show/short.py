"""In short: a chapter's answer, with its verdicts, on the first screen."""

from __future__ import annotations

from bnlab.arguments import checked
from bnlab.draw.shown import Shown
from bnlab.show.boxes import say_together
from bnlab.show.chips import chips


@checked
def in_short(answer: str, *names: str, aims: str = "") -> Shown:
    """The box under a title: the answer in a few sentences, the verdicts, what one will be able to.

    Args:
        answer: as ``say_together`` takes it, with numbers of claims such as ``{B1[ratio_12]:.0f}``.
        names: ids of the claims whose verdicts are shown.
        aims: what the reader will be able to do, a sentence.
    """
    parts = [say_together(f"**In short.** {answer}")]
    parts += [chips(*names)] if names else []
    parts += [say_together(aims)] if aims else []
    page = "".join(part.page for part in parts)
    return Shown(
        f'<div class="bnlab-box bnlab-short claim" role="group" aria-label="In short">{page}</div>',
        "\n".join(part.text for part in parts),
    )
