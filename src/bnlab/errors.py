"""Error messages that say what to do next."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """A sentence for an unknown ``name``: the nearest known one, then all of them."""
    names = [str(item) for item in known]
    near = difflib.get_close_matches(str(name), names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {name!r}.{hint} Known: {', '.join(names)}."


def check_name(kind: str, name: object, known: Iterable[str]) -> None:
    """Raise a ``ValueError`` that lists the known names unless ``name`` is one of them."""
    if not isinstance(name, str) or name not in known:
        raise ValueError(unknown(kind, name, known))


def check_number(
    name: str, value: object, low: float, high: float = math.inf, *, finite: bool = True
) -> None:
    """Raise a ``ValueError`` unless ``value`` is a (finite) number from ``low`` to ``high``."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high or (finite and value == math.inf):
        kind = "a finite number" if finite else "a number"
        bound = f"between {low:g} and {high:g}" if high < math.inf else f"of {low:g} or more"
        raise ValueError(f"{name} must be {kind} {bound}, got {value!r}.")
