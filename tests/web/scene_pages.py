"""The widget of a page with the scenes of its demonstration, and how a lecturer plays them."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

from anywidget import AnyWidget
from playwright.sync_api import Page, expect

from bnlab.draw.scene import Scene
from tests.web.widget_page import settle

BOOK = Path(__file__).parents[2] / "book"
MYST = re.compile(r"^```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*(.*?)^```", re.S | re.M)


def code_of(path: Path) -> list[str]:
    """The code cells of a page."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        return MYST.findall(text)
    cells = json.loads(text)["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def pages() -> dict[str, Path]:
    """The files of the pages with scenes, by the name under which they ask for them."""
    found = {}
    for path in (*sorted(BOOK.glob("*.ipynb")), *sorted(BOOK.glob("*.md"))):
        for name in re.findall(r'with_scenes\("(\w+)"\)', "\n".join(code_of(path))):
            found[name] = path
    return found


def widget_on(path: Path) -> AnyWidget:
    """The widget with scenes, made as the page makes it."""
    (source,) = (one for one in code_of(path) if "with_scenes(" in one)
    tree, names = ast.parse(source), {}
    last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, str(path), "exec"), names)
    return eval(compile(last, str(path), "eval"), names)


def stored_for(widget: AnyWidget) -> list[str]:
    """The files that the page of a widget loads."""
    options = widget.options
    nets = [f"compiled/{options['compiled']}.js"] if options.get("compiled") else []
    return nets or ([f"replay/{options['replay']}.js"] if "replay" in options else [])


def words(page: Page) -> str:
    """What stands beside the strip."""
    return page.locator(".bnlab-scene-words").inner_text()


def play(page: Page, number: int, scene: Scene, answer: str | None = None) -> None:
    """PageDown, then Space, in full screen; with a guess if one is asked for.

    Args:
        page: in which the scene before this one was played.
        number: of the scene, from 1.
        scene: what it is.
        answer: the guess that turns out right; None if any will do.
    """
    page.keyboard.press("PageDown")
    settle(page)
    assert words(page) == scene.ask
    expect(page.get_by_role("button", name=f"Scene {number}:")).to_have_attribute(
        "aria-current", "step"
    )
    guesses = page.locator(".bnlab-guess:not([hidden])").get_by_role("radio")
    if guesses.count():
        name = {"name": answer, "exact": True} if answer else {}
        page.locator(".bnlab-guess").get_by_role("radio", **name).first.check(force=True)
    page.keyboard.press(" ")
    expect(page.locator(".bnlab-scene-words")).to_have_text(scene.says)
    settle(page)  # what the scene pressed is drawn in the frame after its words
    if answer:
        expect(page.locator(".bnlab-verdict")).to_contain_text("Right")
