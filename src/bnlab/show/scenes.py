"""The demonstration of a page as a numbered list of links, each to a scene of the page's widget."""

from __future__ import annotations

import html

from bnlab.chapters import scenes_of
from bnlab.draw.scene import Scene
from bnlab.draw.shown import Shown, fill


def scenes(page: str) -> Shown:
    """The scenes of a page: a link that puts the widget into its state, the question, the outcome.

    Args:
        page: a chapter or another page with scenes, such as ``learning_rates``.

    Raises:
        ValueError: if it has none; the message lists those that have.
    """
    found = scenes_of(page)
    items = [_item(found.WIDGET, number, one) for number, one in enumerate(found.SCENES, 1)]
    lines = [f"{k}. {one.label}: {one.ask} {one.says}" for k, one in enumerate(found.SCENES, 1)]
    return Shown(f"<ol>{''.join(items)}</ol>", "\n".join(fill(line) for line in lines))


def _item(widget: str, number: int, scene: Scene) -> str:
    label, ask, says = map(html.escape, (scene.label, scene.ask, scene.says))
    return f'<li><a href="#{widget}?scene={number}">{label}</a>: <i>{ask}</i> {says}</li>'
