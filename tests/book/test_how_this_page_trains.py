"""The appendix on the compiled step: its code runs, and what the prose says of it is so."""

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("wasmtime")

from bnlab.chapters.how_this_page_trains.figures import differences, parting
from bnlab.engines.compiled.catalogue import DEPTHS, WIDTH, catalogue
from bnlab.engines.compiled.program import LARGEST_BATCH, Library, gradient_program
from bnlab.engines.compiled.update import UPDATES
from bnlab.lab import Race
from bnlab.lab.race.run import race_run
from bnlab.nets import make_net
from bnlab.train import Run

PAGE = Path(__file__).parents[2] / "book" / "how_this_page_trains.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
PROSE = "\n".join("".join(c["source"]) for c in CELLS if c["cell_type"] == "markdown")
SMALL = Run(depth=1, batch_size=8, steps=6, lr=0.1)


def test_the_numbers_of_nets_and_optimizers():
    norms = {net.norm for net in catalogue()}
    assert f"{len(norms)} normalizers and {len(UPDATES)} optimizers" in PROSE
    assert f"1 to {max(DEPTHS)} hidden layers of {WIDTH} units" in PROSE
    assert f"at most {LARGEST_BATCH} at once" in PROSE


def test_the_three_kernels_are_those_that_the_prose_describes():
    library = Library()
    gradient_program(make_net("mlp", (1, 1, 3), 2, depth=1, width=4), (1, 1, 3), library)
    product, comparison, exponential = [body for body, _ in list(library.kernels)[:7:3]]
    assert product.startswith("multiply(") and "==" in comparison and "EXPF" in exponential


def test_the_race_of_the_page_trains_the_run_of_its_code():
    code = "\n".join("".join(c["source"]) for c in CELLS if c["cell_type"] == "code")
    run = eval(re.search(r"^run = (Run\(.*\))$", code, re.M).group(1), {"Run": Run})
    race = eval(re.search(r"^(Race\(.*\))$", code, re.M).group(1), {"Race": Race})
    setting = {key: race.state[key] for key in ("lr", "batch_size", "depth", "seed")}
    setting |= {key: race.options[key] for key in ("net", "width")}
    assert race.options["compiled"] and "batch" in race.state["norms"]
    assert race_run("batch", **setting) == run
    race.close()


def test_modules_that_the_page_names_exist():
    folder = PAGE.parents[1] / "src" / "bnlab" / "engines" / "compiled"
    names = re.findall(r"`([\w/.]+)`", PROSE.split("## To read on")[1])
    names = [name for name in names if not name.startswith("bnlab")]
    assert len(names) > 10
    for name in names:
        places = (at / end for at in (folder, folder / "compiler") for end in (name, f"{name}.py"))
        assert any(place.exists() for place in places), name


def test_the_figure_says_what_it_shows():
    figure = parting(SMALL, norms=("batch",))
    assert len(figure.svgs) == 2
    gap = differences(SMALL.replace(norm="batch", precision="float64")).max()
    assert f"float64: never more than {gap:.0e} apart" in figure.alt and gap < 1e-12


def test_a_figure_of_runs_that_part():
    run = Run(norm="batch", depth=6, batch_size=4, steps=120, lr=1.0)
    gap = differences(run)
    first = next(k for k, value in enumerate(gap) if value > 0.01) + 1
    assert f"more than 1% apart from step {first} on" in parting(run, norms=("batch",)).alt
