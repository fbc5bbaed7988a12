"""Figures can be drawn without the claims, the chapters, and what shows them."""

import subprocess
import sys

import pytest

ABOVE = ("bnlab.verdicts", "bnlab.claims", "bnlab.chapters", "bnlab.show", "bnlab.lab")


def loaded_by(module: str) -> list[str]:
    """Names of all modules that a fresh Python has after ``import module``."""
    code = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.split()


def test_drawing_loads_of_this_package_only_what_it_draws_with() -> None:
    parts = ("figure", "maps", "panels", "shown", "style", "words")
    modules = loaded_by(", ".join(f"bnlab.draw.{part}" for part in parts))
    allowed = ("bnlab", "bnlab.errors", "bnlab.draw", *(f"bnlab.draw.{part}" for part in parts))
    assert [name for name in modules if name.split(".")[0] == "bnlab" and name not in allowed] == []


def test_a_number_in_words_needs_neither_torch_nor_matplotlib() -> None:
    assert not {"torch", "matplotlib"} & set(loaded_by("bnlab.draw.words"))


@pytest.mark.parametrize(
    "module", ["bnlab.draw", "bnlab.measure", "bnlab.measure.landscape.figures"]
)
def test_figures_and_instruments_load_nothing_of_what_builds_on_them(module: str) -> None:
    assert [name for name in loaded_by(module) if name.startswith(ABOVE)] == []
