"""Results on disk: whole or not at all, and damage is noticed."""

import pytest

from bnlab.store import DamagedFileError, files, read_result, write_result, write_text

PAYLOAD = {"claim": "X1", "rows": [["none", 0.1, None], ["batch", 1.0, 3]], "note": "ü"}


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "deep" / "X1.json"
    write_result(path, PAYLOAD)
    assert read_result(path, "renew") == PAYLOAD
    assert path.read_text().count("\n") > len(PAYLOAD["rows"])  # one line a row


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "X1.json"
    write_text(path, "old")

    def stop(_handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("keep", [0, 1, 40, -2])
def test_a_truncated_file_is_refused(tmp_path, keep):
    path = tmp_path / "X1.json"
    write_result(path, PAYLOAD)
    path.write_text(path.read_text()[:keep])
    with pytest.raises(DamagedFileError, match=r"X1\.json is damaged.*renew it with 'do this'"):
        read_result(path, "do this")


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "null",
        '{"claim": "X1"}',
        "\x00\x01",
        "NaN",
        '{"sha256": "0", "x": NaN}',
        '{"sha256": "0", "x": 1e999}',
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, text):
    path = tmp_path / "X1.json"
    path.write_text(text)
    with pytest.raises(DamagedFileError, match="not a whole results file"):
        read_result(path, "do this")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "X1.json"
    path.write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(DamagedFileError):
        read_result(path, "do this")


def test_a_number_changed_by_hand_is_noticed(tmp_path):
    path = tmp_path / "X1.json"
    write_result(path, PAYLOAD)
    path.write_text(path.read_text().replace("0.1", "0.2"))
    with pytest.raises(DamagedFileError, match="checksum differs"):
        read_result(path, "do this")


def test_a_missing_file_says_how_to_make_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="Make it with 'do this'"):
        read_result(tmp_path / "X9.json", "do this")


def test_nan_is_not_written(tmp_path):
    path = tmp_path / "X1.json"
    with pytest.raises(ValueError, match="JSON"):
        write_result(path, {"value": float("nan")})
    assert not path.exists()
