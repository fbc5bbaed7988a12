"""Numbers as readers say them."""

from __future__ import annotations

import math


def plain(value: float, unit: str) -> str:
    """A number in the unit's usual figures, with its sign; accuracies in points."""
    text = f"{value:+.2f}" if unit else f"{100 * value:+.1f}"
    return text.replace("-", "−") if float(text) else text[1:]  # zero has no sign


def amount(value: float, unit: str) -> str:
    """A number with its unit; a ratio in decades also as a factor."""
    factor = f" (×\u00a0{power(10**value)})" if unit == "decades" else ""
    return f"{plain(value, unit)}\u00a0{unit or 'points'}{factor}"


def power(value: float) -> str:
    """A positive number with two digits, or as a power of ten if it is far from 1."""
    if value == 0 or not math.isfinite(value):
        return str(value)
    if 0.01 <= abs(value) < 100_000:
        return f"{value:.2g}" if abs(value) < 100 else f"{float(f'{value:.2g}'):,.0f}"
    exponent = round(math.log10(abs(value)))
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
