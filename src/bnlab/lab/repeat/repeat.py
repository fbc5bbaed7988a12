"""Repeat: the trainings behind a verdict are done again, row by row, and its word is computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

from bnlab.engines.compiled.page_sets import variants
from bnlab.errors import check_name
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.widget import ComputingWidget, Content, check_keys
from bnlab.lab.repeat.claim_json import claim_json
from bnlab.lab.repeat.effects import FORMULAS
from bnlab.lab.repeat.rows import SETS, arms_of, claim_of, seconds_of, trainings_of
from bnlab.verdicts import evidence
from bnlab.verdicts.again import Training, train_again
from bnlab.verdicts.race import outcome
from bnlab.verdicts.verdict import Verdict

FOLDER = Path(__file__).parent
NUMBERS = ("loss", "end", "val_accuracy", "test_accuracy", "diverged_at")
MOST_SEED = 2**31
LARGEST = 1e6
"""Of margins and values, as in ``margins.js``."""


class Repeat(ComputingWidget):
    """The trainings behind a verdict, done again on the compiled engine.

    A row turns green when its final weights have the digest of the evidence. Then intervals and
    words are computed from what was trained. On the website workers of the page train; with a
    kernel, Python does.

    Args:
        claim: whose verdict, a key of ``SETS``.
        start: the first of as many fresh seeds as the evidence has; None for those of the evidence.
        margins: of parts of the claim, by their names, in place of the claim's own.

    Raises:
        ValueError: for a claim that is not there, seeds that chose a learning rate, or a margin of
            no part.
        FileNotFoundError: if the claim has no evidence or no digests.
        DamagedFileError: if one of them was changed by hand.
    """

    _esm = bundle(FOLDER / "repeat.js")
    _css = stylesheet(FOLDER / "repeat.css")

    def __init__(
        self, claim: str = "T6", start: int | None = None, margins: dict[str, float] | None = None
    ) -> None:
        check_name("claim that can be repeated", claim, SETS)
        stored = evidence.load(claim_of(claim))
        self._trainings = trainings_of(stored)
        first = next(iter(variants(SETS[claim]).values()))
        options = {
            "name": f"repeat-{claim.lower()}",
            "job": "repeat",
            "compiled": SETS[claim],
            "net": first.net,
            "width": first.width,
            "claim": claim_json(stored.claim),
            "arms": arms_of(stored),
            "seconds": seconds_of(self._trainings),
            "seeds": stored.data["seeds"],
            "tuning_seeds": stored.data.get("tuning_seeds", []),
            "most_seed": MOST_SEED,
            "formulas": FORMULAS[claim](stored.data),
            "values": {name: one.tolist() for name, one in stored.values.items()},
            "evidence": decided(stored.verdict),
            "command": f"python -m bnlab.claims repeat {claim} --seeds {len(stored.data['seeds'])}",
        }
        super().__init__(options, {"start": start, "margins": margins or {}})

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does; it may name places of rows that are ``done``."""
        more = ("done",) if isinstance(state, dict) and "done" in state else ()
        state = check_keys(state, ("start", "margins", *more))
        margins, names = state["margins"], [one["name"] for one in options["claim"]["effects"]]
        if not isinstance(margins, dict):
            raise ValueError(f"margins must be a dict, got {margins!r}.")
        for name, margin in margins.items():
            check_name("part of this claim", name, names)
            _check_margin(name, margin, options["claim"]["effects"][names.index(name)])
        found = {"start": _checked_start(state["start"], options), "margins": dict(margins)}
        return found | {name: _checked_places(state[name], options) for name in more}

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """The rows of a state, trained one after the other: seed by seed, all arms of each."""
        done = state.get("done", [])
        for training, at in _rows(self._trainings, self.options, state["start"]):
            if at in done:
                continue
            yield "begun", {"at": at}
            row, digest = train_again(training)
            columns = training.kind.columns if training.kind else NUMBERS
            yield "row", {"at": at, "digest": digest, **dict(zip(columns, row, strict=True))}


def decided(verdict: Verdict) -> dict[str, object]:
    """A verdict as ``decidePieces`` of ``judge.js`` gives it at its end."""
    parts = [
        {
            "name": one.effect.name,
            "word": one.word,
            "measured": one.measured,
            "counts_if": one.effect.counts_if,
            **{key: getattr(one, key) for key in ("mean", "low", "high")},
        }
        for one in verdict.judgements
    ]
    told = {key: getattr(verdict, key) for key in ("word", "said", "sentence", "seeds")}
    return {**told, "parts": parts}


def _check_margin(name: str, margin: object, effect: dict) -> None:
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not isfinite(margin):
        raise ValueError(f"the margin of {name} must be a finite number, got {margin!r}.")
    one_sided = effect["kind"] == "identity" or (effect["kind"] == "same" and effect["upper"])
    if not one_sided and margin < 0:
        raise ValueError(f"the margin of {name} must be 0 or more, got {margin!r}.")
    if abs(margin) > LARGEST:
        raise ValueError(f"the margin of {name} must be at most {LARGEST:g}, got {margin!r}.")


def _checked_start(start: object, options: dict) -> int | None:
    if start is None:
        return None
    seeds, tuning = options["seeds"], options["tuning_seeds"]
    if all("beside" in formula for formula in options["formulas"].values()):
        raise ValueError(
            "start must be None: all parts of this claim need numbers of the evidence beside its "
            "trainings, so no word follows from other seeds."
        )
    if isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < MOST_SEED:
        raise ValueError(f"start must be a whole number from 0 to {MOST_SEED - 1}, got {start!r}.")
    last = start + len(seeds) - 1
    for known, what in ((tuning, "chose the learning rates"), (seeds, "is one of the evidence")):
        if used := [seed for seed in known if start <= seed <= last]:
            raise ValueError(
                f"the seeds {start} to {last} include {used[0]}, which {what}: begin elsewhere."
            )
    return start


def _checked_places(places: object, options: dict) -> list[list[int]]:
    """Places of rows, [number of the arm, number of the seed] each."""
    known = [[arm, i] for arm in range(len(options["arms"])) for i in range(len(options["seeds"]))]
    if not isinstance(places, list) or not all(place in known for place in places):
        raise ValueError(f"done must be places of rows, as [arm, seed], got {places!r}.")
    return places


def _rows(
    trainings: list[Training], options: dict, start: int | None
) -> Iterator[tuple[Training, list[int]]]:
    """Each training with these seeds and its place, [number of the arm, number of the seed]."""
    arms, seeds = [arm["name"] for arm in options["arms"]], options["seeds"]
    by_place = {(arms.index(one.arm), seeds.index(one.seed)): one for one in trainings}
    for arm, number in sorted(by_place, key=lambda place: place[::-1]):
        one = by_place[arm, number]
        seed = one.run.seed if start is None else start + number + one.run.seed - one.seed
        run = one.run.replace(seed=seed)
        yield dataclasses.replace(one, seed=seed, run=run, told=outcome), [arm, number]
