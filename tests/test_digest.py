"""Names for code: what counts, what does not, and a change while Python runs."""

import ast

import pytest
import torch

from bnlab import digest
from bnlab.digest import CodeChangedError, check_unchanged, code_digest
from bnlab.sweep import computes
from bnlab.sweep.histories import OWN

NO_NUMBERS = {"arguments.py", "errors.py", "__init__.py", "engines/__init__.py"}
"""Words, refusals and the version."""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A small package in place of bnlab."""
    for name in ("norms/batch.py", "norms/weight/mean.py", "nets/mlp.py", "random.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / "__init__.py").write_text(
        "from bnlab import random\nfrom bnlab.norms import batch\nimport bnlab.nets.mlp\n"
        "from bnlab.norms.weight import (\n    mean,\n)\n"
    )
    monkeypatch.setattr(digest, "ROOT", tmp_path)

    def load():
        monkeypatch.setattr(digest, "_LOADED", digest._read())

    load()
    return tmp_path, load


def imported(path):
    """Files of bnlab that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            place = digest.ROOT.parent.joinpath(*name.split("."))
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if name.split(".")[0] == "bnlab" and file.is_file():
                    yield file


def within(name, parts):
    return name in parts or name.startswith(tuple(f"{part}/" for part in parts))


@pytest.mark.parametrize("engine", OWN)
def test_everything_that_a_training_imports_is_in_its_digest(engine):
    parts = computes(engine)
    others = [part for name, own in OWN.items() if name != engine for part in own]
    waiting, seen = [digest.ROOT / "train" / "__init__.py"], set()
    while waiting:
        path = waiting.pop()
        name = path.relative_to(digest.ROOT).as_posix()
        if name not in seen and not within(name, others):
            seen.add(name)
            waiting += imported(path)
    assert {"norms/batch.py", "random.py", "nets/mlp.py", "data/digits.py"} <= seen
    assert all(any(within(name, [part]) for name in seen) for part in OWN[engine])
    assert [name for name in seen - NO_NUMBERS if not within(name, parts)] == []


@pytest.mark.parametrize("name", ["norms/batch.py", "norms/weight/mean.py", "random.py"])
def test_a_change_gives_another_name(package, name):
    root, load = package
    parts = ("norms", "random.py")
    before = code_digest(parts)
    (root / name).write_text("x = 1\n")
    assert code_digest(parts) == before, "the process runs what it has loaded"
    with pytest.raises(CodeChangedError, match=rf"since it was imported \({name}\).*anew"):
        check_unchanged(parts)
    load()
    assert code_digest(parts) != before
    check_unchanged(parts)


def test_a_module_counts_once_it_is_imported_and_other_parts_do_not(package):
    root, load = package
    parts = ("norms", "random.py")
    first = code_digest(parts)
    (root / "nets" / "mlp.py").write_text("x = 1\n")
    check_unchanged(parts)
    load()
    assert code_digest(parts) == first
    (root / "norms" / "new.py").write_text("x = 1\n")
    (root / "norms" / "batch.py").write_text("from bnlab.norms.new import x\n")
    load()
    second = code_digest(parts)
    (root / "norms" / "new.py").write_text("x = 2\n")
    load()
    assert len({first, second, code_digest(parts)}) == 3


@pytest.mark.parametrize(
    "name",
    [
        *("norms/notes.txt", "norms/scratch.py", "norms/batch (copy).py", "norms/.#batch.py"),
        *("norms/.ipynb_checkpoints/batch-checkpoint.py", "norms/._batch.py", "norms/batch_old.py"),
        *("norms/old/batch.py", "norms/measured.json", "norms/kernels.c"),
    ],
)
def test_a_stray_file_changes_nothing(package, name):
    root, load = package
    before = code_digest(("norms",))
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("x = 1\n")
    check_unchanged(("norms",))
    load()
    assert code_digest(("norms",)) == before


def test_all_files_of_the_package_count():
    there = (path for path in digest.ROOT.rglob("*") if path.suffix in digest.SUFFIXES)
    named = {path.relative_to(digest.ROOT).as_posix() for path in there}
    assert named - set(digest._read()) == set()


def test_another_torch_gives_another_name(package, monkeypatch):
    before = code_digest(("norms",))
    monkeypatch.setattr(torch, "__version__", "99.0")
    assert code_digest(("norms",)) != before


def test_an_unknown_part_is_refused(package):
    with pytest.raises(ValueError, match="no part 'normz'"):
        code_digest(("norms", "normz"))
