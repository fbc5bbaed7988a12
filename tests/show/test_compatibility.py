"""The table of models of other libraries, as the page prints it."""

import html
import re

import pytest

from bnlab.show import compatibility
from bnlab.show.compatibility import GROUPS, Compatibility, load, without_kind


def text_of(page):
    without = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", without))


def test_every_model_and_each_refusal_is_on_the_page():
    table, page = load(), text_of(compatibility().page)
    for model, told in table.models.items():
        assert model.partition(" ")[2] in page
        for function, (_, sentence) in told.items():
            assert without_kind(function, sentence) in page or function in table.everywhere


def test_its_numbers_are_those_of_the_table():
    table, said = load(), compatibility().text.splitlines()[0]
    assert table.counts.total() == len(table.models) * len(table.counted)
    for number in (table.counts.total(), *table.counts.values()):
        assert f" {number:,} " in said
    assert len(table.models) >= 20
    for name, version in table.versions.items():
        assert f"{name} {version}" in compatibility().text


def test_every_function_belongs_to_one_column():
    starts = [start for group in GROUPS.values() for start in group]
    for name in load().functions:
        assert sum(name.startswith(start) for start in starts) == 1, name


def test_a_cell_says_how_many_work_and_folds_what_does_not():
    page = compatibility().page
    cells = re.findall(r'<td data-column="(?!Model)[^"]+">(.*?)</td>', page)
    assert len(cells) == len(load().models) * len(GROUPS)
    for cell in cells:
        told = cell.partition("<summary>")[2].partition("</summary>")[0] or cell
        count = re.fullmatch(r"(all \d+|\d+ of \d+)(, \d+ in part)?", told)
        assert count, cell[:80]


@pytest.mark.parametrize("functions", [("measure_a", "measure_b"), ("measure_a",)])
def test_what_refuses_all_models_is_not_counted(functions):
    told = {"measure_a": ["refused", "No."]}
    table = Compatibility({"torch": "2"}, functions, {"x one": told, "y two": told})
    assert table.everywhere == ("measure_a",)
    assert table.counts.total() == 2 * (len(functions) - 1)
