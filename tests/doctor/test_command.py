"""``python -m bnlab.doctor``: what it prints, and its exit status."""

import subprocess
import sys

import pytest
import torch

from bnlab.doctor.command import BAD_USE, FOUND, HEALTHY, main

SOURCE = """
import torch
from torch import nn

import beside

def make_model():
    return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))

def make_frozen():
    model = make_model()
    model[1].requires_grad_(False)
    return model

def make_batch():
    return torch.randn(32, 8), torch.zeros(32)

def make_optimizer(model):
    return torch.optim.AdamW(model.parameters())

def make_nothing():
    return None

def make_trouble():
    raise KeyError("no such thing")

NUMBER = 3
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "mine.py").write_text(SOURCE)
    (tmp_path / "broken.py").write_text("import a_module_that_is_not_there")
    return tmp_path


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("mine.py:make_model --shape 32 8", HEALTHY),
        ("mine:make_model --shape 32 8", HEALTHY),
        ("mine.py:make_model --batch mine.py:make_batch", HEALTHY),
        ("mine.py:make_frozen --shape 32 8", FOUND),
        ("mine.py:make_model --shape 1 8", FOUND),
        ("mine.py:make_model --shape 32 8 --accumulate 8", FOUND),
        ("mine.py:make_model --shape 32 8 --optimizer mine.py:make_optimizer", FOUND),
        ("mine.py:make_model --shape 32 8 --independent", FOUND),
        ("mine.py:make_model --shape 32 8 --evaluating", FOUND),
        ("mine.py:make_model --shape 32 8 --trained", FOUND),
        ("mine.py:make_model --shape 32 8 --steps 5", FOUND),
    ],
)
def test_the_status_says_whether_something_was_found(file, capsys, line, status):
    assert main(line.split()) == status
    printed = capsys.readouterr()
    assert ("No finding" in printed.out) == (status == HEALTHY)
    assert not printed.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mine.py --shape 3", "name a file and a function"),
        ("mine.py: --shape 3", "name a file and a function"),
        ("other.py:make_model --shape 3", "there is no file 'other.py'"),
        ("mine.py:make_modle --shape 3", "has no function 'make_modle'; it has make_model"),
        ("mine.py:NUMBER --shape 3", "has no function 'NUMBER'"),
        ("mine.py:make_nothing --shape 3", "must return a torch module, got NoneType"),
        ("mine.py:make_trouble --shape 3", "failed: KeyError"),
        ("mine.py:make_optimizer --shape 3", "failed: TypeError"),
        ("broken.py:make_model --shape 3", "cannot be imported: ModuleNotFoundError"),
        ("no.module:make_model --shape 3", "cannot be imported"),
        ("mine.py:make_model --shape 32 9", "model cannot take this batch"),
        ("mine.py:make_model --shape 0 8", "sizes of 1 or more"),
        ("mine.py:make_model --shape 32 8 --accumulate 0", "accumulate must be 1 or more"),
        ("mine.py:make_model --batch mine.py:make_nothing", "batch must be a tensor"),
        ("mine.py:make_model --shape 8 8 --optimizer mine.py:make_model", "failed: TypeError"),
        ("mine.py:make_model --shape 8 8 --weights none.pt", "none.pt cannot be loaded"),
    ],
)
def test_bad_use_is_said_in_a_sentence(file, capsys, line, said):
    assert main(line.split()) == BAD_USE
    printed = capsys.readouterr()
    assert printed.err.startswith("bnlab: ") and said in printed.err
    assert not printed.out


@pytest.mark.parametrize(
    "line", ["", "mine.py:make_model", "mine.py:make_model --shape x", "a:b --shape 1 --batch c:d"]
)
def test_a_line_that_cannot_be_read_ends_with_the_same_status(file, capsys, line):
    with pytest.raises(SystemExit) as caught:
        main(line.split())
    assert caught.value.code == BAD_USE
    assert "usage: python -m bnlab.doctor" in capsys.readouterr().err


def test_weights_are_loaded(file, capsys):
    sys.path.insert(0, str(file))
    model = __import__("mine").make_model()
    model[1].running_var[0] = torch.inf
    torch.save(model.state_dict(), "mine.pt")
    assert main(["mine.py:make_model", "--shape", "32", "8", "--weights", "mine.pt"]) == FOUND
    assert "statistics-not-finite" in capsys.readouterr().out


def test_what_goes_wrong_inside_is_no_finding(file, capsys, monkeypatch):
    def fail(*_args, **_kwargs):
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr("bnlab.doctor.command.diagnose", fail)
    assert main(["mine.py:make_model", "--shape", "32", "8"]) == BAD_USE
    assert "the examination failed: RuntimeError: a fault of our own" in capsys.readouterr().err


def test_it_is_a_command(file):
    line = [sys.executable, "-m", "bnlab.doctor", "mine.py:make_frozen", "--shape", "32", "8"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert done.returncode == FOUND and "frozen-not-frozen" in done.stdout
