"""What chapters show of their claims on CIFAR-10, beside what came out on digits."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bnlab import claims
from bnlab.arguments import checked
from bnlab.claims import Claim, Evidence, Judgement
from bnlab.draw.shown import Shown, fill, table
from bnlab.show.boxes import (
    AT_ONCE,
    PART_MARKS,
    capitalized,
    notes_on,
    paragraphs,
    unfold,
)
from bnlab.show.chips import STYLE
from bnlab.show.scaled import clause, evidence_at, look_at, marked_word
from bnlab.verdicts.evidence import command
from bnlab.verdicts.verdict import CIFAR10, DIGITS, SCALES

COLUMNS = ["Part", "On digits", "On CIFAR-10"]
ABSENT = "not a part here"


@checked
def on_cifar10(*names: str) -> Shown:
    """Each claim's parts on digits and on CIFAR-10 side by side, with what belongs to the second.

    Those that are not measured on CIFAR-10 are named in a line, with the command that does it.

    Args:
        names: ids of claims.

    Raises:
        ValueError: for an id that there is not.
    """
    items = [claims.claim(name) for name in names]
    found = {item.id: evidence_at(item, CIFAR10) for item in items}
    faces = [_box(item, found[item.id]) for item in items if found[item.id]]
    faces += _missing([item for item in items if not found[item.id]])
    pages, texts = zip(*faces, strict=True) if faces else ((), ())
    return Shown("".join(pages), "\n\n".join(texts))


def _box(item: Claim, large: Evidence) -> tuple[str, str]:
    small = evidence_at(item, DIGITS)
    head = f"{item.id} on both scales"
    said = {scale: f"{SCALES[scale]}: {marked_word(item, scale)}" for scale in (DIGITS, CIFAR10)}
    words = "".join(
        f'<span class="bnlab-box {look_at(item, scale)}" style="{STYLE}">{html.escape(text)}</span>'
        for scale, text in said.items()
    )
    page, text = table(COLUMNS, _rows(small, large))
    sentence = f"On {SCALES[CIFAR10]}: {large.verdict.sentence}"
    notes, notes_text = _notes(large), paragraphs(_notes(large))[1]
    first, _ = paragraphs({k: v for k, v in notes.items() if k in AT_ONCE})
    rest, _ = paragraphs({k: v for k, v in notes.items() if k not in AT_ONCE})
    lines = (item.sentence, " · ".join(said.values()))
    return (
        f'<div class="bnlab-box bnlab-scales claim" role="group" aria-label="{head}">'
        f'<p class="head">{head}</p><p>{html.escape(item.sentence)}</p><p>{words}</p>'
        f"<p>{html.escape(sentence)}</p>{first}"
        f"{unfold('Parts on both scales, margins and intervals', page + rest)}</div>",
        "\n".join([head, *map(fill, lines), text, fill(sentence), notes_text]),
    )


def _rows(small: Evidence | None, large: Evidence) -> list[list[str]]:
    """The parts of CIFAR-10, then those that are parts on digits alone."""
    on_digits = {j.effect.name: j for j in small.verdict.judgements} if small else {}
    on_photographs = {j.effect.name: j for j in large.verdict.judgements}
    names = dict.fromkeys([*on_photographs, *on_digits])
    cores = small.claim.core if small else (), large.claim.core
    return [_row(cores, on_digits.get(n), on_photographs.get(n)) for n in names]


def _row(
    cores: tuple[Sequence[str], Sequence[str]], small: Judgement | None, large: Judgement | None
) -> list[str]:
    shown = large or small
    what = capitalized(_clause(shown))
    if large and large.effect.name in cores[1]:
        what += " (core)"
    elif small and small.effect.name in cores[0]:
        what += " (core on digits)"
    if small and large and _clause(small) != _clause(large):
        what += f" (on digits: {_clause(small)})"
    same = small and large and small.effect.counts_if == large.effect.counts_if
    if same or not (small and large):
        what += f". Counts, if {shown.effect.counts_if}."
    else:
        what += "."
    return [what, _cell(small, not same and large), _cell(large, not same and small)]


def _clause(judgement: Judgement) -> str:
    return clause(judgement.effect)


def _cell(judgement: Judgement | None, with_margin: object) -> str:
    """Word and number; with the margin where that of the other scale is another one."""
    if judgement is None:
        return ABSENT
    text = f"{PART_MARKS[judgement.word]} {judgement.word}: {judgement.measured}"
    return text + (f"; counts, if {judgement.effect.counts_if}" if with_margin else "")


def _notes(large: Evidence) -> dict[str, str]:
    """The setting and the images, then what stands under every verdict."""
    rows = {"Setting on CIFAR-10": large.claim.gap} if large.claim.gap else {}
    return rows | notes_on(large)


def _missing(items: list[Claim]) -> list[tuple[str, str]]:
    """A line on those that can be measured there, and one on those that cannot."""
    faces = []
    can = [item.id for item in items if CIFAR10 in item.scales]
    if can:
        start = f"Not measured on {SCALES[CIFAR10]} yet: {', '.join(can)}. This measures"
        line = command(claims.claim(can[0], CIFAR10), CIFAR10).replace(can[0], " ".join(can))
        faces.append(
            (
                f'<p class="bnlab-say">{start}: <code>{line}</code></p>',
                f"{fill(start + ':')}\n  {line}",
            )
        )
    cannot = [item.id for item in items if CIFAR10 not in item.scales]
    if cannot:
        text = f"This edition has no measurement on {SCALES[CIFAR10]} for {', '.join(cannot)}."
        faces.append((f'<p class="bnlab-say">{text}</p>', fill(text)))
    return faces
