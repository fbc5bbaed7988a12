"""All claims by id, paper after paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bnlab.verdicts.verdict import Claim


def in_order(claims: Iterable[Claim], series: Sequence[str]) -> dict[str, Claim]:
    """The claims by id: series after series, each counted from 1.

    Args:
        claims: in any order.
        series: the first letters of the ids, in the order that is wanted.

    Raises:
        ValueError: for two claims of one id, letters that no series has, or a number left out.
    """
    found: dict[str, Claim] = {}
    for claim in claims:
        if claim.id in found:
            raise ValueError(f"two claims have the id {claim.id}: give one of them another.")
        found[claim.id] = claim
    ordered: dict[str, Claim] = {}
    for letters in series:
        count = sum(name.rstrip("0123456789") == letters for name in found)
        names = [f"{letters}{number}" for number in range(1, count + 1)]
        missing = [name for name in names if name not in found]
        if missing:
            raise ValueError(f"claims of a series are counted from 1: {missing[0]} is missing.")
        ordered |= {name: found[name] for name in names}
    unknown = sorted(set(found) - set(ordered))
    if unknown:
        raise ValueError(f"no series for claim {unknown[0]}: add its letters to chapters.SERIES.")
    return ordered
