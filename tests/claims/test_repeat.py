"""``repeat`` and ``digest``: rows are trained once more, and compared with the evidence."""

import shutil

import numpy as np
import pytest

from bnlab.chapters import repeats
from bnlab.claims.__main__ import main
from bnlab.claims.repeating import TOLERANCE, is_near
from bnlab.store import read_object, write_result
from bnlab.verdicts import again
from bnlab.verdicts.evidence import results_folder


@pytest.fixture
def folder(tmp_path):
    shutil.copy(results_folder() / "T4.json", tmp_path)
    return tmp_path


def edit(folder, arm="whole"):
    """The first counted row of an arm says something else, in a file that is whole."""
    path = folder / "T4.json"
    payload = read_object(path)
    seed = payload["seeds"][0]
    row = next(row for row in payload["rows"] if (row[0], row[2]) == (arm, seed))
    row[6] = round(row[6] - 0.01, 4)
    write_result(path, payload)


def test_rows_that_are_the_same_are_named_one_by_one(folder, capsys):
    assert main(["repeat", "T4", "--seeds", "1", "--output", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "T4: arm whole, lr 0.3, seed 1064: the same"
    assert lines[-1] == "T4: 3 of 3 rows are the same to the last bit."


def test_a_row_that_differs_fails(folder, capsys):
    edit(folder)
    assert main(["repeat", "T4", "--seeds", "1", "--output", str(folder)]) == 1
    out = capsys.readouterr().out
    assert "T4: arm whole, lr 0.3, seed 1064: differs: test_accuracy was" in out
    assert out.splitlines()[-1] == "T4: 2 of 3 rows are the same to the last bit."


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
    training, digest = trainings[0], found[0]
    assert again.train_again(training) == (training.row, digest)


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


@pytest.mark.parametrize(
    ("before", "now", "near"),
    [
        (2.0, 2.0 * (1 + TOLERANCE / 2), True),
        (2.0, 2.0 * (1 + 2 * TOLERANCE), False),
        (None, None, True),
        (None, 3, False),
        ([1.0, "a"], [1.0, "a"], True),
        ([1.0], [1.0, 1.0], False),
        (True, 1, True),
        ("a", "b", False),
    ],
)
def test_what_is_near(before, now, near):
    assert is_near(before, now) is near
