"""Work: the same results here, on processes, and after the process was killed."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from bnlab import claims, digest
from bnlab.chapters.batch_renorm import methods
from bnlab.claims.__main__ import main
from bnlab.digest import CodeChangedError
from bnlab.store import read_object
from bnlab.sweep import processes
from bnlab.train import Run, train
from bnlab.verdicts import evidence, provenance, work
from bnlab.verdicts.trainings import train_all
from bnlab.verdicts.work import HERE, PartsFailedError, Work
from tests.verdicts.measured_parts import dies, fails_on_odd, numbers, steps_of

ROOT = Path(__file__).parents[2]
SMALL = Run(steps=3, width=8, depth=1)


@pytest.fixture(scope="module")
def pool():
    with processes(2) as executor:
        yield executor


def plan(log):
    return [(str(log), number, 7 - number) for number in range(5)]


def called(log):
    return sorted(log.read_text().splitlines()) if log.exists() else []


def kept(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob("*/*.json")}


def python(code, *arguments):
    """A process of its own that runs some code."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT), *sys.path])
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stdout=-1, stderr=-1, text=True
    )


def test_results_are_the_same_everywhere_and_in_order(tmp_path, pool):
    ways = [HERE, Work(executor=pool), Work(tmp_path / "a"), Work(tmp_path / "b", pool)]
    found = [way.starmap(numbers, plan(tmp_path / "log")) for way in ways]
    again = Work(tmp_path / "b").starmap(numbers, plan(tmp_path / "log"))
    assert len(called(tmp_path / "log")) == 4 * 5, "what is kept is not computed again"
    assert found[0][2] == [2 / 3, 1e-300 * 5, None, [5, True], float("inf")]
    assert all(one == found[0] for one in (*found, again))


def test_what_is_kept_depends_on_function_and_arguments(tmp_path):
    there = Work(tmp_path)
    assert there.map(steps_of, [SMALL, SMALL.replace(steps=4)]) == [3, 4]
    assert there.map(fails_on_odd, [2]) == [2]
    assert there.map(steps_of, [SMALL.replace(steps=5), SMALL]) == [5, 3]
    assert len(kept(tmp_path)) == 4
    keys = [work.key(item) for item in ((1,), (1.0,), ("1",), ([1],), (SMALL,), (None,), (True,))]
    assert len(set(keys)) == len(keys)


def test_other_code_does_not_find_it(tmp_path, monkeypatch):
    Work(tmp_path).map(fails_on_odd, [2])
    monkeypatch.setattr(work, "code_of", lambda *_: "other")
    Work(tmp_path).map(fails_on_odd, [2])
    assert len(kept(tmp_path)) == 2


def test_an_edit_of_what_arguments_only_name_makes_another_code(tmp_path, monkeypatch):
    """A part of R2 is given the word 'paper' for a schedule: its function does not reach that."""
    base = methods.BASE.replace(steps=2, eval_every=2, width=8)
    small = {"seeds": [700], "base": base, "work": Work(tmp_path / "kept")}
    claims.measure("R2", **small)
    before = kept(tmp_path / "kept")
    claims.measure("R2", **small)
    assert kept(tmp_path / "kept") == before
    ignored = shutil.ignore_patterns("__pycache__", "assets")
    root = shutil.copytree(ROOT / "src" / "bnlab", tmp_path / "bnlab", ignore=ignored)
    path = root / "chapters" / "batch_renorm" / "methods.py"
    old, new = "round(5000 * PAPER)", "round(6000 * PAPER)"
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    edited = provenance.code_meaning(claims.claim("R2").measure, root)
    monkeypatch.setattr(evidence, "code_meaning", lambda _start: edited)
    claims.measure("R2", **small)
    assert len(kept(tmp_path / "kept")) == 2 * len(before)


def test_the_types_of_arguments_count_without_a_claim(tmp_path, monkeypatch):
    Work(tmp_path).map(steps_of, [SMALL])
    monkeypatch.setattr(work, "code_meaning", lambda one: f"edited {one.__name__}")
    Work(tmp_path).map(steps_of, [SMALL])
    Work(tmp_path).map(fails_on_odd, [2])
    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize("before", [0, 1, 2])
def test_code_that_changes_during_a_measurement_is_not_vouched_for(before, tmp_path, monkeypatch):
    """Looked at at the start, when kept parts are looked up, and at the end."""
    looks = [digest._LOADED] * before + [{**digest._LOADED, "random.py": "edited"}] * 3
    monkeypatch.setattr(digest, "_read", lambda: looks.pop(0))
    with pytest.raises(
        CodeChangedError, match=r"changed while it was running; start again.*random"
    ):
        claims.measure("B8", seeds=[500], work=Work(tmp_path / "kept"))
    assert len(kept(tmp_path / "kept")) == (before == 2)


def test_trainings_are_those_of_train(tmp_path, pool):
    runs = [SMALL.replace(seed=seed, norm=norm) for norm in ("none", "batch") for seed in (1, 2)]
    for way in (HERE, Work(tmp_path, pool), Work(tmp_path)):
        for run, history in zip(runs, train_all(way, runs), strict=True):
            assert history.run == run
            assert history.loss.tobytes() == train(run, device="cpu").loss.tobytes()


def test_a_killed_process_resumes_and_computes_only_what_is_missing(tmp_path):
    """The part in the middle of which it was killed is measured again, those before are not."""
    log = tmp_path / "log"
    code = """
        import sys
        from pathlib import Path
        from tests.verdicts.measured_parts import dies
        from bnlab.verdicts.work import Work
        Work(Path(sys.argv[1])).starmap(dies, [(sys.argv[2], n, 7 - n) for n in range(5)])
    """
    process = python(code, tmp_path / "kept", log)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    assert called(log) == ["0 7", "1 6"]
    log.with_suffix(".again").touch()
    resumed = Work(tmp_path / "kept")
    found = resumed.starmap(dies, plan(log))
    assert called(log) == ["0 7", "1 6", "2 5", "3 4", "4 3"], "each once"
    assert found == HERE.starmap(numbers, plan(tmp_path / "other"))
    seconds = resumed.seconds
    assert seconds > 0
    resumed.starmap(dies, plan(log))
    assert resumed.seconds == 2 * seconds, "kept or computed, a part counts with its own seconds"
    resumed.forget()
    assert not (tmp_path / "kept").exists()


def test_a_killed_measurement_of_a_claim_resumes(tmp_path, capsys):
    """The command, killed as soon as two of eight seeds are there, and called again."""
    arguments = ["measure", "B8", "--seeds", "500-507", "--output", str(tmp_path)]
    process = python(
        "import sys; from bnlab.claims.__main__ import main; main(sys.argv[1:])", *arguments
    )
    folder, end = tmp_path / ".unfinished" / "B8", time.monotonic() + 120
    while len(kept(folder)) < 2 and time.monotonic() < end and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)
    before = kept(folder)
    assert 2 <= len(before) < 8 and not (tmp_path / "B8.json").exists()
    claim, seeds = claims.claim("B8"), range(500, 508)
    resumed = claims.measure("B8", seeds=seeds, work=Work(folder))
    after = kept(folder)
    assert {path: after[path] for path in before} == before and len(after) == 8
    assert resumed.data == claims.measure("B8", seeds=seeds).data
    assert resumed.meta["seconds"] > 0
    assert main(arguments) == 0
    assert "row: resumes, 8 of 8 are there already" in capsys.readouterr().out
    assert not folder.exists() and not folder.parent.exists(), "the evidence is written"
    assert evidence.load(claim, tmp_path).data == resumed.data


def test_a_damaged_result_is_measured_again_and_said(tmp_path):
    Work(tmp_path).map(steps_of, [SMALL, SMALL.replace(steps=4)])
    first, second = sorted(kept(tmp_path))
    first.write_text(first.read_text()[:40])
    payload = read_object(second)
    second.write_text(second.read_text().replace(payload["result"]["value"], "9", 1))
    with pytest.warns(UserWarning, match="2 of the results .* computed again"):
        assert Work(tmp_path).map(steps_of, [SMALL, SMALL.replace(steps=4)]) == [3, 4]
    assert Work(tmp_path).map(steps_of, [SMALL]) == [3]


def test_what_fails_is_named_and_the_rest_is_kept(tmp_path, pool):
    with pytest.raises(ZeroDivisionError):
        HERE.map(fails_on_odd, [0, 1])
    for way in (Work(tmp_path / "a"), Work(tmp_path / "b", pool)):
        with pytest.raises(PartsFailedError, match="1 of 3 parts of fails_on_odd failed") as error:
            way.map(fails_on_odd, [0, 1, 2])
        assert "1 is odd" in str(error.value) and len(kept(way.folder)) == 2


def test_the_rest_is_not_tried_when_the_first_parts_fail(tmp_path, pool):
    for way in (Work(tmp_path / "a"), Work(tmp_path / "b", pool)):
        with pytest.raises(PartsFailedError, match=r"the first 3 of 50 parts .*: stopped") as error:
            way.map(fails_on_odd, range(1, 101, 2))
        assert len(error.value.failures) == 3
    Work(tmp_path / "a").map(fails_on_odd, [2])
    with pytest.raises(PartsFailedError, match=r"50 of 51 parts .* the others are done"):
        Work(tmp_path / "a").map(fails_on_odd, [2, *range(1, 101, 2)])


def test_a_failure_names_what_is_special_of_its_run(tmp_path):
    with pytest.raises(PartsFailedError, match=r"Run\(depth=1, width=8, steps=3\), 'no', 'cpu': "):
        train_all(Work(tmp_path), [SMALL], "no")


def test_the_seconds_of_a_resumed_measurement_are_those_of_its_parts(tmp_path):
    there = Work(tmp_path)
    first = claims.measure("B8", seeds=range(500, 504), work=there).meta["seconds"]
    assert first > 0
    assert claims.measure("B8", seeds=range(500, 504), work=there).meta["seconds"] == first


def test_forgetting_leaves_the_parts_of_other_claims(tmp_path):
    one, other = Work(tmp_path / "parts" / "one"), Work(tmp_path / "parts" / "other")
    for way in (one, other):
        way.map(fails_on_odd, [2])
    one.forget()
    assert not one.folder.exists() and len(kept(other.folder)) == 1
    other.forget()
    other.forget()
    assert not (tmp_path / "parts").exists()


def test_a_damaged_part_is_not_said_to_be_there(tmp_path, capsys):
    Work(tmp_path).map(fails_on_odd, [2, 4])
    sorted(kept(tmp_path))[0].write_text("{")
    with pytest.warns(UserWarning, match="1 of the results"):
        Work(tmp_path, progress=True).map(fails_on_odd, [2, 4])
    assert "resumes, 1 of 2 are there already" in capsys.readouterr().out


def test_what_cannot_be_found_again_is_refused():
    def inside(number):
        return number

    with pytest.raises(ValueError, match="at the top of a module"):
        HERE.map(inside, [1])
    with pytest.raises(ValueError, match="at the top of a module"):
        HERE.map(lambda number: number, [1])
    with pytest.raises(ValueError, match="arguments of work must be numbers"):
        HERE.map(fails_on_odd, [object()])


@pytest.mark.parametrize("name", ["R2", "R5"])
def test_methods_on_two_processes_are_trained_as_on_one(name, pool):
    """Their nets lie side by side: a method with its rates and seeds stays together."""
    base = methods.BASE.replace(steps=4, eval_every=4, width=8)
    small = {"seeds": [700, 701], "base": base}
    there = claims.measure(name, **small, work=Work(executor=pool))
    assert there.data == claims.measure(name, **small).data
    assert {row[-3] for row in there.data["rows"]} != {0.1}, "something was learned"
