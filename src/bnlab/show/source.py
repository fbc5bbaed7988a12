"""The code of a function as it runs, short enough for a page."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable


class Source(str):
    """Text that a notebook prints as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def source(function: Callable) -> Source:
    """The code of a function without its docstring, read from the file that is imported."""
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    body = ast.parse("\n".join(lines)).body[0].body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
        del lines[first.lineno - 1 : first.end_lineno]
    return Source("\n".join(lines))
