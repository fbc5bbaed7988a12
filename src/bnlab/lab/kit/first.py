"""Makes what widgets show where nothing can be computed: ``python -m bnlab.lab first``.

A browser without WebAssembly or web workers cannot train nets. There a widget shows its first
state, from a file that is loaded only then: ``first.js``, with the state and the points of each
widget, as its engine would have told them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from bnlab.store import write_text

OUTPUT = Path("assets/replay/first.js")
DIGITS = 4

Content = tuple[str, dict[str, object] | None]
First = tuple[str, dict[str, object], list[list]]
"""A widget's name in addresses, the part of its state that results depend on, and its points."""


def first_of(
    widget: type,
    keys: Iterable[str],
    compute: Callable[[dict[str, object]], Iterable[Content]],
    **arguments: object,
) -> First:
    """The first state of a widget, as far as these keys, and what is computed of it.

    Args:
        widget: its class.
        keys: of the state, those on which the results depend.
        compute: gives names, and what is new about them, for a state.
        **arguments: of the widget; ``norms`` may be more than are shown at first.
    """
    made = widget(**arguments)
    name, state = made.options["name"], dict(made.state)
    made.close()
    points = [[net, short(content)] for net, content in compute(state) if content is not None]
    return name, {key: state[key] for key in keys}, points


def short(value: object) -> object:
    """The same with ``DIGITS`` digits for each number that is not whole."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: short(part) for key, part in value.items()}
    return [short(part) for part in value] if isinstance(value, list) else value


def text(firsts: Iterable[First]) -> str:
    """The file."""
    stored = {name: {"state": state, "points": points} for name, state, points in firsts}
    content = json.dumps({"version": 1, "widgets": stored}, separators=(",", ":"))
    return f"(globalThis.bnlabReplay ??= {{}}).first = {content};\n"


def add_command(
    commands: argparse._SubParsersAction, makers: Iterable[Callable[[], First]]
) -> None:
    """Add ``first`` to a command, with what makes each of them."""
    parser = commands.add_parser("first", description=__doc__, help="the first state of widgets")

    def run(_given: argparse.Namespace) -> int:
        if not Path("pyproject.toml").is_file():
            parser.error("run this in the root of the repository")
        write_text(OUTPUT, text(make() for make in makers))
        print(f"{OUTPUT}: {OUTPUT.stat().st_size / 1000:.0f} kB")
        return 0

    parser.set_defaults(run=run)
