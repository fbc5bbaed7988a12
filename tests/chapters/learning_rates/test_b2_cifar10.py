"""B2 on CIFAR-10: the nets that are looked at, and at which rates they are trained longer."""

import pytest

from bnlab.chapters.learning_rates import b2_cifar10, b2_explosion
from bnlab.train import Run

TINY = Run(net="resnet", depth=3, width=4, batch_size=16, steps=10)


@pytest.fixture
def data(monkeypatch):
    monkeypatch.setattr(b2_cifar10, "BASE", TINY.replace(optimizer_options={"momentum": 0.9}))
    monkeypatch.setattr(b2_cifar10, "TRAINED", 3)
    monkeypatch.setattr(b2_explosion, "LRS", (0.01, 1e5))
    return b2_cifar10.measure(seeds=[4])


def test_the_same_is_measured_as_on_digits_with_the_base_and_rates_of_this_scale(data):
    assert Run.from_dict(data["base"]) == b2_cifar10.BASE
    assert [row[:2] for row in data["rows"]] == [[net, 4] for net in b2_explosion.NETS]
    assert b2_explosion.trained_lrs(data) == {
        net: list(rates) for net, rates in b2_cifar10.TRAINED_LRS.items()
    }
    none, batch, scaled = data["rows"]
    assert none[3] is not None and none[4] == batch[4] == scaled[4] >= 1
    assert all(len(profile) == TINY.depth for row in data["rows"] for profile in row[-2:])
    assert b2_cifar10.repeat(data, [4]) == data


def test_facts_count_seeds_whose_largest_trained_rate_is_usable(data):
    at = data["trained_columns"].index("val_accuracy")
    for row in data["trained"]:
        row[at], row[-1] = (0.5 if row[1] < 1.0 else 0.4), None
    for row in data["rows"]:
        row[-2:] = [[1.0, 10.0], [1.0, 100.0]]
    found = b2_cifar10.facts(data)
    assert (found["edge_scaled"], found["edge_batch"]) == (1, 0)
    assert found["batch_usable"] == 0.3 and found["trained"] == 3
    assert found["blocks"] == TINY.depth and "batch_learned" not in found


def test_seeds_and_steps_are_those_that_were_written_down():
    assert (b2_cifar10.SEEDS[0], len(b2_cifar10.SEEDS)) == (1332, 8)
    assert b2_cifar10.BASE.steps == b2_explosion.BASE.steps
    assert b2_cifar10.BASE.depth == b2_explosion.BASE.depth
