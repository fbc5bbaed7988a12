"""All widgets, and what each of them needs of the website.

A widget is a folder. It may have ``JOBS``, what the worker of a page computes for it: a module (see
``kit/js/page_jobs.js``) by the set of compiled nets with which it works; ``STORED``, a grid of
runs that are stored for it (see ``bnlab.lab.kit.replay``), or several of them by name; and
``FIRST``, which computes what it shows where nothing can be computed (see ``bnlab.lab.kit.first``),
for the option ``first``, or several such functions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from bnlab import lab
from bnlab.engines.compiled.page_sets import ALL_SETS
from bnlab.lab.kit.first import First
from bnlab.lab.kit.replay import StoredGrid

ALL = tuple(sys.modules[getattr(lab, name).__module__.rpartition(".")[0]] for name in lab.__all__)


def jobs() -> dict[str, list[Path]]:
    """The modules of the jobs of each set of nets, beside the one that every worker has."""
    declared = [getattr(widget, "JOBS", {}) for widget in ALL]
    return {name: [of[name] for of in declared if name in of] for name in ALL_SETS}


def stored() -> dict[str, StoredGrid]:
    """The grids of stored runs, by the name of the widget or their own."""
    grids = {widget.__name__.rpartition(".")[2]: getattr(widget, "STORED", {}) for widget in ALL}
    named = (of if isinstance(of, dict) else {name: of} for name, of in grids.items())
    return {name: grid for of in named for name, grid in of.items()}


def firsts() -> list[Callable[[], First]]:
    """What computes the first states of widgets."""
    declared = [getattr(widget, "FIRST", ()) for widget in ALL]
    return [make for of in declared for make in (of if isinstance(of, tuple) else (of,))]
