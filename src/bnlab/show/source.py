"""The code of a function as it runs, short enough for a page."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable

from bnlab.arguments import checked


class Source(str):
    """Text that a notebook prints as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@checked
def source(*functions: Callable) -> Source:
    """The code of functions as they are imported, without their docstrings and annotations."""
    return Source("\n\n\n".join(map(_source, functions)))


def _source(function: Callable) -> str:
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    tree = ast.parse("\n".join(lines)).body[0]
    first = tree.body[0]
    if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
        first = tree.body[1]
    for node in ast.walk(tree.args):
        if isinstance(node, ast.arg):
            node.annotation = None
    head = f"def {tree.name}({ast.unparse(tree.args)}):"
    return "\n".join([head, *lines[first.lineno - 1 :]])
