"""Numbers as readers say them; each function is a rule of its own."""

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
