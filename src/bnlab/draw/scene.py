"""Scenes: the states of a widget that a demonstration shows one after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 3  # words of a label


@dataclass(frozen=True)
class Scene:
    """One step of a demonstration.

    Attributes:
        label: one to three words.
        ask: the question for the room, before anything is seen.
        says: what is seen after it has run.
        state: what the scene changes in the state with which the page's widget begins.

    Raises:
        ValueError: for a label that is too long, or a sentence that is none.
    """

    label: str
    ask: str
    says: str
    state: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= len(self.label.split()) <= LONGEST:
            raise ValueError(f"label must be one to {LONGEST} words, got {self.label!r}.")
        for name, ends in (("ask", "?"), ("says", ".")):
            sentence = getattr(self, name)
            if not sentence.endswith(ends):
                raise ValueError(f"{name} must end with {ends!r}, got {sentence!r}.")
