"""``repeat`` and ``digest``: rows are trained once more, and compared with the evidence."""

import shutil

import numpy as np
import pytest

from bnlab.chapters import repeats
from bnlab.claims.__main__ import main
from bnlab.claims.repeating import compared, is_exact, missing, not_again, summed
from bnlab.store import read_object, write_result
from bnlab.verdicts import again
from bnlab.verdicts.evidence import results_folder


@pytest.fixture
def folder(tmp_path):
    shutil.copy(results_folder() / "T4.json", tmp_path)
    return tmp_path


def edit(folder, change=lambda value: round(value - 0.01, 4), table=None, column=6):
    """The first counted row says something else, in a file that is whole."""
    path = folder / "T4.json"
    payload = read_object(path)
    rows = payload[table]["rows"] if table else payload["rows"]
    first = ("seed", payload["seeds"][0])
    row = next(row for row in rows if (first[1] in row[:3]) and (table or row[0] == "whole"))
    row[column] = change(row[column])
    write_result(path, payload)


def test_rows_that_are_the_same_are_named_one_by_one(folder, capsys):
    assert main(["repeat", "T4", "--seeds", "1", "--output", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "T4: arm whole, lr 0.3, seed 1064: the same"
    assert lines[3].startswith("T4: gradients, seed 1064: the same")
    assert lines[4].startswith("T4: gradients, seed 1064, no. 2: the same")
    assert lines[5] == "T4: 3 of 3 rows are the same to the last bit."
    assert lines[6].startswith("T4: 2 of 2 rows of gradients are the same within 2 %")


def test_a_row_that_differs_fails(folder, capsys):
    """One digit of a training counts, as it is the same on every machine."""
    edit(folder, lambda value: round(value + 0.0001, 4))
    assert main(["repeat", "T4", "--seeds", "1", "--output", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "T4: arm whole, lr 0.3, seed 1064: differs: test_accuracy was" in out
    assert "T4: 2 of 3 rows are the same to the last bit." in out
    assert "another processor" not in out


def test_a_row_of_a_further_table_that_differs_fails(folder, capsys):
    edit(folder, lambda value: 1.03 * value, table="gradients", column=3)
    assert main(["repeat", "T4", "--seeds", "1", "--output", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "T4: gradients, seed 1064: differs: whole was" in out
    assert "T4: 1 of 2 rows of gradients are the same within 2 %" in out
    assert "T4: on another processor PyTorch rounds otherwise" in out


def test_a_row_that_is_not_trained_any_more_is_named():
    data = read_object(results_folder() / "T4.json")
    first, *others = (row for row in data["rows"] if row[2] in data["seeds"][:2])
    again = {**data, "rows": others}
    assert missing(data, again, data["seeds"][:2]) == [
        f"arm {first[0]}, lr {first[1]:g}, seed {first[2]}"
    ]
    assert missing(data, {**data, "rows": others[:1]}, data["seeds"][-1:])
    assert missing(data, data, data["seeds"]) == []


def test_how_many_rows_were_not_measured_again_is_said():
    assert not_again(["a"]) == "1 row of these seeds was not measured again, such as a."
    assert not_again(["a", "b"]).startswith("2 rows of these seeds were not measured again")


def test_what_pytorch_computed_is_not_said_to_be_equal_by_necessity():
    """The trainings behind T8 are exact; its rows are derivatives that PyTorch takes."""
    data = read_object(results_folder() / "T8.json")
    other = {**data, "rows": [[*row[:-1], 1.01 * row[-1]] for row in data["rows"]]}
    rows = list(compared(data, other, "rows", data["seeds"]))
    assert len(rows) == len(data["rows"]) and not any(one.exact or one.wrong for one in rows)
    assert summed("rows", rows).startswith(f"{len(rows)} of {len(rows)} rows are the same within")
    other["rows"] = [[*row[:-1], 1.01 * row[-1] + 0.1] for row in data["rows"]]
    assert all(one.wrong for one in compared(data, other, "rows", data["seeds"]))


@pytest.mark.parametrize(
    ("name", "exact"), [("B1", {True}), ("T6", {True}), ("S1", {True, False}), ("T1", {False})]
)
def test_rows_are_exact_that_tell_of_trainings_alone(name, exact):
    data = read_object(results_folder() / f"{name}.json")
    behind = data["columns"].index("seed") + 1
    found = {is_exact(data, data["columns"][behind:], row[behind:]) for row in data["rows"]}
    assert found == exact
    assert {is_exact({**data, "engine": "torch"}, ["loss"], [0.1])} == {False}


def test_seeds_that_chose_a_rate_are_not_taken_for_repeated():
    """A table may carry them over from the evidence."""
    data = read_object(results_folder() / "S2-cifar10.json")
    of_table = {key["seed"] for key in _rows_by_name(data["moves"])}
    rows = list(compared(data, data, "moves", data["seeds"]))
    chose = {*data["tuning_seeds"]} & of_table
    assert chose and not any(f"seed {seed}," in f"{one.name}," for one in rows for seed in chose)
    assert len(rows) == sum(row["seed"] not in chose for row in _rows_by_name(data["moves"]))


def _rows_by_name(table):
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def test_no_digest_is_written_of_a_row_that_differs(folder, capsys):
    edit(folder)
    assert main(["digest", "T4", "--output", str(folder)]) == 1
    assert "arm whole, seed 1064 gives" in capsys.readouterr().err
    assert not again.digest_path("T4", folder).exists()


@pytest.mark.parametrize("name", ["B2", "nothing"])
def test_a_claim_without_trainings_to_repeat_is_refused(name, capsys):
    assert main(["digest", name]) == 1
    assert f"{name!r}" in capsys.readouterr().err


@pytest.mark.parametrize("name", repeats())
def test_the_digests_are_there_for_each_counted_row(name):
    from bnlab import claims

    trainings = repeats()[name](claims.load(name).data)
    found = again.load_digests(name, trainings)
    assert len(set(found)) == len(trainings) and {len(one) for one in found} == {again.DIGEST}
    training = trainings[0]
    row, digest = again.train_again(training)
    assert again.difference(training, row) == "" and digest == found[0]


def test_digests_that_were_edited_by_hand_are_refused(tmp_path):
    path = again.digest_path("T4", tmp_path)
    path.parent.mkdir()
    text = again.digest_path("T4").read_text()
    path.write_text(text.replace("1064", "1063", 1))
    with pytest.raises(ValueError, match="checksum differs"):
        again.load_digests("T4", [], tmp_path)
    payload = read_object(again.digest_path("T4"))
    write_result(path, {**payload, "claim": "T5"})
    with pytest.raises(ValueError, match="does not hold the digests of T4"):
        again.load_digests("T4", [], tmp_path)
    with pytest.raises(FileNotFoundError, match=r"bnlab\.claims digest T6"):
        again.load_digests("T6", [], tmp_path)


def test_weights_that_are_no_numbers_have_one_digest():
    some = np.array([1, np.nan], np.float32)
    other = some.copy()
    other.view(np.uint32)[1] |= 0x80000001
    assert np.isnan(other[1]) and again.digest_of(some) == again.digest_of(other)
    assert again.digest_of(some) != again.digest_of(some[::-1])
    doubles = some.astype(float), other.astype(float)
    doubles[1].view(np.uint64)[1] |= (1 << 63) + 1
    assert again.digest_of(doubles[0]) == again.digest_of(doubles[1]) != again.digest_of(some)


def test_errors_of_rounding_may_be_others_and_nothing_else():
    training = again.Training("gradients", 3, None, [1.9e-16, 1.701, 0.0, None])
    assert again.difference(training, [0.0, 1.701, 2e-16, None]) == ""
    for row in ([1e-11, 1.701, 0.0, None], [0.0, 1.702, 0.0, None], [0.0, 1.701, 0.0, 4]):
        assert "arm gradients, seed 3 gives" in again.difference(training, row)
