"""Where the symptoms were reported: links to the threads of each claim."""

from __future__ import annotations

import html

from bnlab.chapters.clinic.claims import THREADS
from bnlab.draw.shown import Shown, fill


def address(thread: str) -> str:
    """The address of a thread such as ``pytorch/pytorch#4741``; GitHub forwards pull requests."""
    repository, number = thread.split("#")
    return f"https://github.com/{repository}/issues/{number}"


def threads() -> Shown:
    """The threads of each claim, a line a claim."""
    lines, items = [], []
    for name, found in THREADS.items():
        links = [f'<a href="{address(one)}">{html.escape(one)}</a>' for one in found]
        items.append(f"<li>{name}: {', '.join(links)}</li>")
        lines.append(fill(f"{name}: {', '.join(found)}"))
    page = f"<details><summary>The threads</summary><ul>{''.join(items)}</ul></details>"
    return Shown(page, "\n".join(lines))
