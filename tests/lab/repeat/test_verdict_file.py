"""A repeated verdict as a file: written and read; one that was edited by hand gets a sentence."""

import copy
import json

import pytest

from bnlab import claims
from bnlab.lab.kit.bundle import PACKAGE, script
from bnlab.lab.repeat.claim_json import claim_json
from tests.lab.repeat.repeat_node import MODULES, needs_node, node

pytestmark = needs_node
CLAIM = claim_json(claims.claim("T6"))
KIT = PACKAGE / "lab" / "kit" / "js"
IN_WORKERS = [KIT / f"{name}.js" for name in ("page_jobs", "page_side_by_side", "page_worker")]
IN_WIDGETS = sorted({*KIT.glob("*.js")} - {*IN_WORKERS})
NAMES = [effect["name"] for effect in CLAIM["effects"]]
RESULT = {
    "seeds": list(range(40, 48)),
    "margins": {"after_2": 0.01},
    "values": {name: [0.01 * k for k in range(8)] for name in NAMES},
    "said": "shown",
}


def written() -> dict:
    return json.loads(node("writeVerdict(...given)", [CLAIM, RESULT]))


OPTIONS = {"claim": CLAIM, "tuning_seeds": [7, 8], "most_seed": 2**31}


def reading(text: str) -> object:
    return node("tried(() => readVerdict(...given))", [text, OPTIONS])


def test_what_is_written_is_read():
    text = node("writeVerdict(...given)", [CLAIM, RESULT])
    assert reading(text) == RESULT and len(text) < 4000


def test_what_is_not_the_readers_own_is_left_out():
    """A margin of the claim, and values of no part of it."""
    own = next(effect for effect in CLAIM["effects"] if effect["name"] == "after_6")
    result = {**RESULT, "margins": {**RESULT["margins"], "after_6": own["margin"]}}
    file = json.loads(node("writeVerdict(...given)", [CLAIM, result]))
    file["values"]["else"] = [1]
    assert reading(json.dumps(file)) == RESULT


def _set(*path: object) -> object:
    *way, last, value = path

    def edit(file: dict) -> None:
        for key in way:
            file = file[key]
        file[last] = value

    return edit


EDITS = {
    "no format": (lambda f: f.pop("format"), 'lacks "format", which is text.'),
    "no seeds": (lambda f: f.pop("seeds"), 'lacks "seeds", which is a list of whole numbers'),
    "no values": (lambda f: f.pop("values"), 'lacks "values", which is named lists of finite'),
    "no word": (lambda f: f.pop("said"), 'lacks "said", which is text.'),
    "other format": (_set("format", "bnlab verdict 9"), 'is of the format "bnlab verdict 9"'),
    "other claim": (_set("claim", "B1"), "is a verdict on B1 (digits), and this box is about T6"),
    "other scale": (_set("scale", "cifar10"), "is a verdict on T6 (cifar10), and this box"),
    "claim a number": (_set("claim", 6), 'has "claim": 6; it must be text.'),
    "seeds a text": (_set("seeds", "40 to 47"), 'has "seeds": "40 to 47"; it must be a list of'),
    "seed a half": (_set("seeds", 0, 0.5), "it must be a list of whole numbers, 0 or more."),
    "seed twice": (_set("seeds", 0, 41), "names a seed twice."),
    "seed more": (lambda f: f["seeds"].append(99), 'has 8 values for the part "after_2" and 9 se'),
    "too few seeds": (lambda f: f["seeds"].pop(), "has 7 seeds; a verdict is judged of 8 to 64."),
    "seed of a choice": (_set("seeds", 0, 8), "counts the seed 8, which chose the learning rates."),
    "seed too large": (
        _set("seeds", 0, 2**31),
        "has the seed 2147483648; the largest is 2147483647",
    ),
    "too many seeds": (_set("seeds", list(range(65))), "has 65 seeds; a verdict is judged of 8 to"),
    "margins a list": (_set("margins", [1]), 'has "margins": [1]; it must be named numbers'),
    "margin a text": (_set("margins", "after_2", "big"), "it must be named numbers, finite."),
    "margin of nothing": (_set("margins", "after_9", 0.1), 'Claim T6 has no part "after_9"'),
    "margin below zero": (
        _set("margins", NAMES[-1], -0.1),
        "cannot have a margin below 0; write 0",
    ),
    "margin too large": (
        _set("margins", NAMES[-1], 1e307),
        "has a margin of 1e+307; the largest is",
    ),
    "value too large": (_set("values", "after_2", 3, -1e200), "has -1e+200 for the part"),
    "values null": (_set("values", None), 'has "values": null; it must be named lists'),
    "value null": (_set("values", "after_2", 3, None), "it must be named lists of finite numbers."),
    "value a text": (_set("values", "after_2", 3, "0.1"), "it must be named lists of finite"),
    "part gone": (lambda f: f["values"].pop("after_6"), 'has no values for the part "after_6".'),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_file_gets_one_sentence(name):
    edit, said = EDITS[name]
    file = copy.deepcopy(written())
    edit(file)
    sentence = reading(json.dumps(file))
    assert isinstance(sentence, str) and said in sentence
    assert sentence.endswith(".") and len(sentence) < 300 and "undefined" not in sentence


@pytest.mark.parametrize("text", ["", "{", "no json", '{"format": NaN}', "null", "[]", "3", '"x"'])
def test_what_is_no_verdict_gets_one_sentence(text):
    sentence = reading(text)
    assert sentence.startswith("The file is not a") and sentence.endswith(".")


def test_a_file_cut_off_anywhere_gets_a_sentence():
    text = node("writeVerdict(...given)", [CLAIM, RESULT])
    cut = [text[:end] for end in range(0, len(text) - 2, 7)]
    said = node("given[0].map((text) => tried(() => readVerdict(text, given[1])))", [cut, OPTIONS])
    assert {*said} == {
        "The file is not a verdict that this page has written: it is no JSON, or it is cut off."
    }


def test_an_edited_word_is_noticed():
    file = {**RESULT, "said": "reversed"}
    said = node("given.map((each) => saidOtherwise(each, { said: 'shown' }))", [file, RESULT])
    assert said == ['The file says "reversed"; its numbers give "shown".', ""]


@pytest.mark.parametrize("others", [IN_WIDGETS, IN_WORKERS], ids=["widget", "worker"])
def test_the_modules_can_be_joined_with_others(others):
    """The modules of a widget, or of a worker, share one scope: no name is declared twice."""
    assert "function judge(" in script([*MODULES, *others])
