"""The table of all methods says of each module what the module does."""

import re

import pytest

from bnlab import show
from bnlab.chapters.the_family.table import METHODS, WEIGHTS
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS


def rows(text):
    """One dict for each name, of both tables together."""
    found = {}
    for block in re.split(r"(?=^- Name: )", text, flags=re.M)[1:]:
        cells = dict(re.findall(r"- ([^:]+): (.*(?:\n  .*)*)", block))
        found.setdefault(cells.pop("Name").split(", ")[-1], {}).update(cells)
    return found


@pytest.fixture(scope="module")
def table():
    return show.methods_table()


def test_every_normalizer_has_a_row():
    assert set(METHODS) == set(NORMS) and set(WEIGHTS) == set(WEIGHT_NORMS)


def test_what_is_known_by_definition(table):
    found = rows(table.text)
    assert list(found) == list(NORMS)
    assert found["batch"]["Train = eval"] == "no" and found["batch"]["Time"] == "1.0"
    assert found["batch"]["Learned"] == "weight, bias"
    assert found["batch"]["Stored"] == "running_mean, running_var"
    assert found["batch"]["Others matter in"] == "train"
    assert found["rms"]["Learned"] == "weight" and found["rms"]["Stored"] == "–"
    for name in ("none", "layer", "group", "instance", "rms"):
        assert found[name]["Train = eval"] == "yes"
        assert found[name]["Others matter in"] == "neither"


def test_batch_renorm_is_tried_beyond_its_limits_too(table):
    found = rows(table.text)["batch_renorm"]
    assert found["Train = eval"] == "yes, unless clipped"
    assert found["Others matter in"] == "train, where clipped"


def test_a_letter_has_one_meaning():
    """g is a group's size and gamma is learned; no formula of weights uses them otherwise."""
    assert not any(sign in method.formula for method in WEIGHTS.values() for sign in "gγ")


def test_the_page_has_the_same_cells(table):
    for name, cells in rows(table.text).items():
        for cell in cells.values():
            assert f">{' '.join(cell.split())}<" in table.page, (name, cell)


def test_normalizers_of_weights():
    found = rows(show.methods_table("weights").text)
    assert list(found) == list(WEIGHT_NORMS)
    assert {row["Train = eval"] for row in found.values()} == {"yes"}


def test_unknown_kind():
    with pytest.raises(ValueError, match="unknown kind of normalizers 'weight'"):
        show.methods_table("weight")
