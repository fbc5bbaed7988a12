"""Several claims in one call: which, where to, how long, and what is refused before it begins."""

import dataclasses
import math

import pytest
import torch

from bnlab.claims import CLAIMS, claim, estimate, measuring, room
from bnlab.claims.__main__ import main
from bnlab.claims.estimate import duration, step_seconds
from bnlab.claims.measuring import measure_all, own_folder, wanted
from bnlab.claims.room import check_room, free_memory
from bnlab.engines.stack import StackTrainer
from bnlab.train import Run
from bnlab.verdicts import evidence
from bnlab.verdicts.evidence import Evidence

ON_CIFAR = ["measure", "--scale", "cifar10", "B1"]
LARGE = Run(data="cifar10", width=16)
real_measure = evidence.measure


@pytest.fixture
def stored(monkeypatch):
    """B1 at the second scale took 600 seconds of a core; nothing else is measured."""
    item = claim("B1", "cifar10")

    def load(one, folder=None, scale="digits"):
        if one.id != "B1":
            raise FileNotFoundError
        data = {"base": item.runs["cifar10"].to_dict()}
        return Evidence(item, data, {"seconds": 600.0, "device": "cpu (x86_64)"})

    monkeypatch.setattr(evidence, "load", load)
    return item


@pytest.fixture
def free(monkeypatch, tmp_path):
    """Let a machine have so many GB, and a container."""

    def tell(machine, used=None, limit=None):
        (tmp_path / "meminfo").write_text(
            f"MemTotal: 99999999 kB\nMemAvailable: {int(machine * 1e9 / 1024)} kB\n"
        )
        monkeypatch.setattr(room, "MEMINFO", tmp_path / "meminfo")
        monkeypatch.setattr(room, "GROUP", tmp_path)
        if limit is not None:
            (tmp_path / "memory.max").write_text(f"{limit}\n")
            (tmp_path / "memory.current").write_text(f"{used}\n")
            (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 500000000\n")

    return tell


# ---------------------------------------------------------------------------------- which, where


def test_all_are_those_that_have_the_scale():
    found = wanted(CLAIMS, ["ALL"], "cifar10")
    assert [one.id for one in found] == [i for i, c in CLAIMS.items() if "cifar10" in c.scales]
    assert {one.scale for one in found} == {"cifar10"} and found
    digits = wanted(CLAIMS, ["ALL"], "digits")
    assert [one.id for one in digits] == [i for i, c in CLAIMS.items() if c.measure]
    assert [one.id for one in wanted(CLAIMS, ["B8", "B1", "B8"], "digits")] == ["B8", "B1"]


def test_a_scale_that_no_claim_has(capsys):
    assert main(["measure", "ALL", "--scale", "imagenet"]) == 1
    assert "measured at the scale 'imagenet'. Known: digits, cifar10." in capsys.readouterr().err


def test_what_does_not_count_goes_into_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "kind", lambda device: device or "cpu")
    for options, name in (
        ({}, ""),
        ({"device": "cpu", "seeds": [1]}, ""),
        ({"image_size": 32}, "32"),
        ({"device": "cuda"}, "cuda"),
        ({"device": "cuda", "image_size": 32}, "32-cuda"),
        ({"engine": "torch"}, "torch"),
    ):
        assert own_folder(tmp_path, options) == tmp_path / name


def test_a_claim_that_fails_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    def measure(item, **options):
        if item.id == "B3":
            raise RuntimeError("it rained.")
        return real_measure(item, **options)

    monkeypatch.setattr(evidence, "measure", measure)
    names = ["B3", "B8", "--seeds", "500-507", "--output", str(tmp_path)]
    assert main(["measure", *names]) == 1
    told = capsys.readouterr()
    assert "bnlab: B3: it rained." in told.err and "1 of 2 claims failed" in told.err
    assert "B8: shown on digits" in told.out
    assert [path.name for path in tmp_path.iterdir()] == ["B8.json"]
    assert main(["measure", "B8", *names[2:]]) == 0


def test_all_goes_on_where_it_was_stopped(tmp_path, monkeypatch, capsys):
    """What its folder has by this code stays; other seeds and other code are measured."""
    items, options = [claim("B8")], {"seeds": list(range(500, 508))}
    assert measure_all(items, tmp_path, options, skip=True)
    before = (tmp_path / "B8.json").stat().st_mtime_ns
    assert measure_all(items, tmp_path, options, skip=True)
    assert (tmp_path / "B8.json").stat().st_mtime_ns == before
    assert "B8: measured already, by this code" in capsys.readouterr().out
    measured = []
    monkeypatch.setattr(measuring, "_measure_one", lambda item, *_: measured.append(item.id))
    measure_all(items, tmp_path, {"seeds": list(range(600, 608))}, skip=True)
    measure_all(items, tmp_path, options)
    monkeypatch.setattr(measuring, "code_meaning", lambda _: "other")
    measure_all(items, tmp_path, options, skip=True)
    assert measured == ["B8"] * 3


# --------------------------------------------------------------------------------------- refusals


def test_a_gpu_that_is_not_there(tmp_path, capsys):
    if torch.cuda.is_available():
        pytest.skip("here is one.")
    for more in ([], ["--output", str(tmp_path)], ["--dry-run"]):
        assert main([*ON_CIFAR, "--device", "cuda", *more]) == 1
        assert "device 'cuda' cannot be used here" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_several_processes_on_a_gpu(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(measuring, "kind", lambda device: device or "cpu")
    more = ["--device", "cuda", "--processes", "2", "--output", str(tmp_path)]
    assert main([*ON_CIFAR, *more]) == 1
    assert "--processes 2 is for the CPU: on a GPU one process" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("size", ["7", "0", "-1", "16.0", "big"])
def test_a_size_that_images_cannot_have(size, capsys):
    with pytest.raises(SystemExit):
        main([*ON_CIFAR, "--image-size", size])
    assert f"has images of 32 or 16 pixels a side, got '{size}'" in capsys.readouterr().err


def test_a_claim_without_the_option_is_refused_by_its_name(capsys, tmp_path):
    assert main(["measure", "B8", "--image-size", "32", "--output", str(tmp_path)]) == 1
    assert "B8: unknown option of the measurement of B8: 'image_size'" in capsys.readouterr().err


def test_too_little_memory_says_how_many_processes_fit(free, capsys, tmp_path):
    free(2.6)
    check_room([LARGE], 1)
    check_room([LARGE.replace(image_size=16)], 2)
    check_room([Run()], 50)
    words = "32 x 32 pixels 3 processes take about 7.5 GB, and 2.6 GB are free. 1 would fit: use"
    with pytest.raises(RuntimeError, match=f"{words} --processes 1"):
        check_room([LARGE], 3)
    free(2.0)
    none = "one process takes about 2.5 GB, and 2.0 GB are free. None would fit: end other"
    with pytest.raises(RuntimeError, match=f"{none} programs or use --image-size 16"):
        check_room([LARGE])
    assert main([*ON_CIFAR, "--processes", "3", "--output", str(tmp_path / "out")]) == 1
    assert "16 x 16 pixels 3 processes take about 3.0 GB" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_limit_of_a_container_counts_without_what_it_only_caches(free):
    free(8.0)
    assert free_memory() == pytest.approx(8.0, abs=1e-3)
    free(8.0, used=2_000_000_000, limit=5_000_000_000)
    assert free_memory() == pytest.approx(3.5)
    free(8.0, used=2_000_000_000, limit="max")
    assert free_memory() == pytest.approx(8.0, abs=1e-3)


def test_who_does_not_tell_its_memory_is_not_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(room, "MEMINFO", tmp_path / "none")
    monkeypatch.setattr(room, "GROUP", tmp_path)
    assert free_memory() is None
    check_room([LARGE], 1000)


def test_too_little_memory_on_a_gpu(free, monkeypatch):
    free(64.0)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (4e9, 16e9))
    check_room([LARGE.replace(image_size=16)], 1, "cuda")
    message = r"on 'cuda': 8 nets of width 16 .* about 8\.6 GB, and 4\.0 GB are free.*image-size 16"
    with pytest.raises(RuntimeError, match=message):
        check_room([LARGE], 1, "cuda")


# -------------------------------------------------------------------------------------- how long


def test_the_time_is_that_of_the_evidence_scaled_by_the_steps(stored, monkeypatch, capsys):
    steps = {(32, "cpu"): 2.0, (16, "cpu"): 0.5, (32, "cuda"): 0.05}
    monkeypatch.setattr(estimate, "step_seconds", lambda run, device: steps[run.image_size, device])
    monkeypatch.setattr(measuring, "kind", lambda device: device or "cpu")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (64e9, 64e9))
    for more, said in (
        ([], "B1: about 10 minutes (its evidence took 10 minutes of one core; a step takes 1 "),
        (["--processes", "2"], "B1: about 5 minutes"),
        (["--image-size", "32"], "B1: about 40 minutes"),
        (["--image-size", "32", "--device", "cuda"], "B1: about 60 seconds"),
    ):
        assert main([*ON_CIFAR, "S4", "--dry-run", *more]) == 0
        told = capsys.readouterr().out
        assert told.startswith(said), told
        assert "S4: there is no evidence to go by, so no estimate." in told
        assert ", without S4. This is an estimate" in told
        assert told.endswith("Nothing was measured.\n")


def test_evidence_of_another_device_is_nothing_to_go_by(stored, monkeypatch):
    there = evidence.load(stored)
    other = dataclasses.replace(there, meta={**there.meta, "device": "cuda (x86_64)"})
    monkeypatch.setattr(evidence, "load", lambda *_, **__: other)
    assert estimate.seconds_of(stored, "cpu", None) is None
    assert estimate.seconds_of(stored, "cuda", None) == (600.0, 1.0)


def test_the_estimate_comes_before_the_measurement(stored, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("BNLAB_DATA", str(tmp_path))
    (tmp_path / "cifar-10-batches-bin").mkdir()
    monkeypatch.setattr(measuring, "_measure_one", lambda *_: print("measures") or "")
    assert main([*ON_CIFAR, "--output", str(tmp_path / "out")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("B1: about 10 minutes") and lines[-1] == "measures"


def test_a_step_is_timed_alone_and_in_a_stack(monkeypatch):
    run = Run(depth=1, width=4, steps=3, schedule_options={"warmup": 2})
    step_seconds.cache_clear()
    monkeypatch.setattr(estimate, "StackTrainer", lambda runs, device: StackTrainer(runs, "cpu"))
    for device in ("cpu", "cuda"):
        assert 0 < step_seconds(run, device) < math.inf
    step_seconds.cache_clear()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 seconds"), (80, "80 seconds"), (100, "2 minutes"), (7200, "2.0 hours")],
)
def test_how_a_time_is_said(seconds, said):
    assert duration(seconds) == said
