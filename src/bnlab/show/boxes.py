"""Boxes for claims, verdicts and sentences: HTML in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
import string

from bnlab import claims
from bnlab.claims import Claim, Evidence, Judgement
from bnlab.draw.shown import Shown, fill, table
from bnlab.draw.style import VERDICTS
from bnlab.draw.words import amount, plain, power
from bnlab.verdicts.verdict import LEAST_SEEDS, NOT_MEASURED, NOT_TESTABLE

MARKS = {word: look["mark"] for word, look in VERDICTS.items()} | {
    NOT_MEASURED: "–",
    NOT_TESTABLE: "⊘",
}


def _paragraphs(rows: dict[str, str]) -> tuple[str, str]:
    page = "".join(f"<p><b>{html.escape(k)}:</b> {html.escape(v)}</p>" for k, v in rows.items())
    return page, "\n".join(fill(f"{k}: {v}") for k, v in rows.items())


def claim_box(name: str) -> Shown:
    """The box that opens a measurement: the claim, what would make it false, our prediction."""
    item = claims.claim(name)
    rows = {"Claim": f"{item.sentence} ({item.authors})"}
    if item.untestable:
        rows |= {"It cannot be tested here": item.untestable, "Tested instead": item.instead}
    rows |= {
        "It would be false if": item.falsifier,
        "Our prediction, written before these seeds were run": item.prediction,
        "How far we are from the paper": item.gap,
    }
    page, text = _paragraphs(rows)
    head = f"Claim {item.id}"
    return Shown(
        f'<div class="bnlab-box claim" role="group" aria-label="{head}">'
        f'<p class="head">{head}</p>{page}</div>',
        f"{head}\n{text}",
    )


def _row(judgement: Judgement, here: Evidence | None) -> list[str]:
    effect = judgement.effect
    claimed = f"{'more than' if effect.kind == 'above' else 'at most'} "
    claimed += amount(effect.margin, effect.unit)
    low, high = (plain(x, effect.unit) for x in (judgement.low, judgement.high))
    measured = f"{amount(judgement.mean, effect.unit)}, interval {low} to {high}"
    cells = [effect.sentence, claimed, measured, f"{MARKS[judgement.word]} {judgement.word}"]
    if here is not None:
        cells.insert(3, amount(float(here.values[effect.name].mean()), effect.unit))
    return cells


def verdict_box(name: str, here: Evidence | None = None) -> Shown:
    """The box that closes a measurement: the verdict, computed from the evidence.

    Args:
        name: the claim's id.
        here: what this notebook has just measured, shown beside the evidence.
    """
    evidence = claims.load(name)
    verdict = evidence.verdict
    head = f"{MARKS[verdict.word]} {name}: {verdict.word} at this scale"
    columns = ["What was measured", "The claim says", f"Evidence, {verdict.seeds} seeds", "So"]
    if here is not None:
        count = len(here.data["seeds"])
        columns.insert(3, f"This run, {count} seed{'s' if count > 1 else ''}")
    rows = [_row(j, here) for j in verdict.judgements]
    note = "Mean over the seeds with its 95 % interval. The verdict follows from the evidence."
    if here is not None and len(here.data["seeds"]) < LEAST_SEEDS:
        note += f" This run has fewer than {LEAST_SEEDS} seeds, too few for a verdict of its own."
    page, text = table(columns, rows)
    return Shown(
        f'<div class="bnlab-box {verdict.word.replace(" ", "-")}" role="group" '
        f'aria-label="Verdict on {name}"><p class="head">{html.escape(head)}</p>{page}'
        f"<p>{html.escape(note)}</p></div>",
        f"{head}\n{text}\n{fill(note)}",
    )


def word_for(item: Claim) -> str:
    """The verdict's word, or why there is none."""
    try:
        return claims.load(item.id).verdict.word
    except FileNotFoundError:
        return item.without_evidence


def claims_table(paper: str) -> Shown:
    """All claims of a paper with their verdicts."""
    items = [item for item in claims.CLAIMS.values() if item.paper == paper]
    if not items:
        known = sorted({item.paper for item in claims.CLAIMS.values()})
        raise ValueError(f"no claims of paper {paper!r}. Known: {', '.join(known)}.")
    rows = [[i.id, i.sentence, f"{MARKS[word_for(i)]} {word_for(i)}"] for i in items]
    page, text = table(["Id", "Claim", "Verdict at this scale"], rows)
    return Shown(f'<div class="bnlab-table">{page}</div>', text)


class Formatter(string.Formatter):
    """A formatter that knows ``:power``, see ``power``, and lists the known names in its error."""

    def format_field(self, value: object, format_spec: str) -> str:
        """The value as text."""
        return power(value) if format_spec == "power" else super().format_field(value, format_spec)

    def get_value(self, key: object, args: tuple, kwargs: dict) -> object:
        """The fact of this name."""
        if key not in kwargs:
            raise ValueError(f"no fact {key!r}. Known: {', '.join(sorted(kwargs))}.")
        return kwargs[key]


def say(name: str, template: str, engine: str | None = None) -> Shown:
    """A sentence whose numbers come from the evidence, so that it follows when that changes.

    Args:
        name: the claim's id.
        template: text with fields such as ``{ratio_12:.0f}``, facts of the claim; ``:power``
            writes large numbers as powers of ten.
        engine: of the evidence, see ``claims.load``.
    """
    text = Formatter().vformat(template, (), claims.load(name, engine).facts)
    return Shown(f'<p class="bnlab-say">{html.escape(text)}</p>', fill(text))
