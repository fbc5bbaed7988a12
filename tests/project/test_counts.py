import re
import shutil

import pytest

from tests.project.repository_files import ROOT, load_tool

TOOL = load_tool("counts")


@pytest.fixture
def copy(tmp_path):
    """A copy of the pages that state counts, with the evidence and the chapters' names."""
    shutil.copytree(ROOT / "book", tmp_path / "book", ignore=shutil.ignore_patterns("_build"))
    shutil.copytree(ROOT / "results", tmp_path / "results")
    for name in ("README.md", "CONTRIBUTING.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_every_page_states_the_counts_of_today(capsys):
    assert TOOL.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(("file", "pattern", "name"), TOOL.BARE)
def test_a_place_without_comments_is_there_and_followed(copy, file, pattern, name):
    text = (copy / file).read_text(encoding="utf-8")
    places = re.findall(pattern, text, re.MULTILINE)
    assert places and set(places) == {TOOL.written(name, TOOL.counts(copy))}
    (copy / file).write_text(re.sub(pattern, "old", text, flags=re.MULTILINE), encoding="utf-8")
    assert dict(TOOL.differing(copy))[copy / file] == text


def test_counts_follow_the_evidence_and_the_chapters(copy):
    before = TOOL.counts(copy)
    (copy / "results" / "B1.json").unlink()
    (copy / "book" / "08_group_size.ipynb").unlink()
    after = TOOL.counts(copy)
    assert after["measured claims"] == before["measured claims"] - 1
    assert after["chapters"] == before["chapters"] - 1
    found = {path.relative_to(copy).as_posix(): text for path, text in TOOL.differing(copy)}
    assert {"README.md", "book/index.md"} <= set(found)
    assert f"measured claims -->{after['measured claims']}<!-- end -->" in found["README.md"]


def test_numbers_are_written_in_digits_or_words():
    text = "a <!-- count: papers -->x<!-- end --> b <!-- count: papers in words -->y<!-- end -->"
    new = TOOL.rewritten(text, {"papers": 9})
    assert re.sub("<!--.*?-->", "", new) == "a 9 b nine"
    assert TOOL.rewritten(new, {"papers": 9}) == new
    with pytest.raises(ValueError, match="no count is called 'papers': claims are"):
        TOOL.rewritten(text, {"claims": 1})
