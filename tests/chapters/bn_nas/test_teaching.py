"""The score and the evolution that chapter 12 writes in ten lines each do what the package does."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from bnlab.nets import make_net
from bnlab.nets.architecture import bn_indicator, indicator_table, macs

PAGE = Path(__file__).parents[3] / "book" / "12_bn_nas.ipynb"
OPS = ["identity", "k3e3", "k3e6", "k5e3", "k5e6"]


def code_cells():
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def teaching():
    """The cells that teach the method: the score, and the search."""
    tagged = [cell for cell in code_cells() if "teaching" in cell["metadata"].get("tags", ())]
    return ["".join(cell["source"]) for cell in tagged]


def cell(part):
    """The cell of the page that has this in it."""
    (found,) = [text for text in ("".join(c["source"]) for c in code_cells()) if part in text]
    return found


@pytest.fixture(scope="module")
def taught():
    """What the two cells define, as a reader runs them."""
    names = {}
    for source in teaching():
        exec(source, names)
    return names


@pytest.fixture(scope="module")
def net():
    made = make_net("supernet", (1, 8, 8), 10, depth=4, width=8, norm="batch", ops=OPS, seed=3)
    torch.manual_seed(0)
    for name, weight in made.named_parameters():
        if "norm" in name and name.endswith("weight"):
            torch.nn.init.normal_(weight)
    return made


def test_scales_and_score_are_those_of_the_package(taught, net):
    table = taught["scales"](net)
    assert table == indicator_table(net)
    for step in range(20):
        path = net.sample(0, step)
        assert taught["score"](table, path) == pytest.approx(bn_indicator(net, path))


def test_an_untrained_supernet_counts_layers(taught):
    fresh = make_net("supernet", (1, 8, 8), 10, depth=4, width=8, norm="batch", ops=OPS)
    table = taught["scales"](fresh)
    for path in fresh.paths():
        layers = [name for name in fresh.named(path) if name != "identity"]
        assert taught["score"](table, path) == len(layers)


@pytest.mark.parametrize("share", [0.4, 0.7, 1.0])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_evolution_finds_the_best_path_within_a_budget(taught, net, share, seed):
    table = taught["scales"](net)
    costs = {path: macs(net, path, (1, 8, 8)) for path in net.paths()}
    budget = share * max(costs.values())
    fits = [path for path, cost in costs.items() if cost <= budget]

    def score(path):
        return taught["score"](table, path)

    found = taught["evolve"](
        score, lambda path: costs[path] <= budget, [len(row) for row in table], seed=seed
    )
    assert found == max(fits, key=score)


def test_it_evolves_and_does_not_only_draw(taught):
    """In a space that is far too large for random draws it comes near the best path."""
    table = np.random.default_rng(0).random((21, 6)).tolist()
    sizes, best = [6] * 21, sum(map(max, table))
    found = taught["evolve"](lambda path: taught["score"](table, path), lambda _: True, sizes)
    drawn = np.random.default_rng(1).integers(sizes, size=(5000, 21))
    lucky = max(taught["score"](table, path) for path in drawn.tolist())
    assert best > taught["score"](table, found) > lucky + 0.3 * (best - lucky)


def test_ten_times_the_scale_of_an_inner_norm_changes_nothing_and_of_the_last_one_much(capsys):
    names = {"net": make_net("supernet", (1, 8, 8), 10, depth=4, width=8, norm="batch", ops=OPS)}
    exec(cell('for name in ("norm1"'), names)
    changes = [float(line.split()[-1].rstrip("%")) for line in capsys.readouterr().out.splitlines()]
    assert len(changes) == 3 and max(changes[:2]) < 1 < 100 < changes[2]
