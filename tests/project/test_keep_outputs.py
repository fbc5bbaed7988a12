"""Notebooks run once, by nbval, and the site shows what that run put out."""

import os
import re
import shutil
import subprocess
import sys
import warnings

import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.executors.utils import single_nb_execution
from nbformat import v4

from tests.project.repository_files import ROOT
from tools import keep_outputs

WIDGET = """\
import anywidget, traitlets
class Knob(anywidget.AnyWidget):
    _esm = "export default {}"
    value = traitlets.Int(3).tag(sync=True)
knob = Knob()
knob"""
CELLS = {
    "shows": [
        WIDGET,
        "knob.value = 5\nprint('out')\nimport sys; print('err', file=sys.stderr)",
        "shown = display(1, display_id='one')\nshown.update(2)",
        "from IPython.display import clear_output\nprint('a'); clear_output(wait=True)",
        "print('b')\n2 + 3",
    ],
    "waits": ["open('waited', 'a').write('x')", "import time\ntime.sleep(0.1)"],
    "fails": ["x = 6", "x / 0", "print('after')"],
    "dies": ["import os\nos._exit(1)", "1"],
}


LONGEST = 240  # seconds; the notebooks take about 10
STUCK = ("-o", "faulthandler_timeout=100", "-o", "faulthandler_exit_on_timeout=true")


def run(folder, *arguments):
    """Run pytest with the plugin on the notebooks of a folder.

    What hangs, says where and ends, instead of holding up all tests.
    """
    plugin = ["-p", "tools.keep_outputs", "--nbval-lax", "--nbval-current-env", "--color", "no"]
    plugin += ["--nbval-cell-timeout", "60", *STUCK]
    command = [sys.executable, "-m", "pytest", *plugin, "-W", "error", "-v", *arguments, "book"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, timeout=LONGEST
    )
    return done.returncode, done.stdout + done.stderr


def kept(folder, name):
    """The notebook as a page shows it."""
    notebook = nbformat.read(folder / "book" / f"{name}.ipynb", as_version=4)
    return get_cache(folder / "_build/.jupyter_cache").merge_match_into_notebook(notebook)[1]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A folder of notebooks that have been run by two processes, and what those said.

    Once in some thousand starts a kernel and its client wait for each other for ever: then once
    more.
    """
    folder, status, said = run_all(tmp_path_factory.mktemp("lab"))
    if "Timeout (" in said:
        warnings.warn(f"a kernel hung:\n{said}", stacklevel=1)
        return run_all(tmp_path_factory.mktemp("again"))
    return folder, status, said


def run_all(folder):
    """Write ``CELLS`` as notebooks and run them."""
    (folder / "book").mkdir()
    (folder / "pytest.ini").write_text("[pytest]\n")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    for name, sources in CELLS.items():
        cells = [v4.new_markdown_cell("# Title"), *map(v4.new_code_cell, sources)]
        notebook = v4.new_notebook(cells=cells, metadata=kernel)
        nbformat.write(notebook, folder / "book" / f"{name}.ipynb")
    return folder, *run(folder, "-n", "2", "--dist", "loadfile")


def test_notebooks_run_side_by_side_and_the_slowest_are_named(first):
    _, status, said = first
    assert status == 1
    assert {*re.findall(r"\[(gw\d)\]", said)} == {"gw0", "gw1"}
    for name in CELLS:
        assert len({*re.findall(rf"\[(gw\d)\].* book/{name}\b", said)}) == 1
        assert re.search(rf"slowest 10 notebooks =[\s\S]*\d\.\d\ds book/{name}\.ipynb", said)


def test_a_failing_cell_is_shown_with_its_traceback_and_keeps_nothing(first):
    folder, _, said = first
    plain = re.sub(r"\x1b\[\d+m", "", said)
    assert "Cell 1: Cell execution caused an exception\n\nInput:\nx / 0" in plain
    assert "ZeroDivisionError: division by zero" in plain
    with pytest.raises(KeyError):
        kept(folder, "fails")


def test_a_kernel_that_dies_is_named_at_once(first):
    _, _, said = first
    assert re.search(r"book/dies\.ipynb::Cell 0[\s\S]*The kernel died in this cell", said)


def test_a_kernel_whose_port_was_taken_is_started_once_more(monkeypatch):
    starts = []

    def start(self, *arguments, **options):
        starts.append((arguments, options))
        if len(starts) != 2:
            raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(keep_outputs.RunningKernel, "__init__", start)
    keep_outputs.RecordedKernel("python3", cwd="book")
    assert starts == [(("python3",), {"cwd": "book"})] * 2
    starts += starts
    with pytest.raises(RuntimeError, match="Kernel died"):
        keep_outputs.RecordedKernel("python3")


def comparable(notebook):
    """A notebook's text with its models numbered in the order of their names."""
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    text = nbformat.writes(notebook)
    text = re.sub(r"object at 0x[0-9a-f]+", "object", text)
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    by_name = sorted(widgets, key=lambda model: widgets[model]["model_name"])
    for number, model in enumerate(by_name):
        text = text.replace(model, f"model {number}")
    return sorted(text.splitlines())


def test_what_is_kept_is_what_the_build_of_the_site_would_have_made(first):
    folder, _, _ = first
    path = folder / "book" / "shows.ipynb"
    made = single_nb_execution(
        nbformat.read(path, as_version=4), cwd=str(path.parent), timeout=60, allow_errors=False
    ).nb
    found = kept(folder, "shows")
    assert "widgets" in found.metadata and found.metadata.language_info.name == "python"
    assert [c.execution_count for c in found.cells if c.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert comparable(found) == comparable(made)


def test_only_a_changed_notebook_runs_again(first, tmp_path):
    folder = shutil.copytree(first[0], tmp_path / "lab")
    for name in ("fails", "dies"):
        (folder / "book" / f"{name}.ipynb").unlink()
    assert (folder / "book/waited").read_text() == "x"
    status, said = run(folder)
    assert status == 5 and "no tests ran" in said
    path = folder / "book/waits.ipynb"
    path.write_text(path.read_text().replace("time.sleep(0.1)", "time.sleep(0.2)"))
    status, said = run(folder)
    assert status == 0 and "2 passed" in said
    assert (folder / "book/waited").read_text() == "xx"
    assert "sleep(0.2)" in nbformat.writes(kept(folder, "waits"))
