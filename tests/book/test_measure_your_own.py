"""The page for researchers: only names that exist, a net of the reader's, no number typed in."""

import json
import re
from pathlib import Path

from bnlab import measure
from bnlab.show.compatibility import TABLE

PAGE = Path(__file__).parents[2] / "book" / "measure_your_own.ipynb"
CELLS = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]


def cells(kind):
    return ["".join(cell["source"]) for cell in CELLS if cell["cell_type"] == kind]


def test_every_measurement_it_names_can_be_called():
    text = "\n".join(cells("markdown") + cells("code"))
    named = set(re.findall(r"\bmeasure\.(\w+)", text)) | set(re.findall(r"`(measure_\w+)`", text))
    table = "\n".join(line for line in text.splitlines() if line.startswith("| "))
    named |= set(re.findall(r"`(\w+)`", table))
    assert len(named) >= 10
    assert [name for name in sorted(named) if not callable(getattr(measure, name, None))] == []


def test_the_measurements_take_ten_lines():
    (cell,) = [c for c in cells("code") if c.startswith("from bnlab import measure\n")]
    lines = [line for line in cell.splitlines() if line]
    assert len(lines) == 10
    assert sum("measure.measure_" in line for line in lines) >= 6


def test_the_first_net_has_nothing_of_this_package():
    nets = [c for c in cells("code") if "nn.Module" in c or "net = nn.Sequential" in c]
    assert len(nets) >= 2
    assert not any("bnlab.nets" in c or "bnlab.norms" in c for c in nets)
    assert any("nn.BatchNorm2d" in c for c in nets)


def test_prose_states_no_measured_number():
    text = "\n".join(cells("markdown"))
    assert re.findall(r"\d+\.\d+|\d+ ?%", text) == []


def test_cells_fit_a_page():
    code = cells("code")
    imports = re.findall(r"^(?:from|import) ([\w.]+)", "\n".join(code), re.M)
    found = {name.split(".")[0] for name in imports}
    assert found <= {"bnlab", "torch", "sys"}
    assert all(len(c.splitlines()) <= 15 for c in code)
    assert all(len(line) <= 76 for c in code[1:] for line in c.splitlines())


def test_it_shows_what_was_left_out_and_the_table_of_other_libraries():
    code = "\n".join(cells("code"))
    for shown in (".covered", ".left_out", "register_norm(", "show.compatibility()"):
        assert shown in code, shown
    prose = "\n".join(cells("markdown"))
    assert "#models-of-other-libraries" in prose and "## Models of other libraries" in prose
    for library in json.loads(TABLE.read_text(encoding="utf-8"))["versions"]:
        assert library in prose.lower() or library == "torch"
