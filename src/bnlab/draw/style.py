"""One look: each normalizer's colour, dash and marker, from ``style.json``.

JavaScript reads the same file, so a net looks the same in figures, tables and widgets.
"""

from __future__ import annotations

import json
from importlib import resources

STYLE: dict[str, dict] = json.loads(
    resources.files("bnlab.draw").joinpath("style.json").read_text()
)

GREEN = {"light": "#0b6e3f", "dark": "#5fd39b"}
OCHRE = {"light": "#6b5300", "dark": "#e6c35c"}
RED = {"light": "#a11d2c", "dark": "#ff8f9a"}
GREY = {"light": "#4a4f57", "dark": "#b8bec8"}

VERDICTS: dict[str, dict] = {
    "shown": {"mark": "✓", **GREEN},
    "shown in part": {"mark": "◐", "light": "#3d6a1f", "dark": "#a5d06a"},
    "depends": {"mark": "◇", "light": "#1f5d8c", "dark": "#82bdec"},
    "not shown": {"mark": "○", **OCHRE},
    "reversed": {"mark": "✗", **RED},
    "undecided": {"mark": "?", **GREY},
    "holds by algebra": {"mark": "≡", "light": "#5a4a86", "dark": "#c3b4f0"},
}
"""The words of a verdict; colours readable on white and, lighter, on a dark page."""

PARTS: dict[str, dict] = {
    "holds": {"mark": "✓", "marker": "o", **GREEN},
    "no effect": {"mark": "○", "marker": "s", **OCHRE},
    "opposite": {"mark": "✗", "marker": "D", **RED},
    "does not hold": {"mark": "≠", "marker": "X", "light": "#7a3b12", "dark": "#f0a878"},
    "undecided": {"mark": "?", "marker": "^", **GREY},
}
"""The words of a part of a claim."""

DARK = ('html[data-theme="dark"]', '[data-jp-theme-light="false"]', 'html[theme="dark"]')
"""Where a page says that it is dark: the site, JupyterLab, Colab."""


def dark(selector: str, rules: str) -> str:
    """A CSS rule for ``selector`` that holds on dark pages."""
    return ",".join(f"{page} {selector}" for page in DARK) + "{" + rules + "}"


def variables() -> dict[str, dict]:
    """Each CSS variable's look: normalizers by their name, words as ``verdict-`` and ``part-``."""
    words = {
        f"{kind}-{word.replace(' ', '-')}": look
        for kind, looks in (("verdict", VERDICTS), ("part", PARTS))
        for word, look in looks.items()
    }
    return {f"--bnlab-{name}": look for name, look in {**STYLE, **words}.items()}


def color_variables(selector: str) -> str:
    """CSS that defines all ``variables`` below ``selector``, light and dark."""
    light, night = (
        ";".join(f"{name}:{look[mode]}" for name, look in variables().items())
        for mode in ("light", "dark")
    )
    return f"{selector}{{{light}}}" + dark(selector, night)
