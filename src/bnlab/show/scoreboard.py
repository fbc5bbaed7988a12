"""The scoreboard: every claim with its verdict, all effects in one column, and their sum."""

from __future__ import annotations

import html
import importlib
from collections.abc import Sequence

from bnlab import chapters, claims
from bnlab.arguments import checked
from bnlab.claims import Evidence
from bnlab.claims.standings import Standing, standings, totals
from bnlab.draw.shown import Shown, fill
from bnlab.draw.style import VERDICTS, dark
from bnlab.errors import check_name
from bnlab.show.boxes import FIRST_WORD, PART_MARKS, Formatter, capitalized, notes_on
from bnlab.show.repeat_here import where_repeated
from bnlab.show.scaled import MARKS, clause
from bnlab.verdicts.evidence import file_name
from bnlab.verdicts.verdict import (
    ALGEBRA,
    CIFAR10,
    DIGITS,
    NOT_MEASURED,
    SCALES,
    SHOWN,
    WORDS,
    Claim,
    Judgement,
)

COLUMNS = ("Claim", "Digits", "CIFAR-10", "What came out", "Engine", "Evidence")
CHOICES = {  # what can be chosen beside the paper, by the name of its data attribute
    "verdict": (DIGITS, tuple(MARKS)),
    "cifar10": (CIFAR10, (*WORDS, NOT_MEASURED)),
}
ALL = "all"
NOTHING = "none yet"
ENGINES = {"compiled": "compiled", "stack": "PyTorch, in stacks"}
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
    "minmax(0,26fr) minmax(0,13fr) minmax(0,12fr) minmax(0,24fr) minmax(0,12fr) minmax(0,13fr);"
    "border-bottom:1px solid color-mix(in srgb,currentColor 25%,transparent)}"
    ".bnlab-table.bnlab-scoreboard :is(th,td){border:0}"
    ".bnlab-scoreboard tr:has([open]) td:first-child{grid-column:1/-1}"
    ".bnlab-scoreboard tr:has([open]) td:nth-child(2){grid-column:2}}"
    ".bnlab-scoreboard :is(td:last-child,th){white-space:normal}"
    ".bnlab-scoreboard tr.question{display:block;padding:1em 0 .2em}"
    ".bnlab-scoreboard .question th{display:block;font-size:1.1em}"
    ".bnlab-scoreboard tbody[hidden]{display:none!important}"
    ".bnlab-scoreboard td{overflow-wrap:break-word}"
    ".bnlab-table.bnlab-scoreboard :is(th,td){padding-right:.5em}"
    ".bnlab-scoreboard td:nth-child(n+3){font-size:.9em}"
    ".bnlab-scoreboard ul{list-style:none;margin:0;padding:0}"
    ".bnlab-scoreboard li{margin:0 0 .3em}.bnlab-scoreboard dl{margin:.4em 0}"
    ".bnlab-scoreboard details.bnlab-more{border:0;margin:.3em 0;padding:0}"
    ".bnlab-scoreboard dt{font-weight:600}"
    ".bnlab-scoreboard dd{margin:0 0 .4em}"
    ".bnlab-scoreboard summary{cursor:pointer}"
    ".bnlab-scoreboard .word{font-weight:700}"
    ".bnlab-scoreboard .word[data-word='not measured yet']{font-weight:400}"
    ".bnlab-scoreboard .scale{margin:.4em 0 .2em;font-weight:600}"
    "@media(max-width:640px){.bnlab-scoreboard td:first-child::before{content:none}}"
)


def _colours() -> str:
    """CSS that gives the verdicts' words their colours."""
    rules = ""
    for word, look in VERDICTS.items():
        place = f'.bnlab-scoreboard .word[data-word="{word}"]'
        rules += f"{place}{{color:{look['light']}}}" + dark(place, f"color:{look['dark']}")
    return rules


def _filters(papers: Sequence[str]) -> str:
    """CSS that hides what the choices leave out: it needs no kernel and no script."""
    rules = ""
    choices = {name: words for name, (_, words) in CHOICES.items()}
    for name, values in {"paper": papers, **choices}.items():
        for value in values:
            chosen = f'.bnlab-scoreboard:has(select[name={name}] option[value="{value}"]:checked)'
            other = f'{chosen} tr[data-{name}]:not([data-{name}="{value}"])'
            empty = f'{chosen} tbody:not(:has([data-{name}="{value}"]))'
            rules += f"{other},{empty}{{display:none!important}}"
    return rules


@checked
def scoreboard() -> Shown:
    """Every claim, question by question, with its verdict at each scale, parts and evidence.

    It can be filtered by paper and by the verdict at each scale.
    """
    table = sorted(standings(claims.CLAIMS), key=lambda one: one.claim.chapter)
    papers = dict.fromkeys((one.claim.paper, one.claim.authors) for one in table)
    written = {item.chapter for item in claims.CLAIMS.values() if item.measure is not None}
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    body = "".join(_question(name, table, written) for name in chapters.ALL)
    choices = _select("paper", "Paper", papers)
    for name, (scale, words) in CHOICES.items():
        marked = [(word, f"{MARKS[word]} {word}") for word in words]
        choices += _select(name, f"Verdict on {SCALES[scale]}", marked)
    css = STYLE + _colours() + _filters([key for key, _ in papers])
    page = (
        f'<style>{css}</style><div class="bnlab-table bnlab-scoreboard">'
        f'<div class="filter" role="group" aria-label="Filter the claims">{choices}'
        f'<p class="count" role="status">{len(table)} claims</p></div>'
        f"<table><thead><tr>{head}</tr></thead>{body}</table></div>"
    )
    return Shown(page, "\n".join(_text(one) for one in table))


def _select(name: str, label: str, options: Sequence[tuple[str, str]]) -> str:
    inner = "".join(
        f'<option value="{html.escape(value)}">{html.escape(text)}</option>'
        for value, text in ((ALL, "all"), *options)
    )
    return f"<label>{label}<br><select name={name}>{inner}</select></label>"


def _question(chapter: str, table: Sequence[Standing], written: set[str]) -> str:
    """The claims of a chapter below the question that it asks."""
    rows = [_row(one, written) for one in table if one.claim.chapter[3:] == chapter]
    if not rows:
        return ""
    question = importlib.import_module(f"{chapters.__name__}.{chapter}").QUESTION
    head = f'<th scope="rowgroup" colspan="{len(COLUMNS)}">{html.escape(question)}</th>'
    return f'<tbody><tr class="question">{head}</tr>{"".join(rows)}</tbody>'


def _row(one: Standing, written: set[str]) -> str:
    item = one.claim
    first = (
        f"<b>{item.id}.</b> {html.escape(item.sentence)} <i>({html.escape(item.authors)})</i>"
        f'<details class="bnlab-more"><summary>More on {item.id}</summary>{_more(one)}</details>'
    )
    came_out = "".join(_came_out(one, scale) for scale in one.found) or "nothing yet"
    if item.untestable:  # the verdict, now or later, is about another test
        came_out += f"<br>Tested instead: {html.escape(item.instead)}"
    words = (_word(one, scale) for scale in SCALES)
    cells = (first, *words, came_out, engine(one), _sources(one, written))
    inner = "".join(
        f'<td data-column="{column}">{cell}</td>'
        for column, cell in zip(COLUMNS, cells, strict=True)
    )
    words_at = "".join(
        f' data-{name}="{one.word_at(scale)}"' for name, (scale, _) in CHOICES.items()
    )
    return f'<tr id="claim-{item.id}" data-paper="{item.paper}"{words_at}>{inner}</tr>'


def _came_out(one: Standing, scale: str) -> str:
    parts = "".join(f"<li>{html.escape(_part(j))}</li>" for j in one.judgements_at(scale))
    return f'<p class="scale">On {SCALES[scale]}</p><ul>{parts}</ul>'


def _word(one: Standing, scale: str) -> str:
    word, said = one.word_at(scale), html.escape(one.said_at(scale))
    return f'<span class="word" data-word="{word}">{MARKS[word]}\u00a0{said}</span>'


def engine(one: Standing) -> str:
    """What trained the nets behind the verdicts, and whether a page can do it again to the bit."""
    lines = [f"{SCALES[scale]}: {_engine(found)}" for scale, found in one.found.items()]
    return "<br>".join(lines) or NOTHING


def _engine(found: Evidence) -> str:
    name, place = found.data.get("engine"), where_repeated(found.claim)
    if place:
        # On the site the address becomes that of the page: see tools/site_links.py.
        page = f"{found.claim.chapter}.ipynb{place}"
        return f'{name}; <a class="bnlab-page" href="{page}">train its nets again</a>'
    return ENGINES.get(name, "PyTorch")


def _more(one: Standing) -> str:
    """What the table has no room for, scale by scale."""
    items = [item for item in (one.claim, *one.claim.others) if item.effects]
    return "".join(
        f'<p class="scale">On {SCALES[item.scale]}</p>{_details(item, one.found.get(item.scale))}'
        for item in items
    )


def _details(item: Claim, found: Evidence | None) -> str:
    rows = {}
    if item.untestable:
        rows = {"It cannot be tested here": item.untestable}
    rows |= {
        "A part of it fails if": item.falsifier,
        "Our prediction, written before measuring": item.prediction,
        "How far we are from the paper": item.gap,
    }
    core = {True: " (core)", False: ""}
    rows |= {
        f"{capitalized(clause(effect))}{core[effect.name in item.core]}": "Measured: "
        f"{effect.sentence}; counts, if {effect.counts_if}."
        for effect in item.effects
    }
    if found:
        rows |= {"What the verdict means": found.verdict.sentence, **_past(found)}
    inner = "".join(f"<dt>{html.escape(k)}</dt><dd>{html.escape(v)}</dd>" for k, v in rows.items())
    return f"<dl>{inner}</dl>"


def _past(found: Evidence) -> dict[str, str]:
    """What stands under the verdict, and how the first edition's word came to change."""
    rows = notes_on(found)
    first = found.meta.get("first_edition")
    if first:
        changed = first["changed"]
        rows[FIRST_WORD] = f"{first['word']}, until {changed['day']}. {changed['why']}"
    return rows


def _part(judgement: Judgement) -> str:
    return f"{PART_MARKS[judgement.word]} {clause(judgement.effect)}: {judgement.measured}"


def _sources(one: Standing, written: set[str]) -> str:
    lines = [_measured(one.claim, scale, found) for scale, found in one.found.items()]
    if one.claim.chapter in written:
        number = one.claim.chapter[:2]
        # On the site the address becomes that of the page: see tools/site_links.py.
        lines.append(f'<a class="bnlab-page" href="{one.claim.chapter}.ipynb">chapter {number}</a>')
    return "<br>".join(lines) or NOTHING


def _measured(item: Claim, scale: str, found: Evidence) -> str:
    name = file_name(item, scale)
    text = f"{SCALES[scale]}, {len(found.data['seeds'])} seeds, {found.meta['device']}"
    return f'{html.escape(text)}<br><a href="../results/{name}">{name}</a>'


def _text(one: Standing) -> str:
    lines = [f"{one.claim.id}: {_said(one)}. {one.claim.sentence}"]
    for scale in one.found:
        lines += [f"  On {SCALES[scale]}, {_part(j)}" for j in one.judgements_at(scale)]
    return "\n".join(fill(line) for line in lines)


def _said(one: Standing) -> str:
    """The verdicts' words with their scales, or why there is none."""
    words = [f"{one.said_at(scale)} on {SCALES[scale]}" for scale in one.found]
    return "; ".join(words) or one.word


@checked
def say_sum(template: str, scale: str = DIGITS) -> Shown:
    """A sentence about all claims whose numbers come from the evidence, like ``say``.

    Args:
        template: with fields such as ``{shown_ids}``, see ``totals``.
        scale: whose verdicts are counted. Where nothing is measured there, it says only that.
    """
    facts = totals(standings(claims.CLAIMS), scale)
    text = Formatter().vformat(template, (), facts) if facts["measured"] else _nothing(scale)
    return Shown(f'<p class="bnlab-say">{html.escape(text)}</p>', fill(text))


def _nothing(scale: str) -> str:
    return f"No claim is measured on {SCALES[scale]} yet."


@checked
def say_failed(scale: str = DIGITS) -> Shown:
    """For each claim that is measured at a scale and not shown there, which parts decided."""
    check_name("scale", scale, SCALES)
    verdicts = [one.found[scale].verdict for one in standings(claims.CLAIMS) if scale in one.found]
    nothing = f"Every claim that is measured on {SCALES[scale]} is shown there."
    lines = [
        f"{verdict.claim.id}: {verdict.said}. {verdict.sentence}"
        for verdict in verdicts
        if verdict.word not in (SHOWN, ALGEBRA)
    ] or [nothing if verdicts else _nothing(scale)]
    inner = "".join(f'<p class="bnlab-say">{html.escape(line)}</p>' for line in lines)
    summary = f"Claim by claim, what holds on {SCALES[scale]} and what does not"
    page = f'<details class="bnlab-more"><summary>{summary}</summary>{inner}</details>'
    return Shown(page, "\n".join(fill(line) for line in lines))
