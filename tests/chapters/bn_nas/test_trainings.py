"""The space of N1 to N5, its nets alone, its supernets."""

import copy

import pytest
import torch

from bnlab.chapters.bn_nas.space import BASE, costs, drawn, named, path_of, paths, supernet
from bnlab.chapters.bn_nas.trainings import (
    ALONE,
    MARKS,
    RATES,
    STEPS,
    TRAINED,
    Search,
    accuracy_of,
    alone,
    calibration,
    own,
    score,
    searched,
    trainer_of,
    truth,
)
from bnlab.nets.architecture import bn_indicator, indicator_table, macs, recalibrated
from bnlab.train import train
from bnlab.verdicts.work import HERE

TINY = BASE.replace(width=2, batch_size=8, steps=2, eval_every=2)
PATH = (3, 0, 2, 1)


def test_the_space_has_five_hundred_nets_of_one_to_four_layers():
    assert len(paths()) == len(set(paths())) == 500
    assert {costs(path)[2] for path in paths()} == {1, 2, 3, 4}


@pytest.mark.parametrize("path", [PATH, (0, 0, 0, 0), (4, 4, 3, 4)])
def test_costs_are_those_of_the_net_alone(path):
    net = supernet()
    multiplied, parameters, layers = costs(path)
    assert multiplied == macs(net, path, (1, 8, 8))
    assert parameters == sum(p.numel() for p in net.subnet(path).parameters())
    assert layers == sum(name != "identity" for name in net.named(path))


def test_a_name_says_which_path():
    assert named(PATH) == "3021" and path_of("3021") == PATH


def test_each_seed_draws_other_nets_each_once():
    first, second = drawn(1), drawn(2)
    assert len(set(first)) == len(first) == 32
    assert len(set(first) & set(second)) < 10
    assert drawn(1) == first and drawn(1, 5) == first[:5]


def test_no_two_units_share_a_seed():
    seeds = [own(seed, which) for seed in (*range(1100, 1164), 2000, 2001) for which in range(20)]
    assert len(set(seeds)) == len(seeds) and min(seeds) > 2001


def test_a_net_alone_is_trained_as_its_run_says():
    run = TINY.replace(seed=7, net_options={**TINY.net_options, "path": list(PATH)})
    assert alone(TINY, PATH, 7) == round(train(run, device="cpu").test_accuracy, 4)


def test_the_truth_has_two_trainings_of_each_net_with_seeds_of_its_unit(monkeypatch):
    monkeypatch.setattr("bnlab.chapters.bn_nas.trainings.drawn", lambda seed: drawn(seed, 2))
    found = truth(HERE, TINY, [3, 4])
    assert found[4][1] == [alone(TINY, drawn(4)[1], own(4, which)) for which in ALONE]
    assert set(found) == {3, 4} and len(found[3]) == 2


def moved(kind):
    """Names of the parameters that two steps change."""
    trainer = trainer_of(TINY, Search(kind, 0.5, 2, 2), 5)
    before = {name: p.detach().clone() for name, p in trainer.net.named_parameters()}
    list(trainer.steps())
    after = trainer.net.named_parameters()
    return {name for name, p in after if not torch.equal(p.detach(), before[name])}


def test_all_weights_are_trained():
    assert {"head.weight", "stem.0.weight", "stem.1.weight"} <= moved("all")


def test_with_the_normalizers_alone_no_other_weight_moves():
    found = moved("norms")
    assert {name.rsplit(".", 1)[0].rsplit(".", 1)[1] for name in found} <= {
        "1",
        "norm1",
        "norm2",
        "norm3",
    }
    assert "stem.1.weight" in found and any("norm1" in name for name in found)


def test_with_the_last_normalizers_alone_only_they_move():
    found = moved("last")
    assert found and all("norm3" in name for name in found)


def test_a_supernet_is_looked_at_at_each_mark():
    search, asked = Search("all", 0.1, 4, 2), [PATH, (0, 0, 0, 0)]
    found = searched(TINY, search, 5, [2, 4], asked)
    trainer = trainer_of(TINY, search, 5)
    for record in trainer.steps():
        if record.step == 2:
            break
    for found_row, row in zip(found["tables"][0], indicator_table(trainer.net), strict=True):
        assert found_row == pytest.approx(row, abs=1e-6)
    assert found["accuracies"][0] == [accuracy_of(trainer, path) for path in asked]
    assert found["tables"][0] != found["tables"][1]


def test_a_path_is_evaluated_with_statistics_of_its_own_and_the_supernet_stays():
    trainer = trainer_of(TINY, Search("all", 0.1, 4, 2), 5)
    list(trainer.steps())
    before = copy.deepcopy(trainer.net.state_dict())
    for path in [PATH, (0, 4, 1, 0)]:
        net = recalibrated(trainer.net, path, calibration(trainer))
        right = (net(trainer.val_x).argmax(1) == trainer.val_y).float().mean()
        assert accuracy_of(trainer, path) == pytest.approx(right.item(), abs=1e-4)
    after = trainer.net.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_supernet_that_diverges_says_so():
    with pytest.raises(ValueError, match="diverged"):
        searched(TINY, Search("all", 1e12, 30, 2), 5, [30], [])


def test_the_score_is_the_indicator_and_before_training_the_number_of_layers():
    net = supernet(TINY)
    assert score(indicator_table(net), PATH) == bn_indicator(net, PATH) == costs(PATH)[2]


def test_marks_are_a_tenth_a_quarter_a_half_and_all():
    assert [mark / STEPS for mark in MARKS] == [0.1, 0.25, 0.5, 1]
    assert set(RATES) == set(TRAINED)
