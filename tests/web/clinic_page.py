"""Pages with one card of the clinic, and what their addresses say."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from bnlab.lab import Clinic
from bnlab.lab.clinic import CARDS
from bnlab.lab.clinic.card import Card
from tests.web.book_page import write_book
from tests.web.widget_page import LISTEN, load, write_once

FILE = "compiled/clinic.js"
BUSY = """(() => {  // after LISTEN: the workers that train, and how many did at once
  const Heard = globalThis.Worker;
  globalThis.running = new Set();
  globalThis.most = 0;
  globalThis.Worker = class extends Heard {
    constructor(address) {
      super(address);
      this.addEventListener("message", ({ data }) => {
        if (data.type === "finished") running.delete(this);
      });
    }
    postMessage(message) {
      super.postMessage(message);
      if (message.type === "train") running.add(this);
      most = Math.max(most, running.size);
    }
  };
})();"""


def write_cards(folder: Path) -> dict[str, Path]:
    """A folder with a page for each card."""
    folders = {}
    for name in CARDS:
        (folder / name).mkdir()
        folders[name] = write_once(folder / name, Clinic(name), FILE)
    return folders


def write_chapter(folder: Path, count: int) -> Path:
    """A page as the chapter is: so many cards, one below the other."""
    names = list(CARDS)
    cards = [Clinic(names[number % len(names)]) for number in range(count)]
    return write_book(folder, cards[0], FILE, more=cards[1:])


def opened(page: Page, folder: Path, query: str = "", theme: str = "light") -> Page:
    """The page of a card, whose worker is listened to."""
    page.add_init_script(LISTEN)
    return load(page, folder, query, theme)


def addressed(card: Card, state: dict[str, object]) -> str:
    """The end of an address with this state."""
    written = (f"{key}={int(one) if one is True else one}" for key, one in state.items())
    return f"#{card.name}?{'&'.join(written)}"
