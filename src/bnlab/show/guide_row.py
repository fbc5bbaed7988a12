"""A row of the decision guide, and what the guards of rows ask the facts."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Facts = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Row:
    """A situation and what to do in it.

    Attributes:
        when: the situation.
        advice: what to do.
        why: the reason, in a sentence or two.
        measured: what this book measured about it, with fields such as ``{R3[gain_4]:.1f}``.
        claims: ids of the claims whose facts are used, or that bear on the advice.
        carries: whether these facts still carry the advice; none without facts.
        literature: what a paper reports, by its key in ``guide_sources.SOURCES``.

    Raises:
        ValueError: for a row that rests on nothing, or states facts that nothing guards.
    """

    when: str
    advice: str
    why: str
    measured: str = ""
    claims: tuple[str, ...] = ()
    carries: Callable[[Facts], bool] | None = None
    literature: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.measured and not self.literature:
            raise ValueError(f"{self.when}: say what was measured, or name a source.")
        if bool(self.measured) != (self.carries is not None):
            raise ValueError(
                f"{self.when}: measured facts need a guard 'carries', others have none."
            )


def few(facts: Facts, norm: str, group: object) -> float:
    """Test accuracy of R3 with running statistics, such as that of ``"alone_2"``."""
    return facts["R3"][f"test_running_{norm}_{group}"]


def ahead(facts: Facts, group: object, *norms: str) -> bool:
    """Whether each of the normalizers is ahead of the next one."""
    scores = [few(facts, norm, group) for norm in norms]
    return all(one > other for one, other in itertools.pairwise(scores))


def lead(facts: Mapping[str, float], net: str) -> float:
    """Points by which the best of the other normalizers of L6 is ahead of BatchNorm."""
    others = ("layer", "group_4", "instance")
    return max(facts[f"{norm}_{net}"] for norm in others) - facts[f"batch_{net}"]
