"""The decision guide: advice by situation, with what this book measured and what others found."""

from __future__ import annotations

import html
import string

from bnlab import claims
from bnlab.arguments import checked
from bnlab.draw.shown import Shown, fill
from bnlab.show.boxes import Facts, Formatter
from bnlab.show.guide_row import Row
from bnlab.show.guide_rows import ROWS
from bnlab.show.guide_sources import SOURCES
from bnlab.show.scaled import scaled_words
from bnlab.verdicts import evidence

WITHDRAWN = "Our evidence no longer carries the advice that stood here: look at the verdicts."
NOTHING = "Not measured in this book."
CLINIC = "14_clinic"
COLUMNS = ("Your situation", "Advice, and why", "What it rests on")
STYLE = (
    ".bnlab-guide td:last-child{white-space:normal}.bnlab-guide td{width:38%}"
    ".bnlab-guide td:first-child{width:18%;font-weight:600}"
    ".bnlab-guide td p{margin:0 0 .5em;max-width:none}"
    "@media(max-width:640px){.bnlab-table.bnlab-guide td{width:auto}}"
)


def names_of(row: Row) -> tuple[str, ...]:
    """Ids of the claims whose facts a row uses."""
    fields = (name for _, name, _, _ in string.Formatter().parse(row.measured) if name)
    return tuple(dict.fromkeys(name.partition("[")[0] for name in fields))


def told(row: Row) -> tuple[str, str, str]:
    """Advice, reason, and what was measured; withdrawn if the facts fail it, or are missing."""
    if not row.measured:
        return row.advice, row.why, ""
    try:
        known = {name: Facts(claims.load(name).facts) for name in names_of(row)}
    except FileNotFoundError as error:
        return WITHDRAWN, "", f"The evidence is missing: {error}"
    measured = Formatter().vformat(row.measured, (), known)
    if not row.carries(known):
        return WITHDRAWN, "", measured
    return row.advice, row.why, measured


@checked
def guide() -> Shown:
    """All rows as a table; every claim in it is a link to its row of the scoreboard."""
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(_row(row) for row in ROWS)
    page = (
        f'<style>{STYLE}</style><div class="bnlab-table bnlab-guide"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return Shown(page, "\n".join(_text(row) for row in ROWS))


def _row(row: Row) -> str:
    advice, why, measured = told(row)
    text = (measured or NOTHING).replace(" %", "\u00a0%")
    rests = [f"<p>{html.escape(text)}</p>"]
    if row.claims:
        rests.append(f"<p>{'; '.join(map(_link, row.claims))}. {_chapters(row)}</p>")
    if row.literature:
        papers = "; ".join(
            f'<a href="{SOURCES[key][1]}">{SOURCES[key][0]}</a>: {html.escape(says)}'
            for key, says in row.literature.items()
        )
        rests.append(f"<p><i>Literature.</i> {papers}.</p>")
    what = f"<p><b>{html.escape(advice)}</b></p><p>{html.escape(why)}</p>"
    cells = (html.escape(row.when), what, "".join(rests))
    inner = "".join(
        f'<td data-column="{column}">{cell}</td>'
        for column, cell in zip(COLUMNS, cells, strict=True)
    )
    return f"<tr>{inner}</tr>"


def _link(name: str) -> str:
    word = html.escape(scaled_words(evidence.find(claims.CLAIMS, name)))
    return f'<a class="bnlab-page" href="13_scoreboard.ipynb#claim-{name}">{name}</a>: {word}'


def _chapters(row: Row) -> str:
    """A link to each chapter that measured a claim of the row, and to each card of the clinic."""
    measured = [claims.claim(name) for name in row.claims if claims.claim(name).measure is not None]
    places = dict.fromkeys(map(_place, measured))
    return " ".join(f'<a class="bnlab-page" href="{place}">{text}</a>.' for place, text in places)


def _place(item: claims.Claim) -> tuple[str, str]:
    """Where a claim is tested, and what the place is called."""
    if item.chapter == CLINIC:
        return f"{CLINIC}.ipynb#{item.id.lower()}", f"Card {item.id}"
    return f"{item.chapter}.ipynb", f"Chapter {item.chapter[:2]}"


def _text(row: Row) -> str:
    advice, why, measured = told(row)
    lines = [f"{row.when}: {advice} {why}".rstrip(), measured or NOTHING]
    lines += [f"{name}: {scaled_words(claims.claim(name))}" for name in row.claims]
    lines += [f"{SOURCES[key][0]}: {says}." for key, says in row.literature.items()]
    first, *others = lines
    return "\n".join([fill(first), *(fill(f"  {line}") for line in others)])


@checked
def say_guide() -> Shown:
    """How many rows rest on measurements, and how many on literature alone."""
    own = sum(bool(row.measured) for row in ROWS)
    text = (
        f"{len(ROWS)} situations. For {own} of them this book measured something; the other "
        f"{len(ROWS) - own} rest on the papers that are named there."
    )
    return Shown(f'<p class="bnlab-say">{text}</p>', fill(text))
