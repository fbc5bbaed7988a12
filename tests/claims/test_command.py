"""``python -m bnlab.claims list`` and ``measure``: options, and work on an executor."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bnlab import claims
from bnlab.chapters.learning_rates import b1_rates
from bnlab.claims import CLAIMS
from bnlab.claims.__main__ import main, make_parser
from bnlab.claims.measuring import pool
from bnlab.store import Results
from bnlab.verdicts import evidence
from bnlab.verdicts.work import Work


def test_the_list_names_all_claims_and_guesses_nothing(capsys, unmeasured):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if not line.startswith("  ")]
    elsewhere = [line for line in heads if " on CIFAR-10 (" in line]
    heads = [line for line in heads if line not in elsewhere]
    assert [line.split(":")[0] for line in heads] == list(CLAIMS)
    for item, line in zip(CLAIMS.values(), heads, strict=True):
        if item.measure is None:
            assert line.startswith(f"{item.id}: {item.without_evidence}. ")
    there = [name for name, item in CLAIMS.items() if evidence.is_there(item, "cifar10")]
    assert [line.split(":")[0] for line in elsewhere] == there
    assert f"{unmeasured}: not measured yet. Nets dream." in heads
    assert "  It takes sleep. Instead: Whether they rest." in lines


@pytest.mark.parametrize("paper", ["lubana2021", "lubana", "Lubana et al."])
def test_the_list_of_one_paper(paper, capsys):
    assert main(["list", "--paper", paper]) == 0
    out = capsys.readouterr().out
    heads = [line for line in out.splitlines() if not line.startswith("  ")]
    ids = [line.split(":")[0] for line in heads]  # a line for each scale
    assert list(dict.fromkeys(ids)) == [f"L{i}" for i in range(1, 7)]


def test_an_unknown_paper_lists_the_known(capsys):
    assert main(["list", "--paper", "bjork2018"]) == 1
    assert "Did you mean 'bjorck2018'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "1-7"], "at least 8 different seeds"),
        (["--seeds", "1,1,1,1,1,1,1,1"], "at least 8 different seeds"),
        (["--seeds", "a-b"], "write 300-307"),
        (["--seeds", "0-999999999999"], "at most 10000 seeds"),
        (["--seeds", "0-5000,6000-99999"], "at most 10000 seeds"),
        (["--processes", "0"], "must be 1 or more"),
        (["--processes", "1000000"], "cores: at most"),
    ],
)
def test_bad_options_are_refused_before_measuring(arguments, message, capsys):
    with pytest.raises(SystemExit):
        main(["measure", "B8", *arguments])
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["B8", "--scale", "cifar10"], "unknown scale of B8 'cifar10'. Known: digits"),
        (["B8", "--device", "cuda"], "unknown option of the measurement of B8: 'device'"),
        (["B1", "--engine", "stack"], "unknown engine 'stack'"),
    ],
)
def test_what_a_claim_does_not_have_is_refused(arguments, message, tmp_path, capsys):
    assert main(["measure", *arguments, "--output", str(tmp_path)]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_claim_without_measurement_is_refused(unmeasured, tmp_path, capsys):
    assert main(["measure", unmeasured, "--output", str(tmp_path)]) == 1
    assert f"claim {unmeasured} has no measurement yet" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_seeds_are_ranges_and_lists():
    given = make_parser().parse_args(["measure", "B8", "--seeds", "1-6,9,12"])
    assert given.seeds == [1, 2, 3, 4, 5, 6, 9, 12]


def test_measuring_writes_evidence_for_the_seeds(tmp_path, capsys):
    assert main(["measure", "B8", "--seeds", "500-507", "--output", str(tmp_path)]) == 0
    assert "B8: shown on digits (8 seeds)" in capsys.readouterr().out
    assert evidence.load(claims.claim("B8"), tmp_path).data["seeds"] == list(range(500, 508))


def test_seeds_on_an_executor_give_the_same_as_here():
    with ThreadPoolExecutor(2) as executor:
        there = claims.measure("B3", seeds=[200, 201], work=Work(executor=executor))
    assert there.data == claims.measure("B3", seeds=[200, 201]).data


def test_trainings_on_an_executor_give_the_same_as_here():
    small = {"seeds": [200], "depths": [1], "base": b1_rates.BASE.replace(steps=5)}
    with ThreadPoolExecutor(2) as executor:
        there = claims.measure("B1", **small, work=Work(executor=executor))
    assert there.data == claims.measure("B1", **small).data


def test_other_processes_give_the_same_as_this_one():
    with pool(2) as executor:
        there = claims.measure("B8", seeds=[500, 501], work=Work(executor=executor))
    assert there.data == claims.measure("B8", seeds=[500, 501]).data
    with pool(1) as executor:
        assert executor is None


def test_a_reader_who_leaves_early_is_no_error():
    command = f"{sys.executable} -m bnlab.claims list | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("S1: ") and done.stderr == ""


def test_a_measurement_that_nobody_reads_does_not_end_well(tmp_path):
    command = f"{sys.executable} -m bnlab.claims measure B8 B8 --seeds 500-507 --output {tmp_path}"
    script = f"set -o pipefail; {command} | true"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert "evidence that is not written yet is missing" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_claim_that_another_process_measures_is_named(tmp_path, capsys):
    folder = evidence.unfinished(claims.claim("B8"), tmp_path)
    with Results(folder, "other").writing():
        assert main(["measure", "B8", "--seeds", "500-507", "--output", str(tmp_path)]) == 1
    assert "B8 is being measured by another process" in capsys.readouterr().err


def test_a_file_is_no_folder_for_evidence(tmp_path, capsys):
    (tmp_path / "file").write_text("kept")
    assert main(["measure", "B8", "--output", str(tmp_path / "file")]) == 1
    assert "is a file: name a folder" in capsys.readouterr().err


def test_an_interrupt_ends_the_processes_at_once():
    start = time.monotonic()
    with pytest.raises(KeyboardInterrupt), pool(2) as executor:
        executor.submit(abs, -1).result()
        executor.submit(time.sleep, 60)
        start = time.monotonic()
        raise KeyboardInterrupt
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
@pytest.mark.parametrize("arguments", [["list", "--paper", "bjorck2018"], ["check", "B8"]])
def test_a_console_that_cannot_write_every_sign_shows_the_others(encoding, arguments):
    command = [sys.executable, "-m", "bnlab.claims", *arguments]
    there = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(command, capture_output=True, env=there, check=False)
    assert done.returncode == 0, done.stderr.decode(encoding, "replace")
    assert b"B8" in done.stdout and b"Traceback" not in done.stderr
