"""What the website needs to train nets: the committed file, and the command that writes it."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

from bnlab.data import load
from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.nets import Net
from bnlab.engines.compiled.page_sets import ALL_SETS, PAGE_SETS, variants
from bnlab.engines.compiled.watch import UNITS
from bnlab.lab import Bits, Landscape, Lawn, Plane, SmallBatches, site
from bnlab.lab.__main__ import main
from bnlab.lab.kit import page
from bnlab.lab.kit.bundle import BundleError, script
from bnlab.lab.race.race import BATCH_SIZES, DEPTHS, Race
from bnlab.lab.race.run import NORMS, race_run
from bnlab.verdicts.evidence import results_folder

FOLDER = results_folder().parent / page.OUTPUT


def content_of(name):
    head = f"// {page.CREDIT}\n(globalThis.bnlabCompiled ??= {{}}).{name} = "
    text = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    assert text.startswith(head) and text.endswith(";\n")
    return json.loads(text[len(head) : -2])


@pytest.fixture(scope="module")
def content():
    return content_of("nets")


@pytest.mark.parametrize("name", ALL_SETS)
def test_the_committed_file_is_what_the_command_writes(tmp_path, name):
    size = page.make(name, tmp_path / "made.js", site.jobs()[name])
    assert (tmp_path / "made.js").read_bytes() == (FOLDER / f"{name}.js").read_bytes(), (
        "renew it: python -m bnlab.lab page"
    )
    assert size < page.LIMIT


def test_each_file_has_the_nets_of_its_set():
    assert {path.stem for path in FOLDER.iterdir()} == {*ALL_SETS} == {*site.jobs()}
    for name in ALL_SETS:
        nets = content_of(name)["rules"]["nets"]
        keys = {
            (norm, int(depth)): k for norm, of in nets.items() for depth, k in of["keys"].items()
        }
        assert keys == {at: net.key for at, net in variants(name).items()}
        assert content_of(name)["rules"]["units"] == (UNITS if name == "units" else 0)


def test_it_has_every_net_that_a_race_offers(content):
    keys = {norm: net["keys"] for norm, net in content["rules"]["nets"].items()}
    for norm in set(NORMS) - {"instance"}:
        for depth in DEPTHS:
            key = Net.of(race_run(norm, depth=depth)).key
            assert keys[norm][str(depth)] == key
            assert key in content["manifest"]["nets"]
    race = Race(depth=12)
    assert {key: content[key] for key in ("net", "width")} == {
        key: race.options[key] for key in ("net", "width")
    }
    assert race.options["compiled"] == "nets" and max(BATCH_SIZES) <= 300
    race.close()


@pytest.mark.parametrize("setting", [{"net": "plain"}, {"width": 32}])
def test_other_nets_are_not_promised(setting):
    race = Race(**setting)
    assert race.options["compiled"] is None
    race.close()


def test_bytes_and_images_are_those_of_python(content):
    for key, name in (("programs", "programs.bin"), ("kernels", "kernels.float32.wasm")):
        assert bytes.fromhex(content[key]) == (artefact.FOLDER / name).read_bytes()
    data = load("digits")
    levels = np.array([int(digit, 36) for digit in content["images"]], np.float64)
    pixels = ((levels - 5) / 6).astype(np.float32).reshape(-1, 64)
    labels = np.array([int(digit) for digit in content["labels"]])
    first = content["train"]
    assert np.array_equal(pixels[:first], data.train_x.reshape(-1, 64))
    assert np.array_equal(pixels[first:], data.val_x.reshape(-1, 64))
    assert np.array_equal(labels, np.concatenate([data.train_y, data.val_y]))


def test_inputs_are_those_of_a_training_in_python(content):
    from bnlab.train import Run, make_trainer

    run = Run(depth=3, optimizer="adam", lr=0.25)
    inputs = content_of("lawn")["rules"]["nets"]["none"]["inputs"]
    assert {**inputs, "lr": 0.25} == make_trainer(run, "compiled").inputs
    for norm in ("none", "batch_renorm", "noisy_batch"):
        run = race_run("none").replace(norm=norm, depth=1, lr=0.25)
        inputs = content["rules"]["nets"][norm]["inputs"]
        assert {**inputs, "lr": 0.25} == make_trainer(run, "compiled").inputs


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_worker_is_a_classic_script(content, tmp_path):
    (tmp_path / "worker.cjs").write_text(content["worker"])
    done = subprocess.run(
        ["node", "--check", tmp_path / "worker.cjs"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_damaged_artefact_makes_no_file(tmp_path):
    folder = tmp_path / "artefacts"
    shutil.copytree(artefact.FOLDER, folder)
    programs = folder / artefact.PROGRAMS
    programs.write_bytes(programs.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(artefact.CorruptedError, match=r"programs\.bin"):
        page.store(folder)


def test_images_that_changed_are_noticed(monkeypatch):
    data = load("digits")
    other = type("Data", (), {**vars(data), "train_x": data.train_x + np.float32(0.01)})
    monkeypatch.setattr(page, "load", lambda *_: other)
    with pytest.raises(RuntimeError, match="16ths"):
        page.images()


def test_a_heavy_file_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "LIMIT", 1000)
    with pytest.raises(ValueError, match="1000 are allowed"):
        page.make("nets", tmp_path / "nets.js")
    assert not list(tmp_path.iterdir())


def test_the_command_needs_the_repository_or_a_place(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main(["page"])
    assert "root of the repository" in capsys.readouterr().err
    assert main(["page", "--output", "made"]) == 0
    for name in ALL_SETS:
        made = tmp_path / "made" / f"{name}.js"
        assert made.read_bytes() == (FOLDER / f"{name}.js").read_bytes()
    made = (tmp_path / page.TEST_IMAGES).read_text()
    assert made == (FOLDER.parent / page.TEST_IMAGES).read_text() == page.image_file()
    for name in page.DOUBLED:
        made = (tmp_path / page.DOUBLES / f"{name}.js").read_text()
        kept = (FOLDER.parent / page.DOUBLES / f"{name}.js").read_text()
        assert made == kept == page.doubles_file(name)


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("nets", ["all_seeds", "landscape", "repeat", "side_by_side", "small_batches"]),
        ("groups", ["side_by_side"]),
        ("squares", ["plane", "side_by_side"]),
        ("units", ["all_seeds", "side_by_side"]),
        ("lawn", ["lawn", "side_by_side"]),
        ("mimic", ["side_by_side"]),
        ("binary", ["bits", "side_by_side"]),
        *((name, ["repeat", "side_by_side"]) for name in PAGE_SETS),
    ],
)
def test_the_worker_of_a_set_can_do_what_its_widgets_declare(name, jobs):
    worker = content_of(name)["worker"]
    assert sorted(re.findall(r"^JOBS\.(\w+) = ", worker, re.M)) == jobs
    asked = {"landscape": Landscape(), "small_batches": SmallBatches(), "plane": Plane()}
    asked |= {"lawn": Lawn(), "bits": Bits()}
    for job, widget in asked.items():
        assert widget.options["job"] == job
        assert (widget.options["compiled"] == name) == (job in jobs)
        widget.close()


def test_a_script_has_no_default_export_and_no_name_twice(tmp_path):
    one, two, three = (tmp_path / f"{name}.js" for name in ("one", "two", "three"))
    one.write_text("export const a = 1;\n")
    two.write_text('import { a } from "./one.js";\nconst b = a + 1;\n')
    three.write_text("const a = 3;\n")
    joined = '"use strict";\nconst a = 1;\n\nconst b = a + 1;\n'
    assert script([two]) == script([one, two]) == joined
    with pytest.raises(BundleError, match=r"a is declared in .*one\.js and in .*three\.js"):
        script([one, three])
    three.write_text("export default 3;\n")
    with pytest.raises(BundleError, match="default export"):
        script([three])
