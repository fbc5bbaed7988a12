"""What became of a claim before: its earlier results, which stay in the file of its evidence."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import date

from bnlab.verdicts.verdict import Claim

RULE = 2
RULE_CHANGED = {
    "day": "2026-11-29",
    "why": (
        "The first edition's rule called a claim as strong as its weakest part, and called it "
        "reversed if a number was larger than the claim allows. Now a claim has a core, which "
        "decides, and only a direction can be reversed. No margin, seed or measure was changed "
        "for that."
    ),
}
"""The rule by which verdicts are reached, see ``verdict``; the first edition's was rule 1."""

MEASURED, JUDGED, REPEATED = "measured", "judged anew", "repeated"
KEYS = ("rule", "result", "history", "first_edition")


def result(how: str, definition: str, day: str | None = None) -> dict[str, str]:
    """When a result was found, how, and by what measures (see ``definition``)."""
    return {"day": day or date.today().isoformat(), "how": how, "definition": definition}


def with_past(meta: Mapping, past: Mapping | None) -> dict:
    """The meta data of a result, with the results that its file held before.

    Args:
        meta: of the new result.
        past: of the evidence that it replaces, if there was any.
    """
    found = {**meta, "rule": RULE}
    if past is None or "verdict" not in past:
        return found
    before = {**past.get("result", {"definition": None}), "verdict": past["verdict"]}
    found["history"] = [*past.get("history", []), before]
    first = past.get("first_edition")
    if past.get("rule", 1) < RULE:
        first = {"word": past["verdict"]["word"], "changed": RULE_CHANGED}
    return {**found, "first_edition": first} if first else found


def unexplained(claim: Claim, meta: Mapping) -> Iterator[str]:
    """Sentences on changes of a measure, after a first result, that the claim does not tell.

    A result that was repeated to the last bit needs no word.
    """
    if "result" not in meta:
        return
    results = [*meta.get("history", []), meta["result"]]
    for before, after in itertools.pairwise(results):
        if before["definition"] == after["definition"] or after["how"] == REPEATED:
            continue
        if before["definition"] is None and after["how"] == JUDGED:
            continue  # by the new rule, the measures are those of the first edition
        day = before.get("day")  # files of the first edition have none
        since = day or RULE_CHANGED["day"]
        if not any(since <= change.day <= after["day"] for change in claim.changes):
            yield (
                f"its measure changed between {day or 'the first edition'} and {after['day']}, "
                "after a first result: say in its 'changes' what and why."
            )
