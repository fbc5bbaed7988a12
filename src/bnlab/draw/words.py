"""Numbers as readers say them; each function is a rule of its own."""

from __future__ import annotations

import math


def size(value: float, unit: str) -> str:
    """A number as readers say it: ``2.3 times``, ``17 points``, ``67 % of the images``, ``0.56``.

    Two significant digits; a factor near 1, and a number that stands alone, has two decimals.

    Args:
        value: in the unit.
        unit: ``decades`` of a ratio; empty for a difference of accuracies, told in points; ``of
            the`` something for a share of it; else the number stands alone.
    """
    figure = _figure(value, unit)
    return f"{figure}{_noun(unit, figure)}"


def span(low: float, high: float, unit: str) -> str:
    """A range of such numbers, ``1.9 to 2.8 times``; an end may be infinite."""
    if math.isinf(low) and math.isinf(high):
        return "any value"
    if math.isinf(low):
        return f"at most {size(high, unit)}"
    if math.isinf(high):
        return f"at least {size(low, unit)}"
    first, last = _figure(low, unit), _figure(high, unit)
    noun = _noun(unit, last)
    return f"{first}{noun}" if first == last else f"{first} to {last}{noun}"


def _figure(value: float, unit: str) -> str:
    if unit == "decades":
        factor = 10**value
        return f"{factor:.2f}" if 2 / 3 < factor < 1.5 else power(factor)
    if not unit or unit.startswith("of the "):
        return _two_digits(100 * value)
    near = 0.1 <= abs(value) < 10
    return f"{value:.2f}".replace("-", "−") if near else _two_digits(value)


def _two_digits(value: float) -> str:
    rounded = float(f"{value:.2g}")
    text = f"{rounded:,.0f}" if abs(rounded) >= 10 else f"{rounded:.2g}"
    if "e" in text:
        text = power(value)
    return text.replace("-", "−") if rounded else "0"


def _noun(unit: str, figure: str) -> str:
    if unit == "decades":
        return "\u00a0times"
    if not unit:
        return "\u00a0point" if figure == "1" else "\u00a0points"
    return f"\u00a0% {unit}" if unit.startswith("of the ") else ""


def number(value: float) -> str:
    """A number with three digits, or as a power of ten; what is not finite in words."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "infinite"
    return f"{value:.3g}" if 1e-3 <= abs(value) < 1e4 or value == 0 else power(float(value))


def magnitude(value: float) -> str:
    """A size, 0 or more: three digits, a power of ten from 1000 on, or 'infinity'."""
    if not math.isfinite(value):
        return "infinity"
    return power(value) if value >= 1000 else f"{value:.3g}"


def power(value: float) -> str:
    """A positive number with two digits, or as a power of ten if it is far from 1."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    if 0.01 <= abs(value) < 100_000:
        return f"{value:.2g}" if abs(value) < 100 else f"{float(f'{value:.2g}'):,.0f}"
    exponent = round(math.log10(abs(value)))
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
