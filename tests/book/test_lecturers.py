"""The page for lecturers has every demonstration, its plans fill their lectures, its links lead."""

import re
from html import unescape
from pathlib import Path

import pytest

from bnlab import chapters, show
from bnlab.chapters import scenes_of
from bnlab.show import lectures
from tests.web.scene_pages import pages, widget_on

BOOK = Path(__file__).parents[2] / "book"
TEXT = (BOOK / "lecturers.md").read_text(encoding="utf-8")
NAMES = sorted(path.parent.name for path in Path(chapters.__file__).parent.glob("*/scenes.py"))
PAGE = show.demonstrations().page
LINKS = re.findall(r'href="([\w]+)\.html(?:\?embed=(\w+))?(?:#(\w+)\?scene=(\d+))?"', PAGE)


def source(stem):
    """The file of a page."""
    (found,) = (path for path in BOOK.glob(f"{stem}.*") if path.suffix in (".md", ".ipynb"))
    return found


def plans():
    return [(count, one) for count, plan in lectures.PLANS.items() for one in plan]


def test_the_page_prints_the_scenes_and_each_plan():
    for line in ("show.demonstrations()", *(f"show.plan({count})" for count in lectures.PLANS)):
        assert line in TEXT


@pytest.mark.parametrize("name", NAMES)
def test_every_scene_is_there_with_a_link_to_the_widget_of_its_page(name):
    found, path = scenes_of(name), pages()[name]
    numbers = [link for link in LINKS if link[0] == path.stem and link[3] and not link[1]]
    numbered = range(1, len(found.SCENES) + 1)
    assert numbers == [(path.stem, "", found.WIDGET, str(k)) for k in numbered]
    assert (path.stem, found.WIDGET, found.WIDGET, "1") in LINKS
    told = unescape(PAGE)
    for one in found.SCENES:
        assert one.label in told and one.ask in told and one.says in told


@pytest.mark.parametrize("name", NAMES)
def test_the_widget_is_called_on_its_page_as_the_links_call_it(name):
    widget = widget_on(pages()[name])
    called = widget.options.get("name") or widget.options["replay"]  # as kit/js/widget.js has it
    widget.close()
    assert called == scenes_of(name).WIDGET


def test_the_chapters_stand_in_the_order_of_the_book():
    toc = (BOOK.parent / "_toc.yml").read_text(encoding="utf-8")
    order = [name for name in re.findall(r"book/(\w+)$", toc, re.M) if name in lectures.PAGES]
    assert order == list(lectures.PAGES)
    shown = list(dict.fromkeys(link[0] for link in LINKS))
    assert shown == [name for name in order if name not in lectures.WITHOUT_SCENES]


def test_a_page_without_scenes_has_none():
    with_scenes = {path.stem for path in pages().values()}
    assert set(lectures.PAGES) - with_scenes == set(lectures.WITHOUT_SCENES)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_the_scenes_share_what_the_board_leaves(count):
    found = [int(m) * 60 + int(s) for m, s in (t.split(":") for t in lectures.beginnings(count))]
    steps = {b - a for a, b in zip(found, [*found[1:], 60 * lectures.MINUTES], strict=True)}
    assert found[0] == 60 and steps == {240 // count}


@pytest.mark.parametrize(("count", "one"), plans())
def test_a_lecture_is_full_and_each_demonstration_fits(count, one):
    assert sum(one.values()) == lectures.LECTURE
    assert min(one.values()) >= lectures.MINUTES
    assert all(source(name).is_file() for name in one)
    shown = show.plan(count)
    for name, minutes in one.items():
        title = lectures.PAGES[name]
        assert f'<a href="{name}.html">{title}</a> ({minutes} minutes)' in shown.page
        assert f"{title} ({minutes} minutes)" in shown.text


@pytest.mark.parametrize("count", lectures.PLANS)
def test_a_plan_has_that_many_lectures_and_no_page_twice(count):
    plan = lectures.PLANS[count]
    names = [name for one in plan for name in one]
    assert len(plan) == count and len(set(names)) == len(names)
    assert set(names) <= set(lectures.PAGES)


def test_six_lectures_have_every_page():
    names = [name for one in lectures.PLANS[6] for name in one]
    assert sorted(names) == sorted(lectures.PAGES)


def test_another_number_of_lectures_is_refused():
    with pytest.raises(ValueError, match=r"plan for a number of lectures 3\. Known: 1, 2, 6\."):
        show.plan(3)


def test_links_of_the_text_lead_to_pages():
    links = re.findall(r"\]\(([\w.]+)(?:#[\w-]+)?\)", TEXT)
    assert len(links) >= 4 and all((BOOK / link).is_file() for link in links)


def test_the_line_for_slides_names_a_scene_that_exists():
    stem, embed, name, number = re.search(
        r"ADDRESS/book/(\w+)\.html\?embed=(\w+)#(\w+)\?scene=(\d)", TEXT
    ).groups()
    found = scenes_of(stem[3:])
    assert embed == name == found.WIDGET and 1 <= int(number) <= len(found.SCENES)
    share = (BOOK.parent / "src/bnlab/lab/kit/js/share.js").read_text(encoding="utf-8")
    for part in ('style="border: 0; max-width: 100%"', 'allow="fullscreen; clipboard-write"'):
        assert part in TEXT and part in share


@pytest.mark.parametrize("page", ["index.md", "how_to_use.md"])
def test_other_pages_lead_here(page):
    assert "(lecturers.md)" in (BOOK / page).read_text(encoding="utf-8")


def test_it_is_short():
    assert len(TEXT.split()) < 700
