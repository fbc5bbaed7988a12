"""What a card of the clinic is: symptom, cause, repair, and the trainings that show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bnlab.draw.style import STYLE
from bnlab.lab.kit.widget import Content

State = dict[str, object]

IN_PYTHON = "in this page, same bits as in Python"
"""The badge of a page whose trainings are not all among those that the evidence counts."""


@dataclass(frozen=True)
class Card:
    """One card. The words that follow from numbers, and drawings, are those of ``tN_card.js``.

    Attributes:
        id: of the claim, such as ``T1``.
        title: the symptom as people type it.
        cause: why it comes, in three sentences.
        repair: the words on the button that repairs it.
        steps: where the axis of the plots ends.
        curves: the looks of each curve, by its name: see ``look``.
        plots: ``title`` and ``scale`` of each plot, by its name in the points. The scale is
            ``accuracy``, ``loss``, or null where ``tN_card.js`` has one of its own in ``scales``.
        controls: ``label`` and ``stops`` of each control, by its key in the state; ``words`` are
            what is read instead of the stops, and a control with ``after_repair`` is shown only
            when the repair is.
        first: what the controls are at first.
        seeds: that are offered, of those that the claim's evidence counts; the first one at first.
        trainings: of a state and an engine (``torch`` or ``compiled``): the name of a curve and
            what is new about it, or None after a step without news. New are [x, value] pairs by the
            names of the plots, ``step`` (the last x), ``diverged_at`` and ``done``; and whatever
            else the words need.
        axis: what the plots have along, in words.
        badge: what the page says of its trainings, in place of being those of the evidence.
    """

    id: str
    title: str
    cause: str
    repair: str
    steps: int
    curves: Mapping[str, Mapping[str, object]]
    plots: Mapping[str, Mapping[str, object]]
    controls: Mapping[str, Mapping[str, object]]
    first: Mapping[str, object]
    seeds: Sequence[int]
    trainings: Callable[[State, str], Iterator[Content]]
    axis: str = "step"
    badge: str | None = None

    @property
    def name(self) -> str:
        """Its name in addresses, such as ``t1``."""
        return self.id.lower()

    @property
    def stops(self) -> dict[str, list]:
        """What is offered, by the keys of a state."""
        offered = {key: list(control["stops"]) for key, control in self.controls.items()}
        return {**offered, "seed": list(self.seeds)}


def look(style: str, short: str, label: str) -> dict[str, object]:
    """The look of a curve: that of a normalizer, a key of ``STYLE``, under other names.

    Args:
        style: whose colour, dash and marker it has.
        short: the name at its end.
        label: the name in sentences.
    """
    return {**STYLE[style], "short": short, "label": label}
