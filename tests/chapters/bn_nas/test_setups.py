"""The search for a set-up, with seeds that are not counted."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.bn_nas import setups
from bnlab.chapters.bn_nas.space import BASE
from bnlab.chapters.bn_nas.trainings import RATES, TRAINED
from bnlab.train import Run
from bnlab.verdicts.table import Table


@pytest.fixture(scope="module")
def stored():
    return setups.load()


def test_seeds_of_the_search_are_not_counted(stored):
    counted = {seed for name in ("N1", "N2", "N3", "N4", "N5") for seed in seeds_of(name)}
    assert set(stored["seeds"]) == {2000, 2001} and not counted & set(stored["seeds"])


def seeds_of(name):
    return claims.load(name).data["seeds"]


def test_the_search_trained_the_nets_of_the_claims(stored):
    assert Run.from_dict(stored["base"]) == BASE
    usual = Table.of(stored).where(steps=BASE.steps, lr=BASE.lr, label_noise=0.0)
    assert {row["seed"] for row in usual} == {2000, 2001}


@pytest.mark.parametrize("kind", TRAINED)
def test_each_rate_is_the_one_at_which_the_supernet_learns_most(kind, stored):
    table = Table(stored["supernet_columns"], stored["supernets"]).where(trained=kind)
    rates = setups.RATES[kind]
    val = table.column("val", lr=rates, seed=stored["seeds"]).mean(1)
    best = val[rates.index(RATES[kind])]
    near = 0.02 if kind == "last" else 0  # all of them stay at chance
    assert best >= np.max(val) - near


def test_a_part_of_the_search_is_found_again(monkeypatch, stored):
    monkeypatch.setattr(setups, "NETS", 5)
    row = setups.nets_alone({"steps": 2, "width": 2}, 2000)
    assert row[:5] == [2, BASE.lr, 2, 0.0, 2000] and len(row) == len(setups.COLUMNS)
    assert all(-1 <= number <= 1 for number in row[5:])
