"""What a page trains of a verdict is what the evidence counts: rows, digests and values."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bnlab.lab import repeat
from bnlab.lab.kit import page
from bnlab.lab.repeat.effects import FORMULAS
from bnlab.lab.repeat.repeat import NUMBERS, Repeat
from bnlab.lab.repeat.rows import SETS, claim_of, trainings_of
from bnlab.verdicts import evidence
from bnlab.verdicts.again import load_digests

FOLDER = Path(repeat.__file__).parent
NODE = Path(__file__).parents[1] / "clinic" / "node_worker.mjs"
RACE = ("loss", "val_accuracy", "test_accuracy", "diverged_at")
MOVED = (*RACE, "moves", "end")
LATE = ("loss", "last", "late", "test_accuracy", "diverged_at", "cosine", "sharpness")
BEHIND = {"S1": MOVED, "S2": MOVED, "S5": (*RACE, "numbers"), "L3": LATE, "L6": LATE}
BEHIND["L5"] = ("loss", "last", *RACE[1:], "cosine", "sharpness")
CLINIC = [name for name in SETS if name.startswith("T")]
EACH = 17  # every so many rows of a claim are trained in node


def options_of(name):
    made = Repeat(name)
    options = made.options
    made.close()
    return options


def images_of_the_page(name="clinic"):
    """What all rows take: test images, and the kernels in float64 of a set."""
    images, doubles = (
        json.loads(text[text.index(" = ") + 3 : -2])
        for text in (page.image_file(), page.doubles_file(name))
    )
    return {**images, "doubles": doubles["kernels"]}


@pytest.mark.parametrize("name", SETS)
def test_arms_and_seeds_are_those_of_the_evidence(name):
    stored, options = evidence.load(claim_of(name)), options_of(name)
    trainings = trainings_of(stored)
    digests = dict(
        zip([(t.arm, t.seed) for t in trainings], load_digests(name, trainings), strict=True)
    )
    for arm in options["arms"]:
        of_arm = [digests[arm["name"], seed] for seed in stored.data["seeds"]]
        assert arm["digests"] == of_arm and len(set(of_arm)) == len(of_arm)
    assert sum(len(arm["digests"]) for arm in options["arms"]) == len(trainings)
    assert options["seeds"] == stored.data["seeds"]


@pytest.mark.parametrize("name", SETS)
def test_the_formulas_give_the_values_of_the_evidence(name):
    """From the rows of the evidence, by the module of the page."""
    stored, options = evidence.load(claim_of(name)), options_of(name)
    trained = {}
    for training in trainings_of(stored):
        numbers = dict(zip(columns_of(name, training), training.row, strict=True))
        trained.setdefault(training.arm, []).append({"diverged_at": None, **numbers})
    found = in_node(
        "repeat_rows.js", "m.valuesOf(o, null, new Map(Object.entries(t)))", options, trained
    )
    assert list(found) == [effect.name for effect in stored.claim.effects]
    for effect, values in stored.values.items():
        assert found[effect] == pytest.approx(values.tolist(), abs=1e-12)
    fresh = in_node(
        "repeat_rows.js", "m.valuesOf(o, 5000, new Map(Object.entries(t)))", options, trained
    )
    alone = {key for key, made in FORMULAS[name](stored.data).items() if "beside" not in made}
    assert list(fresh) == [e.name for e in stored.claim.effects if e.name in alone]


def columns_of(name, training):
    """Of the row behind the seed."""
    if training.kind:
        return training.kind.columns[-len(training.row) :]
    if name == "B1":
        return ("test_accuracy", "loss") if len(training.row) == 2 else NUMBERS[2:]
    return BEHIND.get(name, NUMBERS)


def in_node(module, expression, options, trained):
    """What an expression of the options o and the rows t gives."""
    script = (
        f"const m = await import({json.dumps(str(FOLDER / module))});"
        "const { o, t } = JSON.parse(await new Response(process.stdin).text());"
        f"console.log(JSON.stringify({expression}));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        input=json.dumps({"o": options, "t": trained}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("name", SETS)
def test_the_page_trains_the_rows_to_the_last_bit(name, tmp_path):
    options, stored = options_of(name), evidence.load(claim_of(name))
    rows = {(t.arm, t.seed): t for t in trainings_of(stored)}
    test = images_of_the_page(options["compiled"])
    places = [(arm, i) for arm in options["arms"] for i in range(len(options["seeds"]))]
    places = [(arm, i) for arm, i in places if arm["steps"] < 3000][::EACH]
    states = [state_of(arm, options["seeds"][i], test) for arm, i in places]
    for (arm, i), told in zip(
        places, from_page(tmp_path, options["compiled"], states), strict=True
    ):
        seed = options["seeds"][i]
        assert told["digest"] == arm["digests"][i], (arm["name"], seed)
        training = rows[arm["name"], seed]
        if name in CLINIC and training.kind:
            continue  # see test_clinic_rows.py
        row = dict(zip(columns_of(name, training), training.row, strict=True))
        if row["diverged_at"] is None:
            assert {key: row[key] for key in told if key in row} == {
                key: told[key] for key in told if key in row
            }
        assert told["diverged_at"] == row["diverged_at"]


def state_of(arm, seed, test):
    """What the job of the worker takes of a row."""
    fixed = {"sampler": {"name": "iid"}, "test": test}
    return {**arm, "arm": arm["name"], "seed": seed + arm["later"], **fixed}


def from_page(folder, name, states):
    """What the job of the worker tells of each row."""
    asset = folder / "asset.js"
    asset.write_text(page.content(name, [repeat.JOBS[name]]))
    requests = [{"job": "repeat", "state": state, "steps": state["steps"]} for state in states]
    told = subprocess.run(
        ["node", str(NODE), str(asset)],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return [points[-1][1] for points in json.loads(told.stdout)]
