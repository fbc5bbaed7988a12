"""A page with one widget on it, without the whole site, and what a reader does and sees there.

The widget is what Python makes; the page gives it a model as the site's host does, or one whose
messages a test carries to a real widget (``Carried``).
"""

from __future__ import annotations

import datetime
import json
import math
import queue
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from anywidget import AnyWidget
from playwright.sync_api import Locator, Page, expect

ASSETS = Path(__file__).parents[2] / "assets"
WIDE, PHONE = {"width": 1280, "height": 720}, {"width": 360, "height": 740}

PAGE = """<!DOCTYPE html>
<html lang="en" data-content_root="./" data-theme="light">
<head><meta charset="utf-8"><title>A widget</title>
<link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body {{ margin: 0; padding: 12px; font-family: sans-serif; }}
html[data-theme=dark] body {{ background: #14181e; color: #ddd; }}
main {{ max-width: 800px; margin: auto; }}
</style><style>{css}</style></head>
<body><main><h1>A page</h1><div id="widget"></div></main>
<script type="module">
const values = {traits}, listeners = {{}};
const call = (event, ...what) => (listeners[event] ?? []).slice().forEach((f) => f(...what));
globalThis.model = {{
  bnlabHost: {host},
  get: (key) => values[key],
  set(key, value) {{ values[key] = value; call("change:" + key); }},
  on(event, f) {{ (listeners[event] ??= []).push(f); }},
  off(event, f) {{ listeners[event] = (listeners[event] ?? []).filter((g) => g !== f); }},
  save_changes() {{}},
  send(message) {{ globalThis.toPython?.(message); }},
}};
globalThis.deliver = (message) => call("msg:custom", message);
globalThis.listening = () => Object.values(listeners).flat().length;
const text = {esm};
const {{ default: widget }} = await import(
  URL.createObjectURL(new Blob([text], {{ type: "text/javascript" }})));
globalThis.show = (el) => widget.render({{ model, el }});
globalThis.cleanUp = await show(document.getElementById("widget"));
globalThis.ready = true;
</script></body></html>
"""

# What the worker of a page says, as it says it: points and ends of each training by its id.
LISTEN = """(() => {
  const Real = globalThis.Worker;
  globalThis.heard = new Map();
  globalThis.ends = new Map();
  globalThis.workers = [];
  globalThis.Worker = class extends Real {
    constructor(address) {
      super(address);
      workers.push(this);
      this.addEventListener("message", ({ data }) => {
        if (data.type === "ready") globalThis.workerReady = true;
        if (["finished", "error"].includes(data.type)) ends.set(data.id, data);
        if (data.type !== "points") return;
        if (!heard.has(data.id)) heard.set(data.id, []);
        heard.get(data.id).push(...data.points);
      });
    }
  };
})();"""


def write_page(
    folder: Path, widget: AnyWidget, host: str | None = "static", **options: object
) -> Path:
    """Write ``index.html`` with this widget; ``options`` replace some of the widget's own."""
    traits = {"options": {**widget.options, **options}, "state": dict(widget.state)}
    page = PAGE.format(
        css=widget._css,
        traits=_literal(traits),
        host=json.dumps(host),
        esm=_literal(widget._esm),
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def _literal(value: object) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value).replace("<", "\\u003c")


def put(folder: Path, stored: str) -> None:
    """Put a file of the assets, such as ``compiled/nets.js``, where the page looks for it."""
    place = folder / "_static" / stored
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(ASSETS / stored, place)


def write_once(folder: Path, widget: AnyWidget, *stored: str) -> Path:
    """Write the page of a widget that is not needed again, with these files; the folder."""
    for name in stored:
        put(folder, name)
    write_page(folder, widget)
    widget.close()
    return folder


def load(page: Page, folder: Path, query: str = "", theme: str = "light") -> Page:
    """Open the page anew, until the widget is there."""
    page.goto("about:blank")
    page.goto(f"file://{folder}/index.html{query}")
    page.wait_for_function("globalThis.ready")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    return page


def settle(page: Page) -> None:
    """Until what a control asked for is drawn, or its computation begun; data must be there."""
    page.evaluate("() => new Promise((f) => requestAnimationFrame(() => setTimeout(f)))")


def press(page: Page, name: str = "Train") -> None:
    """Press a button."""
    page.get_by_role("button", name=name, exact=True).click()
    settle(page)


def press_both(page: Page, first: str, second: str, when: str) -> None:
    """Press a button, and another one as soon as something is true in the page.

    The page itself does it: a test can be slower than a training.
    """
    page.evaluate(
        f"""async (names) => {{
          const press = (name) => [...document.querySelectorAll("button")]
            .find((one) => one.textContent === name).click();
          const late = performance.now() + 60000;
          press(names[0]);
          while (!({when})) {{
            if (performance.now() > late) throw new Error("this does not come: {when}");
            await new Promise((done) => setTimeout(done));
          }}
          press(names[1]);
        }}""",
        [first, second],
    )


def still(page: Page, expression: str) -> object:
    """What an expression comes to when it no longer changes."""
    end = time.monotonic() + 60
    before, now = None, page.evaluate(expression)
    while before != now:
        assert time.monotonic() < end, f"{expression} still changes"
        page.wait_for_timeout(300)
        before, now = now, page.evaluate(expression)
    return now


def group(page: Page, name: str) -> Locator:
    """The controls of this name."""
    return page.get_by_role("group", name=name)


def pick(page: Page, name: str, value: str) -> None:
    """Choose one of a group."""
    group(page, name).get_by_role("radio", name=value, exact=True).click()
    settle(page)


def slider(page: Page, name: str = "learning rate") -> Locator:
    """The slider with this in its name; the cursor of a plot, which has values too, is none."""
    return page.locator("input[type=range]").and_(page.get_by_role("slider", name=name))


def move(page: Page, name: str, stop: int) -> None:
    """Put a slider on a stop, by a part of its name."""
    page.get_by_role("slider", name=re.compile(name)).evaluate(
        "(input, stop) => { input.value = stop; input.dispatchEvent(new Event('input')); }", stop
    )


def summary(page: Page) -> Locator:
    """The sentences below the pictures."""
    return page.locator(".bnlab-summary")


def summary_text(page: Page) -> str:
    """The text of the summary."""
    return summary(page).inner_text()


def headline(page: Page) -> str:
    """The bold sentence above the pictures; it has been said when this is asked for."""
    return page.locator(".bnlab-headline").inner_text()


def note(page: Page) -> Locator:
    """What could not be done, and why."""
    return page.locator(".bnlab-note")


def finished(page: Page) -> str:
    """Wait for the end of the training that the last change began; the text of the summary."""
    settle(page)  # until then the summary is that of the training before
    expect(summary(page)).to_contain_text("Finished")
    return summary_text(page)


def full_screen(page: Page) -> None:
    """Press the button, until the browser shows the widget alone."""
    press(page, "Full screen")
    expect(page.locator(".bnlab")).to_have_class(re.compile("bnlab-large"))
    page.wait_for_function("document.fullscreenElement?.matches('.bnlab')")
    settle(page)


def stop_clock(page: Page) -> None:
    """From now on, timers and frames come with ``page.clock.run_for`` alone."""
    noon = datetime.datetime(2030, 1, 1, 12, tzinfo=datetime.timezone.utc)
    page.clock.install(time=noon)
    page.clock.pause_at(noon + datetime.timedelta(days=1))


def shown(page: Page) -> set[str]:
    """The settings whose curves are drawn."""
    return {p.get_attribute("data-shown") for p in page.locator(".bnlab-plot").all()}


def alts(page: Page) -> list[str]:
    """What each picture says to a reader who cannot see it."""
    return [p.get_attribute("aria-label") for p in page.locator(".bnlab-plot").all()]


class Carried:
    """A widget whose messages a test carries between Python and the page, as Jupyter would."""

    def __init__(self, **arguments: object) -> None:
        self.outbox: queue.Queue[dict] = queue.Queue()
        super().__init__(**arguments)

    def send(self, content: dict, buffers: object = None) -> None:
        self.outbox.put(content)

    def hear(self, message: dict) -> None:
        """A message from the page."""
        self._handle_custom_msg(message, [])

    def connect(self, page) -> None:
        """Before the page is loaded."""
        page.expose_function("toPython", self.hear)

    def pump(self, page, most: float = math.inf) -> None:
        """Carry what Python has sent so far to the page."""
        while most > 0 and not self.outbox.empty():
            page.evaluate("message => deliver(message)", self.outbox.get())
            most -= 1

    def pump_until(
        self, page: Page, condition: Callable[[], bool], at_once: float = math.inf
    ) -> None:
        """Carry messages until something is true; ``at_once``: so many between two looks at it."""
        end = time.monotonic() + 120
        while not condition():
            assert time.monotonic() < end, "nothing came from the kernel"
            self.pump(page, at_once)
            page.wait_for_timeout(10)
