"""The browser for these tests, an installed Chromium, and what may not happen in it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.web.site_server import SITE, serve

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

# A busy machine is not a bug: what is there at once does not wait, and what never comes fails late.
PATIENCE = 60_000  # ms
expect.set_options(timeout=PATIENCE)


def find_chromium() -> str:
    """Path of Chromium; without one the test is skipped, or fails if it was asked for."""
    named = os.environ.get("CHROMIUM")
    found = next(filter(None, map(shutil.which, [named] if named else PROGRAMS)), None)
    if found is None:
        where = f"CHROMIUM={named} is no program" if named else "no Chromium on the PATH"
        sentence = f"{where}: install it ('apt install chromium') or set CHROMIUM to its path."
        if os.environ.get("BNLAB_REQUIRE_BROWSER") == "1":
            pytest.fail(sentence, pytrace=False)
        pytest.skip(sentence)
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {
        **browser_type_launch_args,
        "executable_path": find_chromium(),
        "args": [*browser_type_launch_args.get("args", []), *ARGUMENTS],
    }


@pytest.fixture(scope="session")
def address():
    """Where the built site is served on this machine."""
    assert (SITE / "book" / "index.html").is_file(), "build the site first: make book"
    with serve() as found:
        yield found


@pytest.fixture
def context(context):
    context.set_default_timeout(PATIENCE)
    return context


@pytest.fixture(scope="session")
def base_url():
    """None: pages are opened by their whole address. (The plug-in's own warns with pytest 9.)"""
    return None


@pytest.fixture
def troubles(page: Page) -> Iterator[list[str]]:
    """Console errors, uncaught errors and requests that leave the machine: none at the end."""
    found: list[str] = []
    heard = {
        "console": lambda m: m.type in ("error", "warning") and found.append(m.text),
        "pageerror": lambda error: found.append(str(error)),
        "request": lambda r: r.url.startswith("http") and found.append(r.url),
    }
    for event, hear in heard.items():
        page.on(event, hear)
    yield found
    for event, hear in heard.items():
        page.remove_listener(event, hear)
    assert found == []
