"""The limits of chapters, pages, widgets and builds; ``limits.py`` prints them."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

from measured import Row, seconds

ROOT = Path(__file__).resolve().parents[1]
SITE = ROOT / "_build" / "html"
LOADED = re.compile(r"<(?:script|img)\b[^>]*?\bsrc=\"([^\"]+)\"|<link\b[^>]*?\bhref=\"([^\"]+)\"")
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def chapters_from_cold(_rounds: int) -> Iterator[Row]:
    """Each chapter in a fresh kernel, imports included, all cells."""
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "notebook", "--stdout"]
    for chapter in sorted((ROOT / "book").glob("[0-9]*.ipynb")):
        run = [*command, "--log-level=ERROR", str(chapter)]
        taken = seconds(lambda run=run: subprocess.run(run, check=True, capture_output=True))
        yield Row(f"chapter {chapter.stem}, cold", 60, taken, "s")


def weight(page: Path) -> int:
    """Bytes of a page and of all that it loads, gzipped one by one, with all runs and nets."""
    files = {page}
    for groups in LOADED.findall(page.read_text(encoding="utf-8")):
        file = page.parent / next(filter(None, groups)).split("?")[0].split("#")[0]
        if file.is_file() and file.suffix in (".js", ".css", ".svg", ".png", ".woff2"):
            files.add(file.resolve())
    for folder in ("replay", "compiled"):
        files |= set((SITE / "_static" / folder).glob("*.js"))
    files |= set((SITE / "_static" / "vendor" / "mathjax").rglob("*.js"))  # loaded by name, later
    return sum(len(gzip.compress(file.read_bytes())) for file in files)


def pages(_rounds: int) -> Iterator[Row]:
    """The heaviest chapter page."""
    heaviest = max(weight(page) for page in (SITE / "book").glob("[0-9]*.html"))
    yield Row("heaviest chapter page, gzipped, with runs and nets", 0.8, heaviest / 1e6, "MB")


def kernel_first_point(rounds: int) -> Iterator[Row]:
    """From the message that a control has moved to the first points that Python sends back."""
    from bnlab.lab import Race

    race = Race()
    race.wait()
    waits = []
    for number in range(rounds):
        arrived = Event()
        race.send = race._worker._send = lambda message, a=arrived: (
            a.set() if message["type"] == "points" else None
        )
        state = {**race.state, "lr": race.options["lrs"][number % 10]}
        start = time.perf_counter()
        race._hear(race, {"type": "train", "id": number, "state": state}, [])
        arrived.wait(10)
        waits.append(time.perf_counter() - start)
    race.close()
    yield Row("a change to the first new point, kernel", 0.3, statistics.median(waits), "s")


CHANGE = """async () => {
  const slider = document.querySelector('input[type="range"]');
  const plot = document.querySelector(".bnlab-plot");
  const before = plot.dataset.shown, start = performance.now();
  slider.value = (Number(slider.value) + 1) % 9;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  while (plot.dataset.shown === before || !plot.querySelector(".bnlab-curve")) {
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - start) / 1000;
}"""


RACE = """async () => {
  const train = [...document.querySelectorAll("button")].find((b) => b.textContent === "Train");
  const summary = document.querySelector(".bnlab-summary"), start = performance.now();
  train.click();
  do await new Promise(requestAnimationFrame);
  while (!summary.textContent.startsWith("Finished"));
  return (performance.now() - start) / 1000;
}"""


def in_the_page(rounds: int) -> Iterator[Row]:
    """On the site in Chromium: a control that moves, to the first new point; a whole race."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("No chromium on the PATH: training in the page is not measured.")
        return
    with sync_playwright() as playwright:
        launch = playwright.chromium.launch
        browser = launch(executable_path=chromium, args=BROWSER_ARGUMENTS)
        page = browser.new_page()
        page.goto((SITE / "book" / "index.html").as_uri())
        page.get_by_role("button", name="Train").first.click()
        page.wait_for_timeout(2000)
        races = [page.evaluate(RACE) for _ in range(rounds)]
        waits = []
        for _ in range(rounds):
            waits.append(page.evaluate(CHANGE))
            page.wait_for_timeout(150)
        browser.close()
    yield Row("a change to the first new point, page", 0.1, statistics.median(waits), "s")
    yield Row("300 steps of two MLPs of depth 6, page", 0.6, statistics.median(races), "s")


def second_build(_rounds: int) -> Iterator[Row]:
    """``make book`` with nothing changed."""
    taken = seconds(lambda: _make("book"))
    yield Row("make book, nothing changed", 20, taken, "s")


def full_builds(_rounds: int) -> Iterator[Row]:
    """``make book`` and ``make test`` from a clean tree, after the installation."""
    _make("clean")
    _make("env")
    yield Row("make book, clean, after the installation", 600, seconds(lambda: _make("book")), "s")
    yield Row("make test", 600, seconds(lambda: _make("test")), "s")


def _make(target: str) -> None:
    done = subprocess.run(["make", target], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"make {target} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


MEASUREMENTS = [kernel_first_point, pages, in_the_page, second_build, chapters_from_cold]
