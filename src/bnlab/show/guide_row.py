"""A row of the decision guide."""

from __future__ import annotations

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
