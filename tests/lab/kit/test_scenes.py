"""Scenes: what they must be, and what a widget makes of them for its page."""

import json
import re
from pathlib import Path

import pytest

from bnlab import chapters, show
from bnlab.chapters import scenes_of
from bnlab.draw.scene import Scene
from bnlab.lab import Family, Race

NAMES = sorted(path.parent.name for path in Path(chapters.__file__).parent.glob("*/scenes.py"))


def scene(**changes):
    given = {"label": "A rate", "ask": "Which one?", "says": "This one.", "state": {"lr": 0.1}}
    return Scene(**{**given, **changes})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": "one two three four"}, "label"),
        ({"label": ""}, "label"),
        ({"ask": "Look at it."}, "ask"),
        ({"says": "Does it?"}, "says"),
    ],
)
def test_a_scene_that_is_none_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        scene(**changes)


def test_a_widget_completes_the_state_of_a_scene_from_its_own():
    widget = Race(norms=("batch", "layer"), depth=4).with_scenes([scene(), scene(state={})])
    first, second = (one["state"] for one in widget.options["scenes"])
    assert first == {**widget.state, "lr": 0.1} and second == dict(widget.state)
    assert json.loads(json.dumps(widget.options["scenes"])) == widget.options["scenes"]


@pytest.mark.parametrize(
    ("make", "state", "message"),
    [
        (Race, {"lr": 0.11}, "lr must be one of"),
        (Race, {"mode": "eval"}, "exactly the keys"),
        (Family, {"norm": "bach"}, "Did you mean 'batch'"),
    ],
)
def test_a_scene_that_the_widget_does_not_offer_is_refused(make, state, message):
    with pytest.raises(ValueError, match=message):
        make().with_scenes([scene(state=state)])


def test_a_page_without_scenes_is_named_with_those_that_have_some():
    with pytest.raises(ValueError, match="Did you mean 'learning_rates'"):
        Race().with_scenes("learning_rate")
    with pytest.raises(ValueError, match="learning_rates"):
        show.scenes("nothing")


@pytest.mark.parametrize("name", NAMES)
def test_the_list_has_a_link_to_each_scene_and_says_all_of_it(name):
    found, shown = scenes_of(name), show.scenes(name)
    links = re.findall(r'href="#(\w+)\?scene=(\d+)"', shown.page)
    assert links == [(found.WIDGET, str(k)) for k in range(1, len(found.SCENES) + 1)]
    told = " ".join(shown.text.split())
    for one in found.SCENES:
        assert one.label in told and one.ask in told and one.says in told


@pytest.mark.parametrize("name", NAMES)
def test_the_labels_of_a_page_differ(name):
    labels = [one.label for one in scenes_of(name).SCENES]
    assert len(set(labels)) == len(labels) and 2 <= len(labels) <= 6
