import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.project.repository_files import ROOT

GIB = 2**30


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def pins(name):
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text(name), re.MULTILINE))


@pytest.fixture
def project(make, tmp_path, monkeypatch):
    """tools/make.py, working on an empty project in a temporary folder."""
    for name, path in {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "BUILD": tmp_path / "_build",
        "SITE": tmp_path / "_build" / "html",
        "ENV_STAMP": tmp_path / ".venv" / ".complete",
        "MODELS_STAMP": tmp_path / ".venv" / ".models",
        "SITE_STAMP": tmp_path / "_build" / ".complete",
    }.items():
        monkeypatch.setattr(make, name, path)
    (tmp_path / "requirements.txt").write_text("torch==1.2.3\n")
    (tmp_path / "book").mkdir()
    (tmp_path / "book" / "page.md").write_text("# Page\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "code.py").write_text("x = 1\n")
    return make


def script(path, body):
    """Write an executable shell script that stands for a Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


# ---- files that name each other


def test_every_requirement_is_pinned_and_locked_at_the_same_version():
    lines = text("requirements.txt").splitlines()
    assert lines[0] == "-c requirements.lock"
    wanted = [line for line in lines[1:] if line and not line.startswith("#")]
    direct, locked = pins("requirements.txt"), pins("requirements.lock")
    assert len(direct) == len(wanted)
    assert {name: locked.get(name) for name in direct} == direct


def test_the_lock_holds_for_every_machine():
    lines = text("requirements.lock").splitlines()
    assert len(pins("requirements.lock")) == len(lines)
    assert [line for line in lines if "+" in line or line.startswith(("bnlab", "nvidia"))] == []


def test_make_knows_every_target_and_only_those(make):
    makefile = re.search(r"^TARGETS := (.*)$", text("Makefile"), re.MULTILINE).group(1).split()
    assert sorted(makefile) == sorted(make.TARGETS)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        ".ci/run",
        *sorted(
            path.relative_to(ROOT).as_posix() for path in (ROOT / ".github/workflows").glob("*.yml")
        ),
    ],
)
def test_commands_that_are_named_exist(make, name):
    content = text(name)
    if name.endswith(".md"):  # only what is set as code
        content = "\n".join(re.findall(r"`([^`]+)`", content))
    for target in re.findall(r"^[^#\n]*?\bmake ([a-z]+)\b", content, re.MULTILINE):
        assert target in make.TARGETS
    for path in re.findall(r"\b((?:tools|tests|book|src|assets)/[\w/.-]*\w)", content):
        assert (ROOT / path).exists() or "NN" in path, path


def test_workflows_run_on_what_they_should():
    found = {}
    for path in (ROOT / ".github/workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        found[path.stem] = set(workflow[True])  # YAML 1.1 reads `on` as true
        uses = re.findall(r"uses: (\S+)", path.read_text(encoding="utf-8"))
        assert [use for use in uses if not re.fullmatch(r"[\w/-]+@v\d+", use)] == []
    assert {"push", "pull_request"} <= found["test"]
    assert "push" in found["pages"]
    assert "schedule" in found["weekly"]


def test_the_check_script_can_be_run():
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"]).returncode == 0


def test_what_make_says_of_tests_and_of_the_site_is_so(make):
    assert [name for name in make.NEED_SITE if not (ROOT / name).exists()] == []
    config = yaml.safe_load(text("_config.yml"))
    assert str(config["execute"]["timeout"]) == make.CELL_TIMEOUT


def test_the_check_script_knows_where_the_tests_begin():
    (begun,) = re.findall(r"^begun='\^(.+)'$", text(".ci/run"), re.MULTILINE)
    assert f'say("{begun}' in text("tools/make.py")


# ---- Python and disk that will not do


def test_a_python_that_is_too_old_is_named(project, tmp_path):
    old = script(tmp_path / "old-python", "echo 3 9")
    with pytest.raises(project.Stop, match=r"Python 3\.9 is too old: install Python 3\.11"):
        project.find_python([old])


def test_a_python_without_venv_is_named(project, tmp_path):
    bare = script(tmp_path / "bare-python", "echo 3 11 ensurepip")
    with pytest.raises(project.Stop, match="apt install python3-venv"):
        project.find_python([bare])


def test_a_good_python_is_found_behind_bad_ones(project, tmp_path):
    old = script(tmp_path / "old-python", "echo 3 9")
    broken = script(tmp_path / "broken-python", "exit 1")
    assert project.find_python(["no-such-python", old, broken, sys.executable]) == sys.executable


def test_a_full_disk_is_named(project, monkeypatch):
    monkeypatch.setattr(project.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 0))
    with pytest.raises(project.Stop, match=r"Not enough disk space .* 0\.0 GB free, 3\.0 GB"):
        project.env()


def test_a_failing_pip_is_one_sentence_and_leaves_no_stamp(project, tmp_path, capsys):
    script(tmp_path / ".venv/bin/python", '[ "$1" = -c ] && exit 0; echo "ERROR: no torch"; exit 1')
    stamp = {"packages": "old", "place": str(tmp_path)}
    project.ENV_STAMP.write_text(json.dumps(stamp))
    project.TARGETS["env"] = project.env
    assert project.main(["env"]) == 1
    told = capsys.readouterr().err.strip()
    assert "ERROR: no torch" in told and "run the same command again" in told
    assert "\n" not in told
    assert not project.ENV_STAMP.exists()


def test_no_python_at_all_is_a_sentence():
    done = subprocess.run(
        ["make", "env", "PYTHON="], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "install Python 3.11 or newer" in done.stderr


# ---- what is whole and what is not


def build(status, calls, of="build"):
    """Stand for the running of notebooks and for the build, the last of which ends with a status.

    Notes the calls of `jupyter-book build`. With of="book", the notebooks end with that status.
    """

    def run(*arguments, **_):
        if "build" in arguments:
            calls.append(arguments)
        if of not in arguments:
            return 0
        if isinstance(status, BaseException):
            raise status
        return status

    return run


def built(project, calls, monkeypatch):
    monkeypatch.setattr(project, "run", build(0, calls))
    project.BUILD.mkdir(exist_ok=True)
    project.site()
    project.SITE.mkdir(exist_ok=True)
    (project.SITE / "index.html").write_text("")


@pytest.fixture
def calls(project, monkeypatch):
    """Stand in for the build, which other tests run; here only the stamps matter."""
    made = []
    original = project.write_stamp

    def write_stamp(path, content):
        path.parent.mkdir(exist_ok=True)
        original(path, content)

    monkeypatch.setattr(project, "write_stamp", write_stamp)
    return made


def test_an_unchanged_site_is_not_built_again(project, calls, monkeypatch):
    built(project, calls, monkeypatch)
    project.site()
    assert len(calls) == 1


@pytest.mark.parametrize("broken", [1, KeyboardInterrupt()])
@pytest.mark.parametrize("of", ["book", "build"])
def test_a_build_that_did_not_end_well_is_never_taken_for_whole(
    project, calls, monkeypatch, broken, of
):
    built(project, calls, monkeypatch)
    (project.ROOT / "src" / "code.py").write_text("x = 2\n")
    monkeypatch.setattr(project, "run", build(broken, calls, of))
    with pytest.raises((project.Stop, KeyboardInterrupt)):
        project.site()
    assert len(calls) == {"book": 1, "build": 2}[of]  # no site without its notebooks
    assert not project.SITE_STAMP.exists()
    project.BUILD.mkdir(exist_ok=True)
    (project.BUILD / "half").write_text("")
    built(project, calls, monkeypatch)
    assert len(calls) == {"book": 2, "build": 3}[of]
    assert not (project.BUILD / "half").exists()


def test_changed_code_starts_from_nothing_and_a_changed_page_keeps_the_outputs(
    project, calls, monkeypatch
):
    built(project, calls, monkeypatch)
    kept = project.BUILD / ".jupyter_cache"
    kept.write_text("")
    (project.ROOT / "book" / "page.md").write_text("# Other\n")
    built(project, calls, monkeypatch)
    assert kept.exists()
    (project.ROOT / "src" / "code.py").write_text("x = 3\n")
    built(project, calls, monkeypatch)
    assert not kept.exists()
    assert len(calls) == 3


def test_a_site_whose_notebooks_have_all_been_run_is_built(project, calls, monkeypatch):
    monkeypatch.setattr(project, "run", build(project.NO_TESTS, calls, "book"))
    project.site()
    assert len(calls) == 1


def test_caches_of_tools_do_not_make_a_site_stale(project):
    before = project.digest("src")
    cache = project.ROOT / "src" / "__pycache__"
    cache.mkdir()
    (cache / "code.pyc").write_text("")
    assert project.digest("src") == before
    (project.ROOT / "src" / "new.py").write_text("")
    assert project.digest("src") != before


# ---- which tests are run, and how


@pytest.fixture
def asked(project, monkeypatch):
    """What `make test` with some arguments does: whether it builds the site, pytest's words."""
    for name in ("tests/norms", "tests/web", "tests/project", "book/solutions"):
        (project.ROOT / name).mkdir(parents=True)
    for name in ("tests/project/test_site.py", "tests/project/test_vendor.py", "book/a.ipynb"):
        (project.ROOT / name).write_text("")

    def ask(*arguments):
        built, commands = [], []
        monkeypatch.setattr(project, "env", lambda: None)
        monkeypatch.setattr(project, "models", lambda: None)
        monkeypatch.setattr(project, "site", lambda: built.append(True))
        monkeypatch.setattr(project, "run", lambda *words, **_: commands.append(words) and 0)
        monkeypatch.setattr(project.os, "cpu_count", lambda: 2)
        project.test(*arguments)
        (words,) = [words for words in commands if "pytest" in words]
        return bool(built), words

    return ask


def workers(words):
    return words[words.index("-n") + 1]


@pytest.mark.parametrize("arguments", [(), ("-k", "batch"), ("-k", "book"), ("tests",), ("-x",)])
def test_all_tests_run_side_by_side_on_a_new_site(asked, arguments):
    site, words = asked(*arguments)
    assert site and workers(words) == "2"
    assert words[-1] == (arguments or ["tests"])[-1]
    assert "no:nbval" in words  # the site's build has run the notebooks


@pytest.mark.parametrize(
    ("paths", "needed"),
    [
        (["tests/norms"], False),
        (["./tests/norms/", "-k", "web"], False),
        (["tests/norms", "tests/web"], True),
        (["tests/web::test_page"], True),
        (["tests/project"], True),
        (["tests/project/test_site.py"], True),
        (["tests/project/test_vendor.py"], False),
    ],
)
def test_some_tests_start_at_once_and_have_a_site_if_they_need_it(asked, paths, needed):
    site, words = asked(*paths)
    assert site == needed and workers(words) == "0"
    assert words[-len(paths) :] == tuple(paths)
    assert "no:nbval" in words
    assert ("no:playwright" in words) == ("web" not in paths[-1] or "-k" in paths)


@pytest.mark.parametrize(
    ("path", "processes"), [("book", "2"), ("book/a.ipynb", "0"), ("book/solutions", "0")]
)
def test_notebooks_that_are_named_run_through_nbval_without_a_site(asked, path, processes):
    site, words = asked(path)
    assert not site and workers(words) == processes
    assert "--nbval-lax" in words and "no:nbval" not in words


def test_unknown_targets_are_answered(make, capsys):
    assert make.main(["boook"]) == 2
    assert "book" in capsys.readouterr().out


def test_make_runs_on_old_pythons():
    """The file must parse on the oldest Python that a machine may have, to say what is wrong."""
    import ast

    ast.parse(Path(ROOT / "tools/make.py").read_text(encoding="utf-8"), feature_version=(3, 7))


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGSEGV)", "time.sleep(600)"])
def test_a_test_that_dies_or_never_ends_ends_the_run_and_is_named(project, monkeypatch, capfd, end):
    """xdist would start another worker, and then wait for ever or fail without a word of it."""
    monkeypatch.setattr(project, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setattr(project, "STUCK", 5)
    monkeypatch.setattr(project, "TEST_LIMIT", 240)
    tests = project.ROOT / "tests"
    tests.mkdir()
    (tests / "test_a.py").write_text(
        f"import os, signal, time\n\n\ndef test_before(): pass\n\n\ndef test_that_ends(): {end}\n"
    )
    for name in "bcde":
        (tests / f"test_{name}.py").write_text("def test_one(): pass\n\n\ndef test_two(): pass\n")
    assert project.pytest("-p", "no:cacheprovider", "tests") != 0
    out = capfd.readouterr().out
    assert re.search(r"crashed while running '\S*test_a.py::test_that_ends'", out)
    assert "took longer than" not in out
