"""The page of chapter 14, as its tests read it."""

from __future__ import annotations

import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "book" / "14_clinic.ipynb"
CARD = re.compile(r"^#+ (T[1-8])[:,]", re.M)
FENCE = re.compile(r"^```python\n(.*?)^```", re.M | re.S)


def cells() -> list[dict]:
    """The cells of the page; ``text`` is their source."""
    found = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "text": "".join(cell["source"])} for cell in found]


def code_with(part: str) -> str:
    """The one cell of code that has this in it."""
    (found,) = [c["text"] for c in cells() if c["cell_type"] == "code" and part in c["text"]]
    return found


def repairs() -> dict[str, list[str]]:
    """The blocks of PyTorch that the page shows, by the card under whose heading they stand."""
    text = "\n\n".join(c["text"] for c in cells() if c["cell_type"] == "markdown")
    text = re.sub(r"<details>.*?</details>", "", text, flags=re.S)
    parts = CARD.split(text)[1:]
    found: dict[str, list[str]] = {}
    for name, part in zip(parts[::2], parts[1::2], strict=True):
        found.setdefault(name, []).extend(FENCE.findall(part))
    return found
