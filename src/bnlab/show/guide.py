"""The decision guide: advice by situation, with what this book measured and what others found."""

from __future__ import annotations

import html
import string

from bnlab import claims
from bnlab.draw.shown import Shown, fill
from bnlab.show.boxes import Facts, Formatter, marked_word
from bnlab.show.guide_rows import ROWS, SOURCES, Row
from bnlab.verdicts import evidence

WITHDRAWN = "Our evidence no longer carries the advice that stood here: look at the verdicts."
COLUMNS = ("Your situation", "Advice, and why", "What it rests on")


def names_of(row: Row) -> tuple[str, ...]:
    """Ids of the claims whose facts a row uses."""
    fields = (name for _, name, _, _ in string.Formatter().parse(row.measured) if name)
    return tuple(dict.fromkeys(name.partition("[")[0] for name in fields))


def told(row: Row) -> tuple[str, str, str]:
    """Advice, reason, and what was measured; the advice is withdrawn if the facts fail it."""
    if not row.measured:
        return row.advice, row.why, ""
    try:
        known = {name: Facts(claims.load(name).facts) for name in names_of(row)}
    except FileNotFoundError as error:
        return row.advice, row.why, f"The evidence is missing: {error}"
    measured = Formatter().vformat(row.measured, (), known)
    if not row.carries(known):
        return WITHDRAWN, "", measured
    return row.advice, row.why, measured


def guide() -> Shown:
    """All rows as a table; every claim in it is a link to its row of the scoreboard."""
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(_row(row) for row in ROWS)
    page = (
        f"<style>.bnlab-guide td:last-child{{white-space:normal}}.bnlab-guide td{{width:40%}}"
        f".bnlab-guide td:first-child{{width:20%}}"
        f"@media(max-width:640px){{.bnlab-guide td{{width:auto!important}}}}</style>"
        f'<div class="bnlab-table bnlab-guide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
    return Shown(page, "\n".join(_text(row) for row in ROWS))


def _row(row: Row) -> str:
    advice, why, measured = told(row)
    rests = [html.escape(measured)] if measured else ["Not measured in this book."]
    rests += [_link(name) for name in row.claims]
    if row.literature:
        links = (f'<a href="{url}">{name}</a>' for name, url in map(SOURCES.get, row.literature))
        rests.append(f"Literature: {', '.join(links)}")
    what = f"<b>{html.escape(advice)}</b> {html.escape(why)}"
    cells = (html.escape(row.when), what, "<br>".join(rests))
    inner = "".join(
        f'<td data-column="{column}">{cell}</td>'
        for column, cell in zip(COLUMNS, cells, strict=True)
    )
    return f"<tr>{inner}</tr>"


def _link(name: str) -> str:
    word = html.escape(marked_word(evidence.find(claims.CLAIMS, name)))
    return f'<a class="bnlab-page" href="13_scoreboard.ipynb#claim-{name}">{name}</a>: {word}'


def _text(row: Row) -> str:
    advice, why, measured = told(row)
    lines = [f"{row.when}: {advice} {why}".rstrip(), measured or "Not measured in this book."]
    lines += [f"{name}: {marked_word(claims.claim(name))}" for name in row.claims]
    if row.literature:
        lines.append("Literature: " + ", ".join(SOURCES[key][0] for key in row.literature))
    first, *others = lines
    return "\n".join([fill(first), *(fill(f"  {line}") for line in others)])


def say_guide() -> Shown:
    """How many rows rest on measurements, and how many on literature alone."""
    own = sum(bool(row.measured) for row in ROWS)
    text = (
        f"{len(ROWS)} situations. For {own} of them this book measured something; the other "
        f"{len(ROWS) - own} rest on the papers that are named there."
    )
    return Shown(f'<p class="bnlab-say">{text}</p>', fill(text))
