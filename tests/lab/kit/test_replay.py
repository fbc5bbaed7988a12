"""Stored runs: the file says what the trainings said, and an interrupted command goes on."""

import base64
import json

import numpy as np
import pytest

from bnlab.lab.__main__ import main
from bnlab.lab.kit import replay
from bnlab.lab.kit.replay import make
from bnlab.lab.race.stored import Grid, accuracy_code, curves, loss_code, pack

TINY = Grid(("none", "batch"), (0.1, 10.0), (16,), (2,), (0, 1), steps=20)


@pytest.fixture(scope="module")
def results():
    return [curves(run) for run in TINY.runs()]


@pytest.fixture
def trained(monkeypatch, results):
    """What is trained; known results are taken instead, in this process."""
    runs = []
    known = dict(zip([run.key() for run in TINY.runs()], results, strict=True))

    def work(run):
        runs.append(run.key())
        return known[run.key()]

    monkeypatch.setattr(Grid, "work", staticmethod(work))
    return runs


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


def test_same_grid_same_file(tmp_path, trained):
    sizes = {make("race", TINY, tmp_path / f"{i}.js", tmp_path / f"kept {i}") for i in (1, 2)}
    assert (tmp_path / "1.js").read_bytes() == (tmp_path / "2.js").read_bytes()
    assert len(sizes) == 1
    assert content(tmp_path / "1.js")["axes"]["lr"] == [0.1, 10.0]


def test_second_call_trains_what_is_missing_or_damaged(tmp_path, trained):
    folder, output = tmp_path / "kept", tmp_path / "race.js"
    make("race", TINY, output, folder)
    whole = output.read_bytes()
    first, second, third, *_ = sorted(folder.glob("*/*.json"))
    first.write_text(first.read_text().replace("0.", "1.", 1))
    second.write_text(second.read_text()[:-30])
    third.unlink()
    trained.clear()
    with pytest.warns(UserWarning, match="2 of the results"):
        make("race", TINY, output, folder)
    assert sorted(trained) == [first.stem, second.stem, third.stem]
    assert output.read_bytes() == whole
    trained.clear()
    make("race", TINY, output, folder)
    assert trained == []


def test_several_processes_make_the_same_file(tmp_path):
    grid = Grid(("none",), (0.1, 10.0), (16,), (2,), (0,), steps=20)
    for count in (1, 2):
        make("race", grid, tmp_path / f"{count}.js", tmp_path / f"kept {count}", count)
    assert (tmp_path / "1.js").read_bytes() == (tmp_path / "2.js").read_bytes()


def test_a_run_that_fails_is_named_and_nothing_is_written(tmp_path, monkeypatch):
    def fails(run):
        raise ValueError("no such luck")

    monkeypatch.setattr(Grid, "work", staticmethod(fails))
    with pytest.raises(RuntimeError, match=r"Run\(.*failed:(?s:.*)no such luck"):
        make("race", TINY, tmp_path / "race.js", tmp_path / "kept")
    assert not (tmp_path / "race.js").exists()


def test_a_folder_that_cannot_be_written_is_said_in_a_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".cache").write_text("a file is in the way")
    assert main(["replay", "race", "--output", "race.js"]) == 1
    assert "cannot be written" in capsys.readouterr().err


def test_file_too_large_for_a_page_is_refused(tmp_path, trained, monkeypatch):
    monkeypatch.setattr(replay, "LIMIT", 100)
    with pytest.raises(ValueError, match="bytes gzipped, 100 are allowed"):
        make("race", TINY, tmp_path / "race.js", tmp_path / "kept")
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
        main(["replay", *arguments])
    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_interrupted_command_says_how_to_go_on(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(replay, "compute", interrupted)
    assert main(["replay", "race", "--output", "race.js"]) == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert not (tmp_path / "race.js").exists()
