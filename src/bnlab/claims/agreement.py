"""Where the two scales agree: claims and parts that have been measured at both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bnlab.claims.standings import Standing
from bnlab.verdicts.parts import Judgement
from bnlab.verdicts.verdict import CIFAR10, DIGITS


@dataclass(frozen=True)
class Pair:
    """A part of a claim at both scales: the effects have one name, all else is their own.

    Attributes:
        claim: the claim's id.
        digits: how the part came out on digits.
        cifar10: how it came out on CIFAR-10.
    """

    claim: str
    digits: Judgement
    cifar10: Judgement

    @property
    def agrees(self) -> bool:
        """Whether the part has the same word at both scales."""
        return self.digits.word == self.cifar10.word


def at_both(table: Iterable[Standing]) -> list[Standing]:
    """The claims that have a verdict at both scales."""
    return [one for one in table if {DIGITS, CIFAR10} <= set(one.found)]


def pairs(table: Iterable[Standing]) -> list[Pair]:
    """The parts that have been measured at both scales, in the order of the claims."""
    found = []
    for one in at_both(table):
        small = {j.effect.name: j for j in one.judgements_at(DIGITS)}
        found += [
            Pair(one.claim.id, small[j.effect.name], j)
            for j in one.judgements_at(CIFAR10)
            if j.effect.name in small
        ]
    return found
