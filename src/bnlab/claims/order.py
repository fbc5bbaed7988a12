"""All claims by id, paper after paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bnlab.verdicts.verdict import Claim


def in_order(
    claims: Iterable[Claim], elsewhere: Iterable[Claim], series: Sequence[str]
) -> dict[str, Claim]:
    """The claims by id: series after series, each counted from 1.

    Args:
        claims: in any order.
        elsewhere: some of them at other scales; each claim is given its own.
        series: the first letters of the ids, in the order that is wanted.

    Raises:
        ValueError: for two claims of one id at one scale, letters that no series has, or a
            number left out.
    """
    found: dict[str, Claim] = {}
    for claim in claims:
        if claim.id in found:
            raise ValueError(f"two claims have the id {claim.id}: give one of them another.")
        found[claim.id] = claim
    _attach(found, elsewhere)
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


def _attach(found: dict[str, Claim], elsewhere: Iterable[Claim]) -> None:
    for other in elsewhere:
        known = found.get(other.id)
        there = () if known is None else (known, *known.others)
        if not there or other.scale in {one.scale for one in there}:
            raise ValueError(
                f"claim {other.id} at scale {other.scale!r} has no claim that it belongs to, or "
                "there are two of it."
            )
        found[other.id] = known.with_others((*known.others, other))
