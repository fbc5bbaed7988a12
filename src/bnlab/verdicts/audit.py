"""Whether what is stored still holds: verdicts, Runs and code, and a sample measured again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bnlab.train import Run
from bnlab.verdicts.definition import definition
from bnlab.verdicts.evidence import BESIDE, Evidence, command, file_name, load, versions
from bnlab.verdicts.history import REPEATED as AGAIN
from bnlab.verdicts.history import result, unexplained, with_past
from bnlab.verdicts.provenance import closure, code_meaning
from bnlab.verdicts.source_modules import ProvenanceError
from bnlab.verdicts.verdict import Claim

CLOSE = 0.05
"""Ends of an interval may move by this share of its width: scipy may resample in another way."""

UNKNOWN = {
    "verdict": "measured before verdicts were kept: a change of it goes unnoticed",
    "result": "judged before measures were kept: a change of them goes unnoticed",
    "code": "measured before digests of the code were kept: a change of it goes unnoticed",
}


@dataclass(frozen=True)
class Report:
    """What a check found out about one file of evidence.

    Attributes:
        name: of the claim and, other than digits, the scale.
        wrong: what changed, each a sentence; the check fails.
        notes: what cannot be known, or was done; it does not fail.
    """

    name: str
    wrong: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.wrong and not self.notes:
            return f"{self.name}: holds"
        return "\n".join(f"{self.name}: {text}" for text in (*self.wrong, *self.notes))


def check_all(
    claims: Iterable[Claim], folder: Path, again: int = 0, stamps: bool = False
) -> Iterator[Report]:
    """Check all evidence that the claims have, or should have.

    Args:
        claims: those without a measurement are passed over.
        folder: where the evidence lies.
        again: how many seeds of each are measured again and compared, row by row.
        stamps: write into a file that passes that today's code vouches for it; needs ``again``.
    """
    for claim in claims:
        for scale in claim.scales:
            if scale == "digits" or (folder / file_name(claim, scale)).exists():
                yield check_file(claim, folder, scale, again, stamps)
            for engine in BESIDE:
                if (folder / engine / file_name(claim, scale)).exists():
                    yield check_repetition(claim, folder, engine, scale, again, stamps)


def foreign_files(claims: Iterable[Claim], folder: Path) -> list[Report]:
    """Files in the folder that are nobody's evidence."""
    known = {file_name(claim, scale) for claim in claims for scale in claim.scales}
    folders = (folder, *(folder / engine for engine in BESIDE))
    paths = sorted(path for each in folders for path in each.glob("*.json"))
    found = [str(path.relative_to(folder)) for path in paths if path.name not in known]
    return [Report(name, ("no claim has such evidence: remove the file",)) for name in found]


def check_repetition(
    claim: Claim,
    folder: Path,
    engine: str,
    scale: str = "digits",
    again: int = 0,
    stamps: bool = False,
) -> Report:
    """Check a measurement that was repeated by another engine: it holds, with the same verdict."""
    found = check_file(claim, folder / engine, scale, again, stamps)
    wrong = list(found.wrong)
    if not wrong:
        words = [load(claim, folder, scale, one).verdict.word for one in (None, engine)]
        if words[0] != words[1]:
            wrong.append(f"the verdict is {words[1]!r}, by the evidence that counts {words[0]!r}")
    return Report(f"{found.name}, in {engine}", tuple(wrong), found.notes)


def check_file(
    claim: Claim, folder: Path, scale: str = "digits", again: int = 0, stamps: bool = False
) -> Report:
    """Check one file of evidence; the arguments are those of ``check_all``."""
    name = claim.id if scale == "digits" else f"{claim.id} ({scale})"
    try:
        stored = load(claim, folder, scale)
        _ = stored.verdict
    except FileNotFoundError as error:
        return Report(name, (f"has a measurement and no evidence: {error}",))
    except (ValueError, KeyError, IndexError, TypeError) as error:
        return Report(name, (f"the evidence cannot be read: {error}",))
    wrong, code = [*changed_run(stored), *changed_verdict(stored)], []
    wrong += unexplained(claim, stored.meta)
    try:
        code += [*changed_code(stored), *changed_measure(stored)]
    except (ProvenanceError, OSError, SyntaxError) as error:
        wrong.append(f"which code it depends on cannot be read: {error}")
    notes = [text for what, text in UNKNOWN.items() if what not in stored.meta]
    if again:
        seeds, rows, differ = measured_again(stored, again)
        wrong += differ
        if not differ:
            notes.append(f"measured again: {rows} rows of seeds {seeds} are the same")
        if stamps and not wrong:
            stamped(stored, seeds, rows).save(folder)
            return Report(name, (), (notes[-1], "stamped: today's code gives these numbers"))
    return Report(name, (*wrong, *code), tuple(notes))


def changed_run(stored: Evidence) -> Iterator[str]:
    """What differs between the Run of the evidence and that of the measurement today."""
    scale, runs = stored.meta["scale"], stored.claim.runs
    if scale not in runs:
        yield f"there is no measurement at scale {scale!r} any more"
        return
    then, now = Run.from_dict(stored.data["base"]), runs[scale]
    for field in dataclasses.fields(Run):
        before, after = getattr(then, field.name), getattr(now, field.name)
        if before != after:
            yield (
                f"its Run changed: {field.name} was {before!r}, is {after!r}. Renew it with "
                f"'{command(stored.claim, scale)}'."
            )


def changed_verdict(stored: Evidence) -> Iterator[str]:
    """How the verdict that follows today differs from the one that followed when measured."""
    if "verdict" not in stored.meta:
        return
    then, now = stored.meta["verdict"], stored.verdict.summary
    advice = f"Renew it with '{command(stored.claim, stored.meta['scale'])}'."
    if then["word"] != now["word"]:
        yield f"the verdict was {then['word']!r}, {now['word']!r} follows now. {advice}"
    before, after = ({e["name"]: e for e in each["effects"]} for each in (then, now))
    if list(before) != list(after):
        yield f"its effects were {', '.join(before)}, are {', '.join(after)}. {advice}"
        return
    for name, old in before.items():
        new = after[name]
        near = CLOSE * (old["high"] - old["low"]) + 1e-5 * abs(old["mean"]) + 1e-12
        for key in old:
            same = old[key] == new[key]
            if not same and key in ("mean", "low", "high"):
                same = abs(old[key] - new[key]) <= near
            if not same:
                yield f"effect {name}: {key} was {old[key]!r}, is {new[key]!r}. {advice}"


def changed_code(stored: Evidence) -> Iterator[str]:
    """Whether the code that the data depend on does something else now."""
    kept, now = stored.meta.get("code"), closure(stored.claim.measure)
    if kept and kept["digest"] != now.digest:
        name = stored.claim.id
        yield (
            f"its code changed since: something in {', '.join(now.folders)} that its measurement "
            f"reaches ('python -m bnlab.claims code {name}' lists it). If the numbers are the "
            f"same, 'python -m bnlab.claims check {name} --repeat 2 --stamp' finds out and says so "
            f"in the file; if not, '{command(stored.claim, stored.meta['scale'])}'."
        )


def changed_measure(stored: Evidence) -> Iterator[str]:
    """Whether the claim measures something else now, or judges it in another way."""
    kept = stored.meta.get("result")
    if kept and kept["definition"] != definition(stored.claim):
        name = stored.claim.id
        yield (
            f"what it measures changed since: its effects, its core, or definitions of its "
            f"chapter. 'python -m bnlab.claims check {name} --repeat 2 --stamp' if the rows and "
            f"values are the same, 'python -m bnlab.claims judge {name}' if the rows are; else "
            f"'{command(stored.claim, stored.meta['scale'])}'."
        )


def measured_again(stored: Evidence, count: int) -> tuple[list[int], int, list[str]]:
    """Measure some seeds again, and compare their rows with the stored ones, to the last bit.

    Returns:
        The seeds, the number of rows that were compared, and a sentence for each that differs.
    """
    seeds, found = rows_again(stored, count)
    data, rows = stored.data, by_identity(stored.data)
    differ = [
        f"measured again, {name_of_row(data, key)} differs: "
        f"{first_difference(data, rows[key], row)} "
        f"(measured with torch {stored.meta['versions']['torch']} on {stored.meta['device']}, now "
        f"torch {versions()['torch']}; another machine may sum in another order)"
        if key in rows
        else f"measured again, {name_of_row(data, key)} is new"
        for key, row in found.items()
        if rows.get(key) != row
    ]
    return seeds, len(found), differ


def rows_again(stored: Evidence, count: int) -> tuple[list[int], dict[tuple, list]]:
    """Measure some seeds again: the seeds, and their rows by what names them."""
    seeds, data = data_again(stored, count)
    found = by_identity(data)
    return seeds, {key: row for key, row in found.items() if key[-1] in seeds}


def data_again(stored: Evidence, count: int) -> tuple[list[int], dict]:
    """Measure some seeds again: the seeds, and what the measurement gives of them."""
    seeds, claim = sample(stored.data["seeds"], count), stored.claim
    repeat: Callable = claim.repeat or (lambda _, seeds: claim.measure(seeds=seeds))
    return seeds, repeat(stored.data, seeds)


def sample(seeds: list[int], count: int) -> list[int]:
    """``count`` of the seeds, the first and the last among them."""
    places = np.linspace(0, len(seeds) - 1, min(count, len(seeds))).round().astype(int)
    return [seeds[place] for place in places]


def by_identity(data: dict) -> dict[tuple, list]:
    """Rows by what names them: the columns up to the seed."""
    end = data["columns"].index("seed") + 1
    return {tuple(row[:end]): row for row in data["rows"]}


def name_of_row(data: dict, key: tuple) -> str:
    """What names a row, in words."""
    return ", ".join(f"{c} {value}" for c, value in zip(data["columns"], key, strict=False))


def first_difference(data: dict, before: list, after: list) -> str:
    """The first column in which two rows differ, in words."""
    for column, old, new in zip(data["columns"], before, after, strict=True):
        if old != new:
            return f"{column} was {str(old)[:40]}, is {str(new)[:40]}"
    return "the number of columns"


def stamped(stored: Evidence, seeds: list[int], rows: int) -> Evidence:
    """The same evidence, vouched for by today's code: a sample measured again was the same."""
    code = {
        "digest": code_meaning(stored.claim.measure),
        "how": "repeated",
        "seeds": seeds,
        "rows": rows,
        "versions": versions(),
    }
    meta = {**stored.meta, "verdict": stored.verdict.summary, "code": code}
    today = definition(stored.claim)
    kept = stored.meta.get("result")
    if not kept or kept["definition"] == today:
        return Evidence(stored.claim, stored.data, meta)
    new = {**meta, "result": result(AGAIN, today)}
    return Evidence(stored.claim, stored.data, with_past(new, stored.meta))
