"""Boxes for claims, verdicts and sentences: HTML in a notebook, plain text elsewhere."""

from __future__ import annotations

import html
import re
import string
from collections.abc import Sequence

from bnlab import claims
from bnlab.arguments import checked
from bnlab.claims import Evidence, Judgement, Verdict
from bnlab.draw.shown import Shown, fill, table
from bnlab.draw.style import PARTS
from bnlab.draw.words import power, size, span
from bnlab.show.repeat_here import repeat_here
from bnlab.show.scaled import MARKS, clause, is_measured, marked_word
from bnlab.train import Run
from bnlab.verdicts.parts import NONE, WRONG
from bnlab.verdicts.verdict import ALGEBRA, CIFAR10, DIGITS, LEAST_SEEDS, SCALES, SHOWN

FIRST_WORD = "Word of the first edition"
PREDICTED = "Our prediction, written before these seeds were run"
AT_ONCE = ("Our prediction", "What the authors could answer", "This run")
"""Notes under a verdict that are read without opening its details."""

PART_MARKS = {word: look["mark"] for word, look in PARTS.items()}


def paragraphs(rows: dict[str, str]) -> tuple[str, str]:
    """Lines that begin with a name in bold, as HTML and as plain text."""
    page = "".join(f"<p><b>{html.escape(k)}:</b> {html.escape(v)}</p>" for k, v in rows.items())
    return page, "\n".join(fill(f"{k}: {v}") for k, v in rows.items())


def unfold(summary: str, page: str) -> str:
    """HTML that a reader opens."""
    return f"<details><summary>{html.escape(summary)}</summary>{page}</details>"


def claim_box(name: str, scale: str = DIGITS) -> Shown:
    """The box that opens a measurement: the claim, what would make it false, our prediction.

    Args:
        name: the claim's id.
        scale: for which it is written: ``digits`` or ``cifar10``.
    """
    item = claims.claim(name, scale)
    rows = {"Claim": f"{item.sentence} ({item.authors})"}
    if item.untestable:
        rows |= {"It cannot be tested here": item.untestable, "Tested instead": item.instead}
    rows["A part of it fails if"] = item.falsifier
    page, text = paragraphs(rows)
    folded, told = paragraphs({PREDICTED: item.prediction})
    page, text = page + unfold(f"{PREDICTED}: guess first", folded), f"{text}\n{told}"
    head = f"Claim {item.id}" + (f" on {SCALES[scale]}" if scale != DIGITS else "")
    return Shown(
        f'<div class="bnlab-box claim" role="group" aria-label="{head}">'
        f'<p class="head">{head}</p>{page}</div>',
        f"{head}\n{text}",
    )


@checked
def how_far(*names: str) -> Shown:
    """How far our nets and data are from the paper's, once for all claims of a chapter.

    Args:
        names: ids of claims, on digits. Those with the same answer share it.
    """
    said: dict[str, list[str]] = {}
    for name in names:
        said.setdefault(claims.claim(name).gap, []).append(name)
    page, text = paragraphs({", ".join(ids): gap for gap, ids in said.items()})
    head = "How far we are from the paper"
    return Shown(
        f'<div class="bnlab-box claim" role="group" aria-label="{head}">'
        f'<p class="head">{head}</p>{page}</div>',
        f"{head}\n{text}",
    )


@checked
def verdict_box(name: str, here: Evidence | None = None, scale: str = DIGITS) -> Shown:
    """The box that closes a measurement: the verdict, computed from the evidence.

    Args:
        name: the claim's id.
        here: what this notebook has just measured of this claim, shown beside the evidence.
        scale: at which the verdict holds: ``digits`` or ``cifar10``.

    Raises:
        ValueError: if ``here`` is the measurement of another claim, or at another scale.
    """
    if here is not None and here.claim.id != name:
        raise ValueError(f"here is a measurement of {here.claim.id}; the box is about {name}.")
    if here is not None and here.claim.scale != scale:
        raise ValueError(
            f"here is a measurement on {SCALES[here.claim.scale]}; the box is about the verdict "
            f"on {SCALES[scale]}."
        )
    evidence = claims.load(name, scale=scale)
    verdict = evidence.verdict
    head = f"{MARKS[verdict.word]} {name}: {verdict.said} on {verdict.where}"
    columns = ["The claim says", "What was measured", "Counts, if", "Evidence", "So"]
    if here is not None:
        count = len(here.data["seeds"])
        columns.insert(4, f"This run, {count} seed{'s' if count > 1 else ''}")
    rows = [_row(j, verdict, here) for j in verdict.judgements]
    page, text = table(columns, rows)
    told = _elsewhere(name, scale) | notes_on(evidence, here)
    _, notes_text = paragraphs(told)
    first, _ = paragraphs({k: v for k, v in told.items() if k in AT_ONCE})
    rest, _ = paragraphs({k: v for k, v in told.items() if k not in AT_ONCE})
    return Shown(
        f'<div class="bnlab-box {verdict.word.replace(" ", "-")}" role="group" '
        f'aria-label="Verdict on {name}, on {verdict.where}">'
        f'<p class="head">{html.escape(head)}</p>'
        f"<p>{html.escape(verdict.sentence)}</p>{first}"
        f"{unfold('Parts, margins and intervals', page + rest)}</div>{repeat_here(evidence.claim)}",
        f"{head}\n{fill(verdict.sentence)}\n{text}\n{notes_text}",
    )


def _elsewhere(name: str, scale: str) -> dict[str, str]:
    """The verdict on CIFAR-10, under that on digits."""
    item = claims.claim(name)
    if scale != DIGITS or not is_measured(item):
        return {}
    return {f"On {SCALES[CIFAR10]}": f"{marked_word(item, CIFAR10)}; see the last section."}


def _row(judgement: Judgement, verdict: Verdict, here: Evidence | None) -> list[str]:
    effect = judgement.effect
    cells = [
        capitalized(clause(effect)) + (" (core)" if effect.name in verdict.claim.core else ""),
        effect.sentence,
        effect.counts_if,
        judgement.measured,
        f"{PART_MARKS[judgement.word]} {judgement.word}",
    ]
    if here is not None:
        cells.insert(4, size(float(here.values[effect.name].mean()), effect.unit))
    return cells


def notes_on(evidence: Evidence, here: Evidence | None = None) -> dict[str, str]:
    """What stands under a verdict: seeds, prediction, changes, earlier word, the authors' answer.

    Args:
        evidence: behind the verdict.
        here: a measurement beside it.
    """
    verdict, item = evidence.verdict, evidence.claim
    rows = {
        "Evidence": f"mean over {verdict.seeds} seeds with its 95\u00a0% interval; a part holds if "
        "the whole interval is where the margin puts it. Margins are ours, fixed before measuring."
    }
    if item.scale == CIFAR10:
        rows["Images and nets"] = images_and_nets(evidence)
    if here is not None and len(here.data["seeds"]) < LEAST_SEEDS:
        rows["This run"] = f"fewer than {LEAST_SEEDS} seeds, too few for a verdict of its own."
    rows["Our prediction"] = prediction(verdict)
    if item.changes:
        told = (f"{one.day}: {one.what} {one.why}" for one in item.changes)
        rows["Changed after a first result"] = " ".join(told)
    first = evidence.meta.get("first_edition")
    if first:
        rows[FIRST_WORD] = f"{first['word']}, by another rule and other parts."
    if verdict.word not in (SHOWN, ALGEBRA) and item.answer:
        rows["What the authors could answer"] = item.answer
    return rows


def prediction(verdict: Verdict) -> str:
    """Whether our prediction was right, and where it was not."""
    if verdict.prediction != WRONG:
        return f"{verdict.prediction}."
    wrong = [j for j in verdict.judgements if j.prediction == WRONG]
    count = sum(j.prediction != NONE for j in verdict.judgements)
    told = "; ".join(
        f"{clause(j.effect)}: predicted {span(*j.effect.predicted, j.effect.unit)}, "
        f"measured {size(j.mean, j.effect.unit)}"
        for j in wrong
    )
    return f"wrong in {len(wrong)} of {count} parts. {capitalized(told)}."


def capitalized(text: str) -> str:
    """The text with a large first letter."""
    return text[:1].upper() + text[1:]


def images_and_nets(evidence: Evidence) -> str:
    """Which copy of the images, what the trainings start from, which seeds and how long it took."""
    run, seeds, meta = Run.from_dict(evidence.data["base"]), evidence.data["seeds"], evidence.meta
    pixels = f", {run.image_size} × {run.image_size} pixels" if run.image_size else ""
    return (
        f"{meta.get('images') or run.data}{pixels}. The Run that was varied: {run.net} of depth "
        f"{run.depth} and width {run.width}, {run.steps:,} steps of {run.batch_size} images. "
        f"Seeds {_listed_seeds(seeds)}; {meta['device']}, {meta['seconds'] / 60:.0f} minutes."
    )


def _listed_seeds(seeds: Sequence[int]) -> str:
    first, last = min(seeds), max(seeds)
    in_a_row = sorted(seeds) == list(range(first, last + 1)) and first < last
    return f"{first} to {last}" if in_a_row else ", ".join(map(str, seeds))


def claims_table(paper: str) -> Shown:
    """All claims of a paper with their verdicts."""
    items = [item for item in claims.CLAIMS.values() if item.paper == paper]
    if not items:
        known = sorted({item.paper for item in claims.CLAIMS.values()})
        raise ValueError(f"no claims of paper {paper!r}. Known: {', '.join(known)}.")
    rows = [[i.id, i.sentence, *(marked_word(i, scale) for scale in SCALES)] for i in items]
    page, text = table(["Id", "Claim", *(f"Verdict on {said}" for said in SCALES.values())], rows)
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


@checked
def say(name: str, template: str, engine: str | None = None, scale: str = DIGITS) -> Shown:
    """A sentence whose numbers come from the evidence, so that it follows when that changes.

    Args:
        name: the claim's id.
        template: text with fields such as ``{ratio_12:.0f}``, facts of the claim; ``:power``
            writes large numbers as powers of ten. What stands between ``**`` is bold.
        engine: of the evidence, see ``claims.load``.
        scale: of the evidence: ``digits`` or ``cifar10``.
    """
    return _paragraph(Formatter().vformat(template, (), claims.load(name, engine, scale).facts))


class Facts(dict):
    """Facts of a claim by their names; an unknown name lists the known ones."""

    def __missing__(self, name: str) -> object:
        raise ValueError(f"no fact {name!r}. Known: {', '.join(sorted(self))}.")


@checked
def say_together(template: str) -> Shown:
    """A paragraph with numbers of several claims, such as ``{B1[ratio_12]:.0f}``, like ``say``.

    Those of another scale are written ``{B1@cifar10[ratio]:.0f}``.
    """
    return _paragraph(filled(template))


def filled(template: str) -> str:
    """The text of ``say_together``."""
    fields = (name for _, name, _, _ in string.Formatter().parse(template) if name)
    names = dict.fromkeys(name.partition("[")[0] for name in fields)
    known = {name: Facts(_evidence(name).facts) for name in names}
    return Formatter().vformat(template, (), known)


def _evidence(name: str) -> Evidence:
    """Of ``B1`` on digits, of ``B1@cifar10`` on CIFAR-10."""
    claim, _, scale = name.partition("@")
    return claims.load(claim, scale=scale or DIGITS)


def _paragraph(text: str) -> Shown:
    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(text))
    return Shown(f'<p class="bnlab-say">{bold}</p>', fill(text.replace("**", "")))


@checked
def say_verdict(*names: str) -> Shown:
    """The verdicts on claims in sentences: the claim, the word, and what it means.

    They are those on digits; ``B1@cifar10`` is that on CIFAR-10.
    """
    lines = []
    for name in names:
        verdict = _evidence(name).verdict
        item = verdict.claim
        lines.append(
            f"{item.id} ({item.authors}): {item.sentence} The verdict on {verdict.where}: "
            f"{verdict.said}. {verdict.sentence}"
        )
    page = "".join(f'<p class="bnlab-say">{html.escape(line)}</p>' for line in lines)
    return Shown(page, "\n".join(fill(line) for line in lines))
