"""Clinic: a card for each symptom of chapter 14, which is seen in the page and repaired there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path

from bnlab.errors import check_name
from bnlab.lab.clinic import t1, t2, t3, t4, t5, t6, t7, t8
from bnlab.lab.clinic.card import Card
from bnlab.lab.kit.bundle import bundle, stylesheet
from bnlab.lab.kit.first import First, first_of
from bnlab.lab.kit.widget import ComputingWidget, Content, check_flag, check_keys, one_of

FOLDER = Path(__file__).parent
CARDS: dict[str, Card] = {one.CARD.id: one.CARD for one in (t1, t2, t3, t4, t5, t6, t7, t8)}
WIDTH = 64
FLAGS = ("repaired", "predict")


class Clinic(ComputingWidget):
    """A card of the clinic: a symptom that is trained before the reader's eyes, and its repair.

    With a kernel PyTorch trains; on the website the page does, when the card is first seen.

    Args:
        card: which one, a key of ``CARDS``.
        **state: what is not as at first: the card's own controls, ``seed``, ``repaired`` (show the
            repair beside the symptom) and ``predict`` (hide the outcome until a guess is made).

    Raises:
        ValueError: for a card that is not there, or a value that it does not offer.
    """

    _esm = bundle(FOLDER / "clinic.js")
    _css = stylesheet(FOLDER / "clinic.css")

    def __init__(self, card: str = "T1", **state: object) -> None:
        check_name("card", card, CARDS)
        chosen = CARDS[card]
        options = {
            "name": chosen.name,
            "job": chosen.name,
            "compiled": "clinic",
            "first": True,
            "alive": True,
            "net": "mlp",
            "width": WIDTH,
            "card": chosen.id,
            "looks": {name: dict(of) for name, of in chosen.curves.items()},
            "plots": {name: dict(of) for name, of in chosen.plots.items()},
            "controls": {key: _told(control) for key, control in chosen.controls.items()},
            "stops": chosen.stops,
            **{key: getattr(chosen, key) for key in ("title", "cause", "repair", "steps", "axis")},
        }
        if chosen.badge:
            options["badge"] = chosen.badge
        first = {**chosen.first, "seed": chosen.seeds[0], **dict.fromkeys(FLAGS, False)}
        super().__init__(options, {**first, **state})

    @staticmethod
    def check(state: object, options: dict) -> dict[str, object]:
        """Check a state as ``Widget.check`` does."""
        stops = options["stops"]
        state = check_keys(state, [*stops, *FLAGS])
        checked = {key: one_of(key, state[key], offered) for key, offered in stops.items()}
        return checked | {key: check_flag(key, state[key]) for key in FLAGS}

    def warm_up(self) -> Iterator[Content]:
        """Load data and torch (seconds) before the reader presses Train; eight cards do it once."""
        _load()
        return iter(())

    def begin(self, state: dict[str, object]) -> Iterator[Content]:
        """The trainings of a state, in turn."""
        return CARDS[self.options["card"]].trainings(state, "torch")


def firsts() -> tuple[Callable[[], First], ...]:
    """What each card shows where the page cannot train."""
    return tuple(functools.partial(_first, card) for card in CARDS.values())


def _first(card: Card) -> First:
    train = functools.partial(card.trainings, engine="compiled")
    return first_of(Clinic, [*card.stops, "repaired"], train, card=card.id)


def _told(control: dict[str, object]) -> dict[str, object]:
    """A control for the page, in which all is there."""
    lists = {key: list(control[key]) for key in ("stops", "words") if control.get(key)}
    return {"words": None, "after_repair": False, **control, **lists}


@functools.cache
def _load() -> None:
    card = CARDS["T1"]
    state = {**card.first, "seed": card.seeds[0], "repaired": False}
    next(card.trainings(state, "torch"))
