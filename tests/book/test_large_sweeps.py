"""What the page *Large sweeps* says of Runs is true of the package."""

import re
from pathlib import Path

import pytest

from bnlab.train import Run, build

TEXT = Path("book/large_sweeps.md").read_text(encoding="utf-8")
(CODE,) = (
    block for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL) if "methods = {" in block
)


def methods() -> dict[str, Run]:
    """The Runs of the page."""
    names: dict[str, object] = {"Run": Run}
    exec(CODE, names)
    return names["methods"]


def test_they_are_different_trainings():
    runs = methods()
    assert len({run.key() for run in runs.values()}) == len(runs) == 11


@pytest.mark.parametrize("name", methods())
def test_each_makes_a_net(name):
    assert sum(p.numel() for p in build(methods()[name]).parameters()) > 1000
