"""Stored runs: the file says what the trainings said, and an interrupted command goes on."""

import base64
import json

import numpy as np
import pytest

from bnlab.lab import replay
from bnlab.lab.journal import Journal
from bnlab.lab.replay import Grid, accuracy_code, curves, loss_code, main, make, pack

TINY = Grid(("none", "batch"), (0.1, 10.0), (16,), (2,), (0, 1), steps=20)


@pytest.fixture(scope="module")
def results():
    return [curves(run) for run in TINY.runs()]


@pytest.fixture
def no_pool(monkeypatch, results):
    """Trains in this process and counts; the pool itself is used by the browser tests."""
    trained = []

    def compute(runs, journal, processes, work):
        known = dict(zip([run.key() for run in TINY.runs()], results, strict=True))
        for run in runs:
            if run.key() not in journal:
                trained.append(run.key())
                journal.add(run.key(), known[run.key()])

    monkeypatch.setattr(replay, "compute", compute)
    return trained


def content(path):
    text = path.read_text()
    head = "(globalThis.bnlabReplay ??= {}).race = "
    assert text.startswith(head) and text.endswith(";\n")
    return json.loads(text[len(head) : -2])


def array(text, dtype=np.uint8):
    return np.frombuffer(base64.b64decode(text), dtype=dtype)


def test_file_holds_the_curves(results):
    packed = pack(TINY, results)
    shape = (2, 2, 1, 1, 2)
    loss = array(packed["loss"]).reshape(*shape, 4)
    accuracy = array(packed["accuracy"]).reshape(*shape, 2)
    diverged = array(packed["diverged_at"], "<i2").reshape(shape)
    assert packed["loss_steps"] == [5, 10, 15, 20] and packed["accuracy_steps"] == [0, 20]
    low, high = packed["loss_range"]
    for number, result in enumerate(results):
        place = np.unravel_index(number, shape)
        values = low * (high / low) ** (loss[place] / 254)
        told = [min(max(v, low), high) for _, v in result["loss"]]
        assert values[: len(told)] == pytest.approx(told, rel=0.02)
        assert (loss[place][len(told) :] == 255).all()
        told = [v for _, v in result["accuracy"]]
        assert accuracy[place][: len(told)] / 250 == pytest.approx(told, abs=0.002)
        assert diverged[place] == (-1 if result["diverged_at"] is None else result["diverged_at"])
    assert (diverged[0, 1] >= 0).all(), "without a normalizer, learning rate 10 diverges"
    assert (diverged[1, 0] == -1).all()


def test_codes_stay_in_their_range():
    assert [loss_code(v) for v in (0.0, 1e-9, 1e-3, 0.1, 10.0, 1e9)] == [0, 0, 0, 127, 254, 254]
    assert [accuracy_code(v) for v in (0.0, 0.5, 1.0)] == [0, 125, 250]


def test_same_grid_same_file(tmp_path, no_pool):
    sizes = {make("race", TINY, tmp_path / f"{i}.js", tmp_path / f"{i}.jsonl") for i in (1, 2)}
    assert (tmp_path / "1.js").read_bytes() == (tmp_path / "2.js").read_bytes()
    assert len(sizes) == 1
    assert content(tmp_path / "1.js")["axes"]["lr"] == [0.1, 10.0]


def test_second_call_trains_what_is_missing_or_damaged(tmp_path, no_pool, capsys):
    journal, output = tmp_path / "kept.jsonl", tmp_path / "race.js"
    make("race", TINY, output, journal)
    whole = output.read_bytes()
    lines = journal.read_text().splitlines(keepends=True)
    lines[1] = lines[1].replace("0.", "1.", 1)  # damaged
    journal.write_text("".join(lines)[:-30])  # and the last one torn
    no_pool.clear()
    make("race", TINY, output, journal)
    assert len(no_pool) == 2
    assert "2 kept lines were damaged or of other code" in capsys.readouterr().out
    assert output.read_bytes() == whole
    no_pool.clear()
    make("race", TINY, output, journal)
    assert no_pool == []


def test_results_of_other_code_are_not_taken_over(tmp_path):
    path = tmp_path / "kept.jsonl"
    Journal(path, "old").add("a", {"loss": [1.5]})
    assert Journal(path, "old")["a"] == {"loss": [1.5]}
    assert "a" not in Journal(path, "new")


def test_journal_refuses_nan(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        Journal(tmp_path / "kept.jsonl", "x").add("a", {"loss": [float("nan")]})


def test_file_too_large_for_a_page_is_refused(tmp_path, no_pool, monkeypatch):
    monkeypatch.setattr(replay, "LIMIT", 100)
    with pytest.raises(ValueError, match="bytes gzipped, 100 are allowed"):
        make("race", TINY, tmp_path / "race.js", tmp_path / "kept.jsonl")
    assert not (tmp_path / "race.js").exists()


@pytest.mark.parametrize(
    "arguments", [{"norms": ()}, {"lrs": (0.1, 0.1)}, {"steps": 30}, {"steps": 0}]
)
def test_nonsense_grids_are_refused(arguments):
    with pytest.raises(ValueError, match="must be"):
        Grid(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["race", "--processes", "0"], "must be 1 or more"),
        (["rase"], "invalid choice"),
        (["race"], "root of the repository"),
    ],
)
def test_nonsense_commands_are_refused(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_interrupted_command_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(replay, "compute", interrupted)
    assert main(["race", "--output", "race.js"]) == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert not (tmp_path / "race.js").exists()
