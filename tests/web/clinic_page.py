"""Pages with one card of the clinic, and what their addresses say."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from bnlab.lab import Clinic
from bnlab.lab.clinic import CARDS
from bnlab.lab.clinic.card import Card
from tests.web.widget_page import LISTEN, load, write_once

FILE = "compiled/clinic.js"


def write_cards(folder: Path) -> dict[str, Path]:
    """A folder with a page for each card."""
    folders = {}
    for name in CARDS:
        (folder / name).mkdir()
        folders[name] = write_once(folder / name, Clinic(name), FILE)
    return folders


def opened(page: Page, folder: Path, query: str = "", theme: str = "light") -> Page:
    """The page of a card, whose worker is listened to."""
    page.add_init_script(LISTEN)
    return load(page, folder, query, theme)


def addressed(card: Card, state: dict[str, object]) -> str:
    """The end of an address with this state."""
    written = (f"{key}={int(one) if one is True else one}" for key, one in state.items())
    return f"#{card.name}?{'&'.join(written)}"
