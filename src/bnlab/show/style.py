"""One look: each normalizer's colour, dash and marker, from ``style.json``.

JavaScript reads the same file, so a net looks the same in figures, tables and widgets.
"""

from __future__ import annotations

import json
from importlib import resources

STYLE: dict[str, dict] = json.loads(
    resources.files("bnlab.show").joinpath("style.json").read_text()
)

DARK = ('html[data-theme="dark"]', '[data-jp-theme-light="false"]', 'html[theme="dark"]')
"""Where a page says that it is dark: the site, JupyterLab, Colab."""


def dark(selector: str, rules: str) -> str:
    """A CSS rule for ``selector`` that holds on dark pages."""
    return ",".join(f"{page} {selector}" for page in DARK) + "{" + rules + "}"


def color_variables(selector: str) -> str:
    """CSS that defines ``--bnlab-NAME`` for each normalizer below ``selector``, light and dark."""
    light, night = (
        ";".join(f"--bnlab-{name}:{look[mode]}" for name, look in STYLE.items())
        for mode in ("light", "dark")
    )
    return f"{selector}{{{light}}}" + dark(selector, night)
