"""Chapter 03 of the built site, and what the worker of its race said."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Page

CHAPTER = "book/03_learning_rates.html"

LISTEN = """(() => {
  const Real = globalThis.Worker;
  globalThis.workers = [];
  globalThis.heard = new Map();     // id of a race -> {norm: {loss, accuracy, records, ...}}
  globalThis.silent = new Set();    // races whose points are not kept
  function keep({ data }) {
    if (data.type === "ready") globalThis.workerReady = performance.now();
    if (data.type === "finished") (heard.get(data.id) ?? {}).seconds = data.seconds;
    if (data.type !== "points" || silent.has(data.id)) return;
    if (!heard.has(data.id)) heard.set(data.id, { nets: {} });
    const { nets } = heard.get(data.id);
    for (const [norm, some] of data.points) {
      const net = (nets[norm] ??= { loss: [], accuracy: [], records: [], layers: [] });
      for (const key of ["loss", "accuracy", "records", "layers"]) net[key].push(...some[key]);
      Object.assign(net, { step: some.step, diverged_at: some.diverged_at, done: some.done });
    }
  }
  globalThis.newest = () => [...heard.values()].at(-1)?.nets;
  globalThis.Worker = class extends Real {
    constructor(address) {
      super(address);
      workers.push(this);
      this.addEventListener("message", keep);
    }
  };
  /** A race that the controls do not offer. */
  globalThis.trainNow = (state, steps, kept = true) => new Promise((resolve) => {
    const id = 1e9 + heard.size + silent.size, worker = workers.at(-1);
    if (!kept) silent.add(id);
    worker.addEventListener("message", function end({ data }) {
      if (data.id !== id || data.type === "points") return;
      worker.removeEventListener("message", end);
      resolve(kept ? { ...data, ...heard.get(id) } : data);
    });
    worker.postMessage({ type: "train", id, state, steps, paused: false, singles: 0 });
  });
})();"""


def open_chapter(page: Page, address: str, state: str = "") -> Page:
    """The chapter, when its race can train; ``page`` must be new to ``LISTEN``."""
    page.add_init_script(LISTEN)
    page.goto(f"{address}/{CHAPTER}{state}")
    end = time.monotonic() + 60
    # Not wait_for_function: that needs eval, which a security policy forbids.
    while page.evaluate("globalThis.workerReady") is None:
        assert time.monotonic() < end, "the worker of the race does not answer"
        page.wait_for_timeout(20)
    return page


def at_address(page: Page, folder: Path, query: str = "") -> Page:
    """The page of a single widget, when it can train; ``page`` must be new to ``LISTEN``."""
    page.add_init_script(LISTEN)
    page.goto(f"file://{folder}/index.html{query}")
    page.wait_for_function("globalThis.ready && globalThis.workerReady")
    return page


def newest(page: Page) -> dict[str, dict]:
    """What the worker said about each net of the newest race."""
    return page.evaluate("newest()")
