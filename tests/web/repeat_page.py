"""A page with one repeated verdict of few seeds, and what a reader does and sees there."""

import json
from dataclasses import replace

from playwright.sync_api import expect

from bnlab.lab import Repeat
from bnlab.lab.repeat.rows import claim_of
from bnlab.verdicts import evidence
from bnlab.verdicts.verdict import decide
from tests.web.widget_page import ASSETS, LISTEN, load, settle, summary, write_page

SEEDS = 8
ROWS = 3 * SEEDS
NAME = "T4"
OF_EVIDENCE = ", from the evidence"  # behind the numbers of parts that no row gives
OTHERWISE = "trainings ended with other weights than those of the evidence."
SHORT = 20  # steps of a row that need not be that of the evidence


def options_of(margins=None, **changes):
    """Of T4, with its first seeds and the race alone: three parts keep the evidence's numbers."""
    widget = Repeat(NAME, margins=margins)
    own = widget.options
    race = [arm for arm in own["arms"] if "kind" not in arm]
    arms = [{**arm, "digests": arm["digests"][:SEEDS]} for arm in race]
    values = {name: some[:SEEDS] for name, some in own["values"].items()}
    few = {"formulas": {name: own["formulas"][name] for name in ("accuracy", "small")}}
    few |= {"arms": arms, "seeds": own["seeds"][:SEEDS], "values": values}
    return widget, {**few, **changes}


def opened(page, folder, query="", host="static", **changes):
    widget, options = options_of(**changes)
    if not (folder / "_static").exists():
        (folder / "_static").symlink_to(ASSETS)
    write_page(folder, widget, host, **options)
    widget.close()
    load(page, folder, query)
    settle(page)


def short():
    """Arms whose rows take no time, and are not those of the evidence."""
    _, options = options_of()
    return [{**arm, "steps": SHORT} for arm in options["arms"]]


def headline(page):
    return page.locator(".bnlab-headline")


def words(page):
    return page.locator(".bnlab-repeat-parts tbody tr td:last-child").all_inner_texts()


def measured(page):
    told = page.locator(".bnlab-repeat-parts td[data-column=Measured]").all_inner_texts()
    return [text.removesuffix(OF_EVIDENCE) for text in told]


def ended(page, start="Finished"):
    expect(summary(page)).to_contain_text(start)


def verdict(margins=None, values=None):
    """What Python says of the first seeds, with other margins or values."""
    stored, own = evidence.load(claim_of(NAME)), margins or {}
    effects = [replace(e, margin=own.get(e.name, e.margin)) for e in stored.claim.effects]
    values = values or {name: one[:SEEDS] for name, one in stored.values.items()}
    return decide(replace(stored.claim, effects=tuple(effects)), values)


CORES = "Object.defineProperty(navigator, 'hardwareConcurrency', { value: %d })"

# After ``widget_page.LISTEN``: what workers are asked, and how a test keeps it from them.
ASKED = """(() => {
  const Real = globalThis.Worker;
  globalThis.asked = [];
  globalThis.Worker = class extends Real {
    constructor(address) {
      if (globalThis.noWorkers) throw new Error("No more workers.");
      super(address);
    }
    postMessage(message) {
      asked.push(message);
      if (!globalThis.swallows?.(this, message)) super.postMessage(message);
    }
  };
})();"""

# The test images do not come before ``letImages()``.
HOLD_IMAGES = """(() => {
  const append = Element.prototype.append;
  Element.prototype.append = function (...what) {
    if (!what[0]?.src?.includes("test_images")) return append.apply(this, what);
    globalThis.letImages = () => append.apply(this, what);
  };
})();"""
IMAGES_ARE_THERE = "globalThis.bnlabReplay?.test_images"

TRAINED = "asked.filter(({ type }) => type === 'train').length"
KILL = "workers.forEach((one) => one.dispatchEvent(new ErrorEvent('error', { message: 'gone' })))"


def listening(page, cores=2):
    """From now on pages have so many cores, and a test hears what their workers do."""
    for code in (LISTEN, ASKED, CORES % cores):
        page.add_init_script(code)


def click_all(page, *names):
    """Press buttons one after the other, in one task of the page."""
    page.evaluate(
        """(names) => names.forEach((name) => [...document.querySelectorAll("button")]
          .find((one) => one.textContent === name).click())""",
        list(names),
    )


def count(page, outcome):
    """How many rows are marked so."""
    return page.locator(f".bnlab-row-{outcome}").count()


def give_file(page, folder, content):
    """Open a result with this text."""
    file = folder / "result.json"
    file.write_text(content)
    page.get_by_label("Open a result").set_input_files(file)


def saved(page):
    """What Save result writes."""
    with page.expect_download() as coming:
        page.get_by_role("button", name="Save result").click()
    return json.loads(coming.value.path().read_text())
