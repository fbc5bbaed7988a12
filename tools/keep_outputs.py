"""A plugin of pytest: keeps what nbval's run of a notebook puts out, for the site to show.

    python -m pytest -p tools.keep_outputs --nbval-lax book

nbval runs every cell as a test. Here its kernel hands each message on to nbclient, which makes
outputs and states of widgets of them, as it does when jupyter-book itself executes a notebook. A
notebook whose cells all pass goes into the cache in which the build of the site looks before it
executes anything. Notebooks that are in the cache already are not run again.
"""

import contextlib
import copy
import time
from collections import Counter
from pathlib import Path
from queue import Empty

import nbformat
import nbval.plugin
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbval.kernel import RunningKernel

SLOWEST = 10
ALIVE = 1.0  # seconds between two looks at a kernel that has not answered


@contextlib.contextmanager
def cache(config: pytest.Config):
    """Open jupyter-book's cache of executed notebooks."""
    found = get_cache(config.rootpath / "_build" / ".jupyter_cache")
    try:
        yield found
    finally:
        found.db.dispose()


class Record:
    """What one run of a notebook puts out, collected as nbclient does."""

    def __init__(self, notebook: nbformat.NotebookNode, kernel: RunningKernel) -> None:
        self.notebook = copy.deepcopy(notebook)
        self.code = [i for i, c in enumerate(self.notebook.cells) if c.cell_type == "code"]
        for index in self.code:
            self.notebook.cells[index].outputs = []
        self.client = NotebookClient(self.notebook, record_timing=False)
        self.client.reset_execution_trackers()
        self.client.kc = kernel.kc
        self.client.clear_before_next_output = False
        self.started = time.monotonic()
        self.passed = 0  # cells

    def hear(self, message: dict) -> None:
        """Add a message of the cell that comes after those that have passed."""
        index = self.code[self.passed]
        if "execution_count" in message["content"]:  # nbval's kernels do not count
            message["content"]["execution_count"] = self.passed + 1
        with contextlib.suppress(CellExecutionComplete):
            self.client.process_message(message, self.notebook.cells[index], index)

    def pass_cell(self) -> bool:
        """Go on to the next cell; return whether that was the last one."""
        self.passed += 1
        self.client.clear_before_next_output = False
        return self.passed == len(self.code)

    def keep(self, path: Path, config: pytest.Config) -> None:
        """Put the executed notebook into the cache."""
        self.client.set_widgets_metadata()
        answer = self.client.kc.kernel_info(reply=True, timeout=60)
        self.notebook.metadata.language_info = answer["content"]["language_info"]
        seconds = {"execution_seconds": time.monotonic() - self.started}
        bundle = CacheBundleIn(self.notebook, str(path), data=seconds)
        with cache(config) as kept:
            kept.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


class RecordedKernel(RunningKernel):
    """nbval's kernel, whose messages are heard and whose death is noticed."""

    asked = None
    record = None

    def __init__(self, *arguments: object, **options: object) -> None:
        """Start it; once more if it dies at once, as when its port was taken by another one."""
        try:
            super().__init__(*arguments, **options)
        except RuntimeError:
            super().__init__(*arguments, **options)

    def execute_cell_input(self, cell_input: str, allow_stdin: bool | None = None) -> str:
        """Ask for a cell and remember the question, to know its answers."""
        self.asked = super().execute_cell_input(cell_input, allow_stdin)
        return self.asked

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        """Return the next message; the record hears those of the cell."""
        message = super().get_message(stream, timeout)
        asked = message["parent_header"].get("msg_id")
        if self.record and stream == "iopub" and asked == self.asked:
            self.record.hear(message)
        return message

    def await_reply(self, msg_id: str, timeout: float | None = None) -> None:
        """Wait for the answer, but no longer than the kernel lives."""
        end = time.monotonic() + (timeout or float("inf"))
        while True:
            with contextlib.suppress(Empty):
                return super().await_reply(msg_id, ALIVE)
            if not self.is_alive():
                raise RuntimeError("The kernel died in this cell.")
            if time.monotonic() > end:
                raise Empty


def pytest_configure(config: pytest.Config) -> None:
    """Give nbval the kernel, and make the cache before two processes would."""
    nbval.plugin.RunningKernel = RecordedKernel
    with cache(config):
        """Opening it makes it."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Pass over a notebook that is in the cache."""
    if collection_path.suffix != ".ipynb":
        return None
    notebook = nbformat.read(collection_path, as_version=4)
    with cache(config) as kept, contextlib.suppress(KeyError):
        kept.match_cache_notebook(notebook)
        return True
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """Record a cell, and keep the notebook when its last cell has passed."""
    if not isinstance(item, nbval.plugin.IPyNbCell):
        return (yield)
    kernel = item.parent.kernel
    if kernel.record is None:
        kernel.record = Record(item.parent.nb, kernel)
    result = yield
    if kernel.record.pass_cell():
        kernel.record.keep(item.path, item.config)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which notebooks took longest."""
    seconds: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            name = getattr(report, "nodeid", "").split("::")[0]
            if name.endswith(".ipynb") and isinstance(report, pytest.TestReport):
                seconds[name] += report.duration
    if seconds:
        terminalreporter.section(f"slowest {SLOWEST} notebooks")
    for name, total in seconds.most_common(SLOWEST):
        terminalreporter.write_line(f"{total:.2f}s {name}")
