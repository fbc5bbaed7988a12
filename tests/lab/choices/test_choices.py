"""Choices: its space, the training of its supernets, and what is stored of both."""

import gzip
import itertools
import json

import numpy as np
import pytest
import torch

from bnlab.lab import Choices, site
from bnlab.lab.choices import STORED, supernets
from bnlab.lab.choices.choices import BUDGETS, SEARCH
from bnlab.lab.choices.choices_truth import accuracy, main, truth
from bnlab.lab.choices.supernets import (
    EVERY,
    IMAGE,
    OPS,
    SEEDS,
    STEPS,
    SUPERNET,
    TRAINED,
    TRUTH_SEEDS,
    alone,
    costs,
    growing,
    paths,
    scales,
    space,
    trainer_of,
)
from bnlab.nets import Supernet
from bnlab.nets.architecture import bn_indicator, macs
from bnlab.train import build
from bnlab.verdicts.evidence import results_folder
from tests.lab.kit.heard import Heard

FILE = results_folder().parent / "assets" / "replay" / "choices.js"


class Spoken(Heard, Choices):
    """A widget that is listened to."""


@pytest.fixture
def widget():
    widget = Spoken(device="cpu")
    yield widget
    widget.close()


@pytest.fixture
def short(monkeypatch):
    """A supernet that is trained for 20 steps alone."""
    monkeypatch.setattr(supernets, "SUPERNET", SUPERNET.replace(steps=20))


# ---- the space -----------------------------------------------------------------------------------


def test_the_paths_are_counted_as_the_page_counts_them():
    sizes = [len(names) for names in space().names]
    assert paths() == list(itertools.product(*map(range, sizes)))
    assert len(set(map(space().named, paths()))) == np.prod(sizes)


def test_the_costs_of_operations_add_up_to_the_macs_of_a_net():
    table, fixed = costs()["table"], costs()["fixed"]
    for path in paths()[::37]:
        assert fixed + sum(row[op] for row, op in zip(table, path, strict=True)) == macs(
            space(), path, IMAGE
        )


def test_every_budget_leaves_the_search_more_than_its_first_population():
    sizes = np.array([macs(space(), path, IMAGE) for path in paths()])
    fits = [int((100 * sizes <= budget * sizes.max()).sum()) for budget in BUDGETS]
    assert fits[0] > SEARCH["population"] and fits[-1] == len(sizes)
    assert fits == sorted(set(fits))


def test_the_scales_sum_to_the_indicator_of_a_path():
    net = build(SUPERNET)
    with torch.no_grad():
        for number, parameter in enumerate(net.parameters()):
            parameter.add_(0.01 * number)
    found, first = scales(net), 0
    for k, (names, op) in enumerate(zip(net.names, paths()[-3], strict=True)):
        one = tuple(op if block == k else 0 for block in range(SUPERNET.depth))
        base = (0,) * SUPERNET.depth
        change = bn_indicator(net, one) - bn_indicator(net, base)
        assert (found[first + op] - found[first]) / 1000 == pytest.approx(change, abs=1e-3)
        first += len(names)
    assert first == len(found)


# ---- training ------------------------------------------------------------------------------------


def test_a_training_starts_at_one_and_moves(short):
    tables = [table for _, table in growing("all", SEEDS[0]) if table]
    assert len(tables) == 1 + 20 // EVERY
    identity = [name == "identity" for names in space().names for name in names]
    assert tables[0] == [0 if is_identity else 1000 for is_identity in identity]
    assert tables[1] != tables[2] != tables[0]
    assert not any(np.array(tables)[:, identity].ravel())


def test_with_the_last_norms_nothing_else_is_trained(short):
    trainer = trainer_of("last", SEEDS[0])
    before = {name: p.detach().clone() for name, p in trainer.net.named_parameters()}
    list(trainer.steps(looks=False))
    moved = {name for name, p in trainer.net.named_parameters() if not torch.equal(p, before[name])}
    assert moved and all("norm3" in name for name in moved)


def test_what_is_trained_makes_a_difference(short):
    ends = [list(growing(trained, SEEDS[0]))[-1] for trained in TRAINED]
    assert ends[0] != ends[1]


def test_a_net_alone_has_the_operations_of_its_path():
    net = build(alone(paths()[7], SEEDS[0]))
    assert isinstance(net, Supernet)
    assert [names for (names,) in net.names] == list(space().named(paths()[7]))
    assert set(space().named(paths()[7])) <= set(OPS)


# ---- what is stored ------------------------------------------------------------------------------


def stored():
    text = FILE.read_text("utf-8")
    return json.loads(text.partition(" = ")[2].rstrip(";\n"))


def test_the_site_knows_the_stored_trainings():
    assert site.stored()["choices"] is STORED
    data = stored()
    assert data["axes"] == {"trained": list(TRAINED), "seed": list(SEEDS)}
    assert data["steps"] == list(STEPS)
    assert len(data["scales"]) == len(STORED.runs())
    for training in data["scales"]:
        assert len(training) == len(STEPS)
        assert {len(row) for row in training} == {sum(map(len, space().names))}
        assert 0 <= np.min(training) and np.max(training) < 10_000
    assert len(gzip.compress(FILE.read_bytes())) < 60_000


@pytest.mark.parametrize("trained", TRAINED)
def test_a_stored_training_is_what_is_computed(trained, monkeypatch):
    monkeypatch.setattr(supernets, "SUPERNET", SUPERNET.replace(steps=30))
    seed = SEEDS[1]
    number = [(one.trained, one.seed) for one in STORED.runs()].index((trained, seed))
    tables = [table for _, table in growing(trained, seed) if table]
    np.testing.assert_allclose(stored()["scales"][number][: len(tables)], tables, atol=1)


def test_the_stored_truth_is_measured():
    found = truth()
    assert len(found["right"]) == len(found["seeds"]) >= 1
    assert found["seeds"] == list(TRUTH_SEEDS[: len(found["seeds"])])
    assert all(len(row) == len(paths()) for row in found["right"])
    for number in (3, 470):
        run = alone(paths()[number], found["seeds"][0])
        assert found["run"] == run.replace(net_options=found["run"]["net_options"], seed=0).to_dict()
        right = found["images"] * accuracy(run)["test"]
        assert found["right"][0][number] == pytest.approx(right, abs=3)  # other processors


def test_the_command_measures_and_writes_what_it_is_asked_for(tmp_path, monkeypatch):
    from bnlab.lab.choices import choices_truth

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(choices_truth, "TRUTH", tmp_path / "truth.json")
    monkeypatch.setattr(choices_truth, "paths", lambda: paths()[:2])
    fast = supernets.ALONE.replace(steps=1, eval_every=1)
    monkeypatch.setattr(supernets, "ALONE", fast)
    monkeypatch.setattr(choices_truth, "ALONE", fast)
    assert main(["--seeds", "2"]) == 0
    found = json.loads((tmp_path / "truth.json").read_text())
    assert found["seeds"] == list(TRUTH_SEEDS[:2]) and np.shape(found["right"]) == (2, 2)


# ---- the kernel ----------------------------------------------------------------------------------


def test_python_trains_what_a_state_means(widget, short):
    widget.ask(1, trained="last", seed=SEEDS[2])
    assert widget.wait(60)
    assert widget.of(1, "finished")[0]["stopped"] is False
    told = [(m["step"], m["scales"]) for m in widget.of(1, "points")]
    assert told == [(step, table) for step, table in growing("last", SEEDS[2]) if table]


def test_a_supernet_that_diverges_is_said(widget, monkeypatch):
    monkeypatch.setattr(supernets, "SUPERNET", SUPERNET.replace(lr=1e6))
    widget.ask(1)
    assert widget.wait(60)
    assert "the supernet diverged at step" in widget.of(1, "error")[0]["text"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trained": "none"}, "trained must be one of all, last"),
        ({"step": 3}, "step must be one of 0"),
        ({"seed": 1}, "seed must be one of"),
        ({"budget": 5}, "budget must be one of 30"),
        ({"path": "k3e3-k3e3"}, "one operation a block"),
        ({"path": "k3e3-k3e3-identity-k3e3"}, "block 3: k3e3, k3e6"),
        ({"path": 3}, "one operation a block"),
        ({"across": "depth"}, "across must be one of score, size"),
        ({"predict": 1}, "predict must be True or False"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(wrong, message):
    with pytest.raises(ValueError, match=message):
        Choices(**wrong)


def test_a_wrong_state_of_the_page_comes_back_as_text(widget):
    widget.ask(5, budget=1)
    assert "budget must be one of" in widget.of(5, "error")[0]["text"]
