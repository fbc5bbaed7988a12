"""One look: each normalizer's colour, dash and marker, from ``style.json``.

JavaScript reads the same file, so a net looks the same in figures, tables and widgets.
"""

from __future__ import annotations

import json
from importlib import resources

STYLE: dict[str, dict] = json.loads(
    resources.files("bnlab.draw").joinpath("style.json").read_text()
)

VERDICTS: dict[str, dict] = {
    "shown": {"mark": "✓", "marker": "o", "light": "#0b6e3f", "dark": "#5fd39b"},
    "not shown": {"mark": "○", "marker": "s", "light": "#6b5300", "dark": "#e6c35c"},
    "reversed": {"mark": "✗", "marker": "D", "light": "#a11d2c", "dark": "#ff8f9a"},
    "undecided": {"mark": "?", "marker": "^", "light": "#4a4f57", "dark": "#b8bec8"},
}
"""The words of a verdict; colours readable on white and, lighter, on a dark page."""

DARK = ('html[data-theme="dark"]', '[data-jp-theme-light="false"]', 'html[theme="dark"]')
"""Where a page says that it is dark: the site, JupyterLab, Colab."""


def dark(selector: str, rules: str) -> str:
    """A CSS rule for ``selector`` that holds on dark pages."""
    return ",".join(f"{page} {selector}" for page in DARK) + "{" + rules + "}"


def variables() -> dict[str, dict]:
    """Each CSS variable's look: normalizers by their name, verdicts as ``verdict-WORD``."""
    verdicts = {f"verdict-{word.replace(' ', '-')}": look for word, look in VERDICTS.items()}
    return {f"--bnlab-{name}": look for name, look in {**STYLE, **verdicts}.items()}


def color_variables(selector: str) -> str:
    """CSS that defines all ``variables`` below ``selector``, light and dark."""
    light, night = (
        ";".join(f"{name}:{look[mode]}" for name, look in variables().items())
        for mode in ("light", "dark")
    )
    return f"{selector}{{{light}}}" + dark(selector, night)
