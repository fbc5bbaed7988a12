"""A folder of results: whole files, damage noticed, one writer at a time."""

import shutil

import pytest

from bnlab.store import NewerVersionError, Results, StoreBusyError, files, write_result
from tests.sweep.sweep_work import needs_full_disk, on_a_full_disk


@pytest.fixture
def kept(tmp_path):
    results = Results(tmp_path / "store", "torch-abc")
    for key in "abc":
        results.write(key, {"value": [0.1, -0.0, 1e-320]})
    return results


def test_what_is_written_is_read_and_the_rest_is_missing(kept):
    value = kept.read("a")["value"]
    assert [v.hex() for v in value] == [v.hex() for v in (0.1, -0.0, 1e-320)]
    assert kept.read("z") is None and kept.damaged == {}
    assert Results(kept.folder, "torch-other").read("a") is None, "other code, other results"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda path: path.write_text(path.read_text()[:-9]), "not a whole results file"),
        (lambda path: path.write_text(""), "not a whole results file"),
        (lambda path: path.write_bytes(b"\xff\x00\x1b"), "not a whole results file"),
        (lambda path: path.write_text(path.read_text().replace("0.1", "0.2")), "checksum differs"),
        (lambda path: shutil.copy(path.with_name("b.json"), path), "does not hold this result"),
        (lambda path: write_result(path, {"claim": "B1"}), "does not hold this result"),
        (lambda path: (path.unlink(), path.mkdir()), "is a folder"),
    ],
    ids=["truncated", "empty", "binary", "edited", "copied", "foreign", "folder"],
)
def test_damage_is_noticed_and_named(kept, damage, reason):
    damage(kept.path("a"))
    assert kept.read("a") is None and kept.read("b") is not None
    assert list(kept.damaged) == ["a.json"]
    assert reason in kept.damaged["a.json"] and "a.json" in kept.damaged["a.json"]


def test_a_mended_result_is_damaged_no_longer(kept):
    kept.path("a").write_text("")
    assert kept.read("a") is None
    kept.write("a", {"value": [1]})
    assert kept.read("a") == {"value": [1]} and kept.damaged == {}


def test_a_newer_format_is_refused_and_left_alone(kept):
    fields = {"format": 2, "key": "a", "code": kept.code, "result": {}}
    write_result(kept.path("a"), fields)
    before = kept.path("a").read_bytes()
    with pytest.raises(NewerVersionError, match=r"a\.json has format 2.*Update bnlab"):
        kept.read("a")
    assert kept.path("a").read_bytes() == before


@needs_full_disk
def test_a_full_disk_leaves_what_was_there(kept, monkeypatch):
    monkeypatch.setattr(files.os, "fdopen", on_a_full_disk)
    for key in ("a", "new"):
        with pytest.raises(OSError, match="No space left"):
            kept.write(key, {"value": [2]})
    monkeypatch.undo()
    assert kept.read("a")["value"][0] == 0.1
    names = sorted(path.name for path in kept.path("a").parent.iterdir())
    assert names == ["a.json", "b.json", "c.json"], "no temporary file stays"


def test_only_one_writes_at_a_time(kept):
    other = Results(kept.folder, "compiled-abc")
    with kept.writing():
        with (
            pytest.raises(StoreBusyError, match=r"another sweep.*name another store"),
            other.writing(),
        ):
            pytest.fail("two writers")
        assert other.read("a") is None and kept.read("a") is not None, "reading is always possible"
    with other.writing():
        other.write("a", {"value": []})


def test_the_lock_ends_with_an_error(kept):
    with pytest.raises(KeyboardInterrupt), kept.writing():
        raise KeyboardInterrupt
    with kept.writing():
        pass


def test_what_a_killed_writer_left_is_removed(kept):
    left = kept.path("a").with_name(".a.json.x81j")
    left.write_text("{")
    with kept.writing():
        assert not left.exists()
    assert kept.read("a") is not None
