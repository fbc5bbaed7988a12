"""The Chromium with which tools draw and print, and the built site that they read."""

import contextlib
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
FRONT = "book/index.html"
FOLDER = "take"  # below the site: what a reader takes along
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--no-sandbox", "--disable-gpu"]


def find_chromium():
    """Return the path of Chromium, or end with a sentence."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    return found or sys.exit(
        "No Chromium is here to draw and print with: install it, and run the same command again."
    )


@contextlib.contextmanager
def chromium():
    """A running Chromium."""
    path = find_chromium()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


def find_site(arguments):
    """Return the folder of the site, the first argument if there is one, or end with a sentence."""
    site = Path(arguments[0]) if arguments else SITE
    if not (site / FRONT).is_file():
        sys.exit(f"There is no site in {site}: run 'make book' first.")
    return site


def write_whole(path, fill):
    """Let `fill` write a file beside its place and move it there; else end with a sentence."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(exist_ok=True)
        fill(part)
        part.replace(path)
    except OSError as error:
        sys.exit(
            f"{path.name} could not be written ({error}): check free disk space and permissions, "
            "then run the same command again."
        )
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
