"""Boxes for claims, verdicts and sentences: HTML in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
import math
import string
import textwrap

from bnlab import claims
from bnlab.claims import Claim, Evidence, Judgement
from bnlab.claims.verdict import LEAST_SEEDS, NOT_MEASURED, NOT_TESTABLE
from bnlab.show.style import VERDICTS, dark

WIDTH = 88  # columns of the plain text
MARKS = {word: look["mark"] for word, look in VERDICTS.items()} | {
    NOT_MEASURED: "–",
    NOT_TESTABLE: "⊘",
}
HUES = {  # border and word
    **{word: (look["light"], look["dark"]) for word, look in VERDICTS.items()},
    "claim": ("#4a3f9a", "#b3a9ff"),
}
CSS = (
    ".bnlab-box{border-left:.35em solid var(--hue);padding:.7em 1em;margin:.8em 0;"
    "background:color-mix(in srgb,var(--hue) 8%,transparent);border-radius:.3em;line-height:1.5;"
    "overflow-x:auto}"
    ".bnlab-box p{margin:.35em 0}.bnlab-box .head{font-weight:700;color:var(--hue)}"
    ".bnlab-box table,.bnlab-table table{border-collapse:collapse;margin:.5em 0;width:100%}"
    ".bnlab-box th,.bnlab-box td,.bnlab-table th,.bnlab-table td{text-align:left;"
    "vertical-align:top;padding:.25em .8em .25em 0;border-bottom:1px solid "
    "color-mix(in srgb,currentColor 25%,transparent)}"
    # JupyterLab and the site style all tables of outputs; these are ours.
    ".bnlab-box :is(tr,th,td),.bnlab-table :is(tr,th,td){text-align:left!important;"
    "background:none!important;color:inherit!important;max-width:none!important}"
    ".bnlab-box td:last-child,.bnlab-table td:last-child{white-space:nowrap}"
    ".bnlab-table.bnlab-formulas td:last-child{white-space:normal}"
    ".bnlab-formulas td:nth-child(2){width:46%}"
    ".bnlab-table{overflow-x:auto}.bnlab-say{margin:.6em 0}"
    # On a phone a row becomes a card: each cell on a line of its own, with its column's name.
    "@media(max-width:640px){"
    + ",".join(f".bnlab-box {part},.bnlab-table {part}" for part in ("table", "tbody", "tr", "td"))
    + "{display:block}.bnlab-box thead,.bnlab-table thead{display:none}"
    ".bnlab-box td,.bnlab-table td{border:0;padding:.1em 0;white-space:normal!important}"
    ".bnlab-box tr,.bnlab-table tr{padding:.5em 0;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 25%,transparent)}"
    ".bnlab-box td::before,.bnlab-table td::before{content:attr(data-column) ': ';font-weight:600}}"
) + "".join(
    f".bnlab-box.{name.replace(' ', '-')}{{--hue:{light}}}"
    + dark(f".bnlab-box.{name.replace(' ', '-')}", f"--hue:{night}")
    for name, (light, night) in HUES.items()
)


class Shown:
    """Something with an HTML and a plain face."""

    def __init__(self, page: str, text: str) -> None:
        self.page, self.text = page, text

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": f"<style>{CSS}</style>{self.page}", "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def fill(text: str) -> str:
    """Plain text in lines of ``WIDTH`` columns."""
    return textwrap.fill(text, WIDTH, subsequent_indent="  ")


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


def plain(value: float, unit: str) -> str:
    """A number in the unit's usual figures, with its sign; accuracies in points."""
    text = f"{value:+.2f}" if unit else f"{100 * value:+.1f}"
    return text.replace("-", "−") if float(text) else text[1:]  # zero has no sign


def amount(value: float, unit: str) -> str:
    """A number with its unit; a ratio in decades also as a factor."""
    factor = f" (×\u00a0{power(10**value)})" if unit == "decades" else ""
    return f"{plain(value, unit)}\u00a0{unit or 'points'}{factor}"


def power(value: float) -> str:
    """A positive number with two digits, or as a power of ten if it is far from 1."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    if 0.01 <= abs(value) < 100_000:
        return f"{value:.2g}" if abs(value) < 100 else f"{float(f'{value:.2g}'):,.0f}"
    exponent = round(math.log10(abs(value)))
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


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


def table(columns: list[str], rows: list[list[str]]) -> tuple[str, str]:
    """A table as HTML and as plain text, one line a cell."""
    head = "".join(f'<th scope="col">{html.escape(c)}</th>' for c in columns)
    body = ""
    for row in rows:
        cells = zip(columns, row, strict=True)
        inner = "".join(
            f'<td data-column="{html.escape(column, quote=True)}">{html.escape(cell)}</td>'
            for column, cell in cells
        )
        body += f"<tr>{inner}</tr>"
    page = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    text = "\n".join(
        "\n".join(fill(f"- {c}: {cell}") for c, cell in zip(columns, row, strict=True))
        for row in rows
    )
    return page, text


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
    """Adds ``:power``, see ``power``, and an error that lists the known names."""

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
        engine: of the evidence, see ``claims.evidence.load``.
    """
    text = Formatter().vformat(template, (), claims.load(name, engine).facts)
    return Shown(f'<p class="bnlab-say">{html.escape(text)}</p>', fill(text))
