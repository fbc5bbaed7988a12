"""The scoreboard: every claim with its verdict, all effects in one column, and their sum."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bnlab import claims
from bnlab.claims import Evidence
from bnlab.claims.standings import Standing, standings, totals
from bnlab.draw.shown import Shown, fill
from bnlab.draw.style import VERDICTS, dark
from bnlab.show.boxes import MARKS, PART_MARKS, Formatter
from bnlab.verdicts.evidence import file_name
from bnlab.verdicts.verdict import NOT_MEASURED, NOT_TESTABLE, WORDS, Claim, Judgement

COLUMNS = ("Claim", "Verdict", "What came out", "Evidence")
ALL = "all"
WORDS_SHOWN = (*WORDS, NOT_MEASURED, NOT_TESTABLE)
STYLE = (
    ".bnlab-scoreboard .filter{display:flex;flex-wrap:wrap;gap:.5em 1.5em;margin:.8em 0;"
    "align-items:end}.bnlab-scoreboard label{display:block;font-weight:600}"
    ".bnlab-scoreboard select{font:inherit;font-weight:400;background:Canvas;color:CanvasText;"
    "padding:.35em .5em;min-height:2.4em;max-width:100%;border:1px solid currentColor;"
    "border-radius:.3em}.bnlab-scoreboard .count{margin:0;padding:.35em 0}"
    # Columns of fixed share, so that a filter does not move them; an opened row gives its first
    # cell, which holds the details, the whole width.
    "@media(min-width:641px){.bnlab-scoreboard :is(table,thead,tbody){display:block}"
    ".bnlab-scoreboard tr{display:grid;grid-template-columns:"
    "minmax(0,36fr) minmax(0,17fr) minmax(0,30fr) minmax(0,17fr);"
    "border-bottom:1px solid color-mix(in srgb,currentColor 25%,transparent)}"
    ".bnlab-table.bnlab-scoreboard :is(th,td){border:0}"
    ".bnlab-scoreboard tr:has([open]) td:first-child{grid-column:1/-1}"
    ".bnlab-scoreboard tr:has([open]) td:nth-child(2){grid-column:2}}"
    ".bnlab-scoreboard td:last-child{white-space:normal}"
    ".bnlab-scoreboard td{overflow-wrap:break-word}"
    ".bnlab-scoreboard ul{list-style:none;margin:0;padding:0}"
    ".bnlab-scoreboard li{margin:0 0 .3em}.bnlab-scoreboard dl{margin:.4em 0}"
    ".bnlab-scoreboard details.bnlab-more{border:0;margin:.3em 0;padding:0}"
    ".bnlab-scoreboard dt{font-weight:600}"
    ".bnlab-scoreboard dd{margin:0 0 .4em}"
    ".bnlab-scoreboard summary{cursor:pointer}"
    ".bnlab-scoreboard .word{font-weight:700}"
    "@media(max-width:640px){.bnlab-scoreboard td:first-child::before{content:none}}"
)


def _colours() -> str:
    """CSS that gives the verdicts' words their colours."""
    rules = ""
    for word, look in VERDICTS.items():
        place = f'.bnlab-scoreboard tr[data-verdict="{word}"] .word'
        rules += f"{place}{{color:{look['light']}}}" + dark(place, f"color:{look['dark']}")
    return rules


def _filters(papers: Sequence[str]) -> str:
    """CSS that hides what the two choices leave out: it needs no kernel and no script."""
    rules = ""
    for name, values in (("paper", papers), ("verdict", WORDS_SHOWN)):
        for value in values:
            chosen = f'.bnlab-scoreboard:has(select[name={name}] option[value="{value}"]:checked)'
            rules += (
                f'{chosen} tr[data-{name}]:not([data-{name}="{value}"]){{display:none!important}}'
            )
    return rules


def scoreboard() -> Shown:
    """Every claim with its verdict, effects and evidence; to be filtered by paper and verdict."""
    table = standings(claims.CLAIMS)
    papers = dict.fromkeys((one.claim.paper, one.claim.authors) for one in table)
    written = {item.chapter for item in claims.CLAIMS.values() if item.measure is not None}
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(_row(one, written) for one in table)
    choices = _select("paper", "Paper", papers) + _select(
        "verdict", "Verdict", [(word, f"{MARKS[word]} {word}") for word in WORDS_SHOWN]
    )
    css = STYLE + _colours() + _filters([key for key, _ in papers])
    page = (
        f'<style>{css}</style><div class="bnlab-table bnlab-scoreboard">'
        f'<div class="filter" role="group" aria-label="Filter the claims">{choices}'
        f'<p class="count" role="status">{len(table)} claims</p></div>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return Shown(page, "\n".join(_text(one) for one in table))


def _select(name: str, label: str, options: Sequence[tuple[str, str]]) -> str:
    inner = "".join(
        f'<option value="{html.escape(value)}">{html.escape(text)}</option>'
        for value, text in ((ALL, "all"), *options)
    )
    return f"<label>{label}<br><select name={name}>{inner}</select></label>"


def _row(one: Standing, written: set[str]) -> str:
    item = one.claim
    first = (
        f"<b>{item.id}.</b> {html.escape(item.sentence)} <i>({html.escape(item.authors)})</i>"
        f'<details class="bnlab-more"><summary>More on {item.id}</summary>{_more(item)}</details>'
    )
    word = f'<span class="word">{MARKS[one.word]}\u00a0{one.word}</span>'
    parts = "".join(f"<li>{html.escape(_part(j))}</li>" for j in one.judgements)
    came_out = f"<ul>{parts}</ul>" if parts else "nothing yet"
    if item.untestable:  # the verdict, now or later, is about another test
        came_out += f"<br>Tested instead: {html.escape(item.instead)}"
    cells = (first, word, came_out, _sources(one, written))
    inner = "".join(
        f'<td data-column="{column}">{cell}</td>'
        for column, cell in zip(COLUMNS, cells, strict=True)
    )
    return (
        f'<tr id="claim-{item.id}" data-paper="{item.paper}" data-verdict="{one.word}">{inner}</tr>'
    )


def _more(item: Claim) -> str:
    rows = {}
    if item.untestable:
        rows = {"It cannot be tested here": item.untestable}
    rows |= {
        "It would be false if": item.falsifier,
        "Our prediction": item.prediction,
        "How far we are from the paper": item.gap,
    }
    rows |= {
        f"Part {effect.name!r}": f"{effect.sentence}; counts, if {effect.counts_if}."
        for effect in item.effects
    }
    inner = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in rows.items())
    return f"<dl>{inner}</dl>"


def _part(judgement: Judgement) -> str:
    return f"{PART_MARKS[judgement.word]} {judgement.effect.name}: {judgement.measured}"


def _sources(one: Standing, written: set[str]) -> str:
    lines = [_measured(one.claim, scale, found) for scale, found in one.found.items()]
    if one.claim.chapter in written:
        number = one.claim.chapter[:2]
        # On the site the address becomes that of the page: see tools/site_links.py.
        lines.append(f'<a class="bnlab-page" href="{one.claim.chapter}.ipynb">chapter {number}</a>')
    return "<br>".join(lines) or "none yet"


def _measured(item: Claim, scale: str, found: Evidence) -> str:
    name = file_name(item, scale)
    text = f"{scale}, {len(found.data['seeds'])} seeds, {found.meta['device']}"
    word = "" if scale == "digits" else f"; {found.verdict.said}"
    return f'{html.escape(text + word)}<br><a href="../results/{name}">{name}</a>'


def _text(one: Standing) -> str:
    lines = [f"{one.claim.id}: {one.word}. {one.claim.sentence}"]
    lines += [f"  {_part(judgement)}" for judgement in one.judgements]
    return "\n".join(fill(line) for line in lines)


def say_sum(template: str) -> Shown:
    """A sentence about all claims whose numbers come from the evidence, like ``say``."""
    facts = totals(standings(claims.CLAIMS))
    text = Formatter().vformat(template, (), facts)
    return Shown(f'<p class="bnlab-say">{html.escape(text)}</p>', fill(text))


def say_failed() -> Shown:
    """For each measured claim that is not shown, which of its parts decided."""
    table = standings(claims.CLAIMS)
    nothing = "Every claim that is measured is shown."
    if not any(one.judgements for one in table):
        nothing = "No claim is measured yet."
    lines = [_why(one) for one in table if one.judgements and one.word != "shown"] or [nothing]
    page = "".join(f'<p class="bnlab-say">{html.escape(line)}</p>' for line in lines)
    return Shown(page, "\n".join(fill(line) for line in lines))


def _why(one: Standing) -> str:
    verdict = one.found["digits"].verdict
    return f"{one.claim.id}: {verdict.said}. {verdict.sentence}"
