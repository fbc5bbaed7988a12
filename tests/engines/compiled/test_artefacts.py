"""The files of the compiled nets: rebuilt to the byte, small, and whole."""

import gzip
import json
import shutil
from hashlib import sha256
from importlib.metadata import version

import pytest

from bnlab.chapters.learning_rates import b1_rates
from bnlab.engines.compiled import __main__ as command
from bnlab.engines.compiled import artefact, page_sets
from bnlab.engines.compiled.artefact import (
    CorruptedError,
    differences,
    packed,
    restored,
    save,
    unpacked,
)
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.initial import checked
from bnlab.engines.compiled.nets import Net, compile_nets
from bnlab.engines.compiled.page_sets import ALL_SETS, EXTRAS, FOLDERS, PAGE_SETS
from bnlab.verdicts.provenance import closure

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")
DOWNLOAD = 150_000
SHALLOW = {"binary": 4, "deep": 6, "images": 10, "renorm": 4}
"""Deeper nets need no kernels that nets of this depth (2 where none is named) do not, but one."""

DEEP = {
    "squares": (8, "batch"),
    "lawn": (3, "none"),
    "lawn_sgd": (2, "none"),
    "binary": (8, "none"),
    "clinic": (6, "batch"),
    "deep": (15, "none"),
    "images": (20, "instance"),
    "renorm": (4, "none"),
}
"""Depth and normalizer of a net that is deep, 12 and ``batch`` where none is named."""


@needs_compiler
@pytest.mark.parametrize("name", ALL_SETS)
def test_the_committed_files_are_what_is_built(name):
    """All kernels to the byte; programs and initial states of the shallow nets and a deep one."""
    folder = FOLDERS[name]
    stored, manifest = artefact.load(folder), artefact.read(folder)
    here = {name: version(name).split("+")[0] for name in manifest["versions"]}
    built = {name: text.split("+")[0] for name, text in manifest["versions"].items()}
    if here != built:
        pytest.skip(f"the files were built with {built}, here is {here}")
    deep, shallow = DEEP.get(name, (12, "batch")), SHALLOW.get(name, 2)
    nets = [n for n in page_sets.nets(name) if n.depth <= shallow or (n.depth, n.norm) == deep]
    nets += [n for n in page_sets.nets(name) if name == "clinic" and n.norm != "batch"]
    extras = EXTRAS.get(name, ())
    store, places = compile_nets(nets, extras=extras)
    assert places == manifest["kernels"]
    assert store.updates == stored.updates
    for net in nets:
        one, other = store.nets[net.key], stored.nets[net.key]
        assert one.gradient.code == other.gradient.code, net.key
        assert one.evaluation.code == other.evaluation.code, net.key
        assert (one.heap, one.gradient.places) == (other.heap, other.gradient.places), net.key
        assert tuple(one.extras) == extras
        for extra in extras:
            assert one.extras[extra].code == other.extras[extra].code, net.key
            assert one.extras[extra].places == other.extras[extra].places, net.key
        parts = manifest["nets"][net.key]["initial"]
        rules = [[manifest["rules"][number] for number in part] for part in parts]
        assert rules == list(checked(net).values()), net.key
    hashes = {f"kernels.{p}.wasm": sha256(code).hexdigest() for p, code in store.modules.items()}
    assert hashes.items() <= manifest["sha256"].items()


def test_all_that_a_page_loads_is_small():
    names = ("kernels.float32.wasm", "programs.bin", "manifest.json")
    sizes = {name: len(gzip.compress((artefact.FOLDER / name).read_bytes(), 9)) for name in names}
    assert sum(sizes.values()) < DOWNLOAD, sizes


def test_a_file_for_each_line_of_the_manifest():
    for folder in FOLDERS.values():
        hashes = artefact.read(folder)["sha256"]
        assert {*hashes, artefact.MANIFEST} == {path.name for path in folder.iterdir()}
    assert {*artefact.FOLDERS} == {path.name for path in artefact.FOLDER.parent.iterdir()}
    assert {*PAGE_SETS} == {path.name for path in FOLDERS["deep"].parent.iterdir()}


def test_a_set_for_pages_leaves_evidence_alone():
    """What trains in Python neither knows these sets nor looks into their files."""
    assert not {*PAGE_SETS} & {*artefact.FOLDERS}
    assert artefact.store_with("mlp 15x64 noisy_batch") is None
    reached = closure(b1_rates.measure)
    assert "bnlab.engines.compiled.page_sets" not in reached.units
    assert not any("page_artefacts" in path.parts for path in reached.files)


def test_programs_survive_their_packing():
    places = [2, 0, 3]
    code = [0, 5, 2**24, 1, 2, 7, 1, 0, 0, 6, 2**24 + 9, 1, 2, 7, 1, 3]
    assert restored(unpacked(packed(differences(code, places))), places) == code
    numbers = [0, -1, 1, -64, 63, 64, -65, 2**31, -(2**31)]
    assert unpacked(packed(numbers)) == numbers


@needs_compiler
def test_a_build_can_be_stored(tmp_path):
    nets = [Net("mlp", 2, 8, "batch"), Net("mlp", 1, 8, "group", '{"group_size": 4}')]
    store, places = compile_nets(nets, ("float32",))
    save(store, places, {net.key: checked(net) for net in nets}, tmp_path)
    stored = artefact.load(tmp_path)
    assert [*stored.nets] == [net.key for net in nets] and stored.modules == store.modules
    for net in nets:
        assert stored.nets[net.key].gradient.code == store.nets[net.key].gradient.code
        assert stored.nets[net.key].gradient.places == store.nets[net.key].gradient.places


# ------------------------------------------------------------------------------- command line


def test_the_command_compares(capsys, monkeypatch):
    only = {"nets": [Net("mlp", 1, 64, "rms")]}
    monkeypatch.setattr(page_sets, "nets", lambda name: only.get(name, []))
    monkeypatch.setattr(command, "has_compiler", lambda: False)
    assert command.main(["compare", "rms"]) == 0
    text = capsys.readouterr().out
    assert "rms, MLPs of width 64, of each depth and normalizer, float64: 20 steps, worst" in text
    assert text.endswith("Every step is PyTorch's.\n")


def test_the_command_says_what_is_wrong(capsys, monkeypatch):
    net, store = Net("mlp", 1, 64, "batch"), artefact.load()
    other = store.nets["mlp 1x64 l2_batch"]
    swapped = type(store)({net.key: other}, store.updates, store.modules)
    monkeypatch.setattr(command.artefact, "load", lambda folder: swapped)
    monkeypatch.setattr(page_sets, "nets", lambda name: [net] if name == "nets" else [])
    monkeypatch.setattr(command, "has_compiler", lambda: False)
    assert command.main(["compare", "batch"]) == 1
    assert "WRONG: Finding(key='mlp 1x64 batch'" in capsys.readouterr().out
    with pytest.raises(ValueError, match="unknown normalizer"):
        command.main(["compare", "bacth"])


@needs_compiler
def test_the_command_builds(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(page_sets, "nets", lambda name: [Net("mlp", 1, 4, "none")])
    assert command.main(["build", "squares", "--folder", str(tmp_path)]) == 0
    assert list(artefact.load(tmp_path / "squares").nets) == ["mlp 1x4 none"]
    assert "mlp 1x4 none" in capsys.readouterr().out
    with pytest.raises(ValueError, match="unknown set of nets 'square'"):
        command.main(["build", "square"])


# -------------------------------------------------------------------------------------- errors


@pytest.fixture
def copied(tmp_path):
    return shutil.copytree(artefact.FOLDER, tmp_path / "copy")


@pytest.mark.parametrize("name", ["kernels.float32.wasm", "programs.bin"])
def test_a_corrupted_file_is_noticed(copied, name):
    content = bytearray((copied / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / name).write_bytes(content)
    with pytest.raises(CorruptedError, match=f"{name} .* not the file that was built"):
        artefact.load(copied)


def test_a_missing_or_foreign_file_is_noticed(copied):
    (copied / "programs.bin").unlink()
    with pytest.raises(CorruptedError, match=r"programs.bin .* missing"):
        artefact.load(copied)
    (copied / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(CorruptedError, match="has format 99"):
        artefact.read(copied)
    (copied / "manifest.json").write_text("no JSON")
    with pytest.raises(CorruptedError, match="no manifest"):
        artefact.read(copied)
