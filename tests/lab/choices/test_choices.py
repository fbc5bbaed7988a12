"""Choices: its space, the training of its supernets, and what is stored of both."""

import functools
import gzip
import itertools
import json

import numpy as np
import pytest
import torch

from bnlab.chapters.bn_nas import trainings
from bnlab.chapters.bn_nas.space import BASE, OPS, named, paths
from bnlab.chapters.bn_nas.space import costs as chapter_costs
from bnlab.chapters.bn_nas.trainings import RATES, STEPS, TRAINED, Search, trainer_of
from bnlab.lab import Choices, site
from bnlab.lab.choices import STORED, choices, choices_truth, supernets
from bnlab.lab.choices.choices import BUDGETS, SEARCH
from bnlab.lab.choices.choices_truth import accuracy, main, truth
from bnlab.lab.choices.supernets import (
    EVERY,
    SEEDS,
    SHOWN,
    TRUTH_SEEDS,
    alone_run,
    costs,
    growing,
    scales,
    space,
)
from bnlab.nets import Supernet
from bnlab.nets.architecture import bn_indicator
from bnlab.train import Run, build
from bnlab.verdicts.evidence import results_folder
from tests.lab.kit.heard import Heard

FILE = results_folder().parent / "assets" / "replay" / "choices.js"


class Spoken(Heard, Choices):
    """A widget that is listened to."""


@pytest.fixture
def widget():
    widget = Spoken()
    yield widget
    widget.close()


# ---- the space -----------------------------------------------------------------------------------


def test_the_paths_are_counted_as_the_page_counts_them():
    sizes = [len(names) for names in space().names]
    assert list(paths()) == list(itertools.product(*map(range, sizes)))
    assert len(set(map(space().named, paths()))) == np.prod(sizes)


def test_the_costs_of_operations_add_up_to_those_of_a_net():
    for path in paths()[::37]:
        found = [
            one["fixed"] + sum(row[op] for row, op in zip(one["table"], path, strict=True))
            for one in costs().values()
        ]
        assert found == list(chapter_costs(path)[:2]), named(path)


def test_every_budget_leaves_the_search_more_than_its_first_population():
    sizes = np.array([chapter_costs(path)[0] for path in paths()])
    fits = [int((100 * sizes <= budget * sizes.max()).sum()) for budget in BUDGETS]
    assert fits[0] > SEARCH["population"] and fits[-1] == len(sizes)
    assert fits == sorted(set(fits))


def test_the_scales_sum_to_the_indicator_of_a_path():
    net = build(BASE)
    with torch.no_grad():
        for number, parameter in enumerate(net.parameters()):
            parameter.add_(0.01 * number)
    found, first = scales(net), 0
    for k, (names, op) in enumerate(zip(net.names, paths()[-3], strict=True)):
        one = tuple(op if block == k else 0 for block in range(BASE.depth))
        base = (0,) * BASE.depth
        change = bn_indicator(net, one) - bn_indicator(net, base)
        assert (found[first + op] - found[first]) / 1000 == pytest.approx(change, abs=1e-3)
        first += len(names)
    assert first == len(found)


# ---- training ------------------------------------------------------------------------------------


def test_a_training_starts_at_one_and_moves():
    tables = [table for _, table in growing("all", SEEDS[0], 20) if table]
    assert len(tables) == 1 + 20 // EVERY
    identity = [name == "identity" for names in space().names for name in names]
    assert tables[0] == [0 if is_identity else 1000 for is_identity in identity]
    assert tables[1] != tables[2] != tables[0]
    assert not any(np.array(tables)[:, identity].ravel())


@pytest.mark.parametrize("trained", TRAINED)
def test_the_scales_are_those_of_the_chapters_supernet(trained):
    trainer = trainer_of(BASE, Search(trained, RATES[trained], 20), SEEDS[0])
    list(trainer.steps())
    assert list(growing(trained, SEEDS[0], 20))[-1] == (20, scales(trainer.net))


def test_what_is_trained_makes_a_difference():
    ends = [tuple(list(growing(trained, SEEDS[0], 10))[-1][1]) for trained in TRAINED]
    assert len(set(ends)) == len(TRAINED)


def test_a_net_alone_has_the_operations_of_its_path():
    net = build(alone_run(paths()[7], SEEDS[0]))
    assert isinstance(net, Supernet)
    assert [name for (name,) in net.names] == list(space().named(paths()[7]))
    assert set(space().named(paths()[7])) <= set(OPS)


# ---- what is stored ------------------------------------------------------------------------------


def stored():
    text = FILE.read_text("utf-8")
    return json.loads(text.partition(" = ")[2].rstrip(";\n"))


def test_the_site_knows_the_stored_trainings():
    assert site.stored()["choices"] is STORED
    data = stored()
    assert data["axes"] == {"trained": list(TRAINED), "seed": list(SEEDS)}
    assert data["steps"] == list(SHOWN) and SHOWN[-1] == STEPS
    assert len(data["scales"]) == len(STORED.runs())
    for training in data["scales"]:
        assert len(training) == len(SHOWN)
        assert {len(row) for row in training} == {sum(map(len, space().names))}
        assert np.min(training) >= 0 and np.max(training) < 10_000
    assert len(gzip.compress(FILE.read_bytes())) < 100_000


@pytest.mark.parametrize("trained", TRAINED)
def test_a_stored_training_is_what_is_computed(trained):
    seed = SEEDS[1]
    number = [(one.trained, one.seed) for one in STORED.runs()].index((trained, seed))
    shown = np.array(stored()["scales"])[:, : 1 + 20 // EVERY]
    tables = np.array([table for _, table in growing(trained, seed, 20) if table])
    np.testing.assert_array_equal(shown[number][0], tables[0])
    away = np.abs(shown - tables).sum((1, 2))  # not 0: other processors round otherwise
    strangers = np.delete(away, number)
    assert 3 * away[number] < strangers.min() and away[number] / tables.size < 4


def test_the_stored_truth_is_measured():
    found = truth()
    assert len(found["right"]) == len(found["seeds"]) >= 1
    assert found["seeds"] == list(TRUTH_SEEDS[: len(found["seeds"])])
    assert all(len(row) == len(paths()) for row in found["right"])
    assert Run.from_dict(found["run"]) == BASE, "measure the truth anew"
    numbers = range(0, len(paths()), len(paths()) // 12)
    runs = [alone_run(paths()[number], found["seeds"][0]) for number in numbers]
    right = np.array([found["images"] * accuracy(run)["test"] for run in runs])
    stored = np.array(found["right"][0])[list(numbers)]
    assert np.corrcoef(stored, right)[0, 1] > 0.97  # not 1: other processors round otherwise
    assert np.abs(stored - right).mean() < 5 and np.abs(stored - right).max() <= 15


def test_the_command_measures_and_writes_what_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(choices_truth, "TRUTH", tmp_path / "truth.json")
    monkeypatch.setattr(choices_truth, "paths", lambda: paths()[:2])
    fast = BASE.replace(steps=1, eval_every=1)
    monkeypatch.setattr(supernets, "BASE", fast)
    monkeypatch.setattr(choices_truth, "BASE", fast)
    assert main(["--seeds", "2"]) == 0
    found = json.loads((tmp_path / "truth.json").read_text())
    assert found["run"]["steps"] == 1 and found["seeds"] == list(TRUTH_SEEDS[:2])
    assert found["right"] == [
        [round(found["images"] * accuracy(alone_run(path, seed))["test"]) for path in paths()[:2]]
        for seed in TRUTH_SEEDS[:2]
    ]


# ---- the kernel ----------------------------------------------------------------------------------


def test_python_trains_what_a_state_means(widget, monkeypatch):
    monkeypatch.setattr(choices, "growing", functools.partial(growing, steps=20))
    widget.ask(1, trained="last", seed=SEEDS[2])
    assert widget.wait(60)
    assert widget.of(1, "finished")[0]["stopped"] is False
    told = [(m["step"], m["scales"]) for m in widget.of(1, "points")]
    assert told == [(step, table) for step, table in growing("last", SEEDS[2], 20) if table]


def test_a_supernet_that_diverges_is_said(widget, monkeypatch):
    monkeypatch.setitem(trainings.RATES, "all", 1e9)
    widget.ask(1)
    assert widget.wait(60)
    assert "the supernet diverged at step" in widget.of(1, "error")[0]["text"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trained": "none"}, "trained must be one of all, norms, last"),
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
