"""``make models`` and ``make test``: the libraries whose models are tried."""

import json
import re

import pytest

from tests.project.repository_files import ROOT


def pins(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))


@pytest.fixture
def project(make, tmp_path, monkeypatch):
    """tools/make.py in an empty folder, with a pip that only takes notes."""
    calls = []
    (tmp_path / ".venv").mkdir()
    monkeypatch.setattr(make, "ROOT", tmp_path)
    monkeypatch.setattr(make, "MODELS_STAMP", tmp_path / ".venv" / ".models")
    monkeypatch.setattr(make, "pip", lambda what, *arguments: calls.append(arguments))
    (tmp_path / "requirements-models.txt").write_text("timm==1.0\n")
    make.calls = calls
    return make


def test_the_libraries_are_pinned_and_locked_at_the_same_version():
    lines = (ROOT / "requirements-models.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "-c requirements.lock"
    direct, locked = pins("requirements-models.txt"), pins("requirements.lock")
    assert len(direct) == sum("==" in line for line in lines) == 4
    assert {name: locked.get(name) for name in direct} == direct


def test_the_table_was_computed_with_what_is_pinned():
    table = ROOT / "src" / "bnlab" / "show" / "compatibility.json"
    versions = json.loads(table.read_text(encoding="utf-8"))["versions"]
    pinned = {**pins("requirements.txt"), **pins("requirements-models.txt")}
    assert versions == {name: pinned[name] for name in versions}


def test_they_are_installed_once_and_anew_after_a_change(project, tmp_path):
    project.models()
    project.models()
    assert project.calls == [("install", "-r", "requirements-models.txt")]
    (tmp_path / "requirements-models.txt").write_text("timm==1.1\n")
    project.models()
    assert len(project.calls) == 2


def test_an_installation_that_fails_leaves_no_stamp(project, monkeypatch):
    def fails(*_):
        raise project.Stop("no network")

    monkeypatch.setattr(project, "pip", fails)
    with pytest.raises(project.Stop):
        project.models()
    assert not project.MODELS_STAMP.exists()


def test_the_other_tests_run_without_them_and_it_is_said(project, monkeypatch, capsys):
    def fails(*_):
        raise project.Stop("no network.")

    monkeypatch.setattr(project, "pip", fails)
    project.try_models()
    assert "Note: no network. The tests of their models are skipped." in capsys.readouterr().out


def test_only_tests_that_need_them_install_them(project):
    every = [project.Path("tests/norms"), project.Path("tests/models/test_compatibility.py")]
    assert [project.touch([path], project.NEED_MODELS) for path in every] == [False, True]
