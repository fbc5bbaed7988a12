"""A page with one Race on it, for tests without the whole site.

The widget is what Python makes; the page gives it a model as the site's host does, or one whose
messages a test carries to a real ``Race`` (``Kernel``).
"""

from __future__ import annotations

import json
import queue
from pathlib import Path

from bnlab.lab import Race
from bnlab.lab.kit.replay import make
from bnlab.lab.race.stored import Grid

SMALL = Grid(
    norms=("none", "batch", "layer"), batch_sizes=(16, 64), depths=(2, 6), seeds=(100,), steps=60
)

PAGE = """<!DOCTYPE html>
<html lang="en" data-content_root="./" data-theme="light">
<head><meta charset="utf-8"><title>Race</title>
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


def write_page(folder: Path, race: Race, host: str | None = "static", **options: object) -> Path:
    """Write ``index.html`` with this widget; ``options`` replace some of the widget's own."""
    traits = {"options": {**race.options, **options}, "state": dict(race.state)}
    page = PAGE.format(
        css=race._css,
        traits=_literal(traits),
        host=json.dumps(host),
        esm=_literal(race._esm),
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def _literal(value: object) -> str:
    """JSON that can stand inside a script element."""
    return json.dumps(value).replace("<", "\\u003c")


def write_replay(folder: Path, grid: Grid = SMALL, processes: int = 1) -> Path:
    """Compute a small grid of real runs and put it where the page looks for it."""
    path = folder / "_static" / "replay" / "race.js"
    make("race", grid, path, folder / "kept", processes)
    return path


def offered(grid: Grid = SMALL) -> dict[str, object]:
    """The options of a widget that offers what the grid holds, and that replays it."""
    norms = [
        {"name": norm, "enabled": norm in grid.norms, "reason": "" if norm in grid.norms else why}
        for norm, why in {
            "none": "",
            "batch": "",
            "layer": "",
            "group": "is not stored here",
            "instance": "needs images",
        }.items()
    ]
    return {
        "norms": norms,
        "lrs": list(grid.lrs),
        "batch_sizes": list(grid.batch_sizes),
        "depths": list(grid.depths),
        "seeds": list(grid.seeds),
        "steps": grid.steps,
        "compiled": None,
    }


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

    def pump(self, page) -> None:
        """Carry what Python has sent so far to the page."""
        while not self.outbox.empty():
            page.evaluate("message => deliver(message)", self.outbox.get())


class Kernel(Carried, Race):
    """A Race with a kernel."""
