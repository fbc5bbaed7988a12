import shutil

import pytest

from tests.project.repository_files import ROOT, load_tool

TOOL = load_tool("set_repository")


@pytest.fixture
def copy(tmp_path):
    """A copy of every file that may name the address."""
    files = [ROOT / TOOL.PLACE, *(path for path, _ in TOOL.sources(ROOT))]
    for path in files:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_every_place_names_the_same_address():
    assert TOOL.differing(ROOT) == []


def test_the_places_that_must_name_it_do():
    named = {path for path, _, _ in TOOL.places(ROOT)}
    chapters = {p.relative_to(ROOT).as_posix() for p in (ROOT / "book").rglob("*.ipynb")}
    must = {"README.md", "CITATION.cff", "pyproject.toml", "_config.yml"}
    assert must | {c for c in chapters if ".ipynb_checkpoints" not in c} <= named


@pytest.mark.parametrize("address", ["someone/some-book", "a1/b.c_d-e"])
def test_setting_changes_every_place_and_twice_changes_nothing(copy, address):
    before = len(list(TOOL.places(copy)))
    assert TOOL.set_everywhere(address, copy)
    found = [name for _, _, name in TOOL.places(copy)]
    assert found == [address] * before
    assert TOOL.differing(copy) == []
    assert TOOL.set_everywhere(address, copy) == []


def test_setting_it_back_restores_every_byte(copy):
    original = TOOL.current(ROOT)
    TOOL.set_everywhere("someone/some-book", copy)
    TOOL.set_everywhere(original, copy)
    for path, _ in TOOL.sources(ROOT):
        assert (copy / path.relative_to(ROOT)).read_bytes() == path.read_bytes()


def test_a_place_that_differs_is_found(copy):
    readme = copy / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(text + "\nhttps://github.com/else/where\n", encoding="utf-8")
    assert [line.split(" names ")[1] for line in TOOL.differing(copy)] == ["else/where"]


def test_other_projects_addresses_in_the_book_stay(copy):
    page = copy / "book" / "page.md"
    page.parent.mkdir(exist_ok=True)
    text = "See https://github.com/pytorch/pytorch/issues/196699 and https://x.github.io/y.\n"
    page.write_text(text, encoding="utf-8")
    TOOL.set_everywhere("someone/some-book", copy)
    assert page.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("address", ["", "book", "a/b/c", "a b/c", "https://github.com/a/b", "/b"])
def test_what_is_no_address_is_refused(copy, address):
    with pytest.raises(ValueError, match="write owner/name"):
        TOOL.set_everywhere(address, copy)
    assert TOOL.current(copy) == TOOL.current(ROOT)
