"""What the sentence of each scene says, as a condition on what the widget shows."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from tests.web.widget_page import alts

WORDS = {"none": "no normalizer", "batch": "batch norm", "layer": "layer norm"}


def ends(page: Page) -> dict[str, float]:
    """The last validation accuracy of each net of a race; of a lost net 0.1."""
    text = alts(page)[1]
    found = {norm: re.search(rf"{word} is at ([\d.]+)", text) for norm, word in WORDS.items()}
    return {norm: float(match[1]) if match else 0.1 for norm, match in found.items()}


def behind(page: Page) -> None:
    found = ends(page)
    assert found["batch"] < found["none"] - 0.05


def far_ahead(page: Page) -> None:
    found = ends(page)
    assert found["batch"] > found["none"] + 0.2


def neither_learns(page: Page) -> None:
    found = ends(page)
    assert max(found.values()) < 0.3


SEEN = {"learning_rates": (behind, far_ahead, neither_learns)}
