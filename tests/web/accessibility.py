"""What axe finds on a page."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

ONLY = {"resultTypes": ["violations"]}  # what passes is not listed: that took most of the time


IMPACTS = ("minor", "moderate", "serious", "critical")


def violations(
    page: Page, part: str | None = None, least: str = "serious", **options: object
) -> list[tuple]:
    """Rule, places, reason of each violation, at ``least`` so bad, on the page or a part of it."""
    found = Axe().run(page, part, {**ONLY, **options}).response["violations"]
    return [
        (v["id"], [n["html"] for n in v["nodes"]], v["nodes"][0]["failureSummary"][:300])
        for v in found
        if v["impact"] in IMPACTS[IMPACTS.index(least) :]
    ]
