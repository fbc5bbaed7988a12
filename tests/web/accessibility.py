"""What axe finds on a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

ONLY = {"resultTypes": ["violations"]}  # what passes is not listed: that took most of the time


def violations(page: Page, part: str | None = None, **options: object) -> list[tuple]:
    """Rule, places and reason of each serious violation on the page or a part of it."""
    found = Axe().run(page, part, {**ONLY, **options}).response["violations"]
    return [
        (v["id"], [n["html"] for n in v["nodes"]], v["nodes"][0]["failureSummary"][:300])
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
