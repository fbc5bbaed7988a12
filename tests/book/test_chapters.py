"""What every chapter holds, and where its numbers come from."""

import ast
import json
import re
from pathlib import Path

import pytest

BOOK = Path(__file__).parents[2] / "book"
CLAIMS = BOOK.parent / "src" / "bnlab" / "chapters"
SCOREBOARD = "13_scoreboard"  # not a chapter about a claim: see test_scoreboard_page.py
CHAPTERS = [path for path in sorted(BOOK.glob("[0-9]*.ipynb")) if path.stem != SCOREBOARD]
WITHOUT_CLAIMS = ("01_the_family",)  # chapters that explain what the others test
TESTING = [path for path in CHAPTERS if path.stem not in WITHOUT_CLAIMS]
PARTS = (
    "What the paper",
    "Things to try",
    "What is disputed",
    "Exercises",
    "Take-away",
    "Scale up",
)
SAID = ("say", "in_short")  # what prints sentences; a reader reads them like the others


def cells(path, kind):
    return [
        "".join(cell["source"])
        for cell in json.loads(path.read_text())["cells"]
        if cell["cell_type"] == kind
    ]


def prose(path):
    """Markdown without code, formulas, links and solutions."""
    text = "\n\n".join(cells(path, "markdown"))
    for pattern in (
        r"```.*?```",
        r"<details>.*?</details>",
        r"\$\$.*?\$\$",
        r"\$.*?\$",
        r"`[^`]*`",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)", "]", text)


def said(path):
    """The sentences that code prints."""
    found = []
    for source in cells(path, "code"):
        if source.startswith("import sys"):
            continue  # the install cell is no Python
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "").startswith(SAID):
                given = [*node.args, *(keyword.value for keyword in node.keywords)]
                found += [part.value for part in given if isinstance(part, ast.Constant)]
    return " ".join(text for text in found if isinstance(text, str) and " " in text)


def code_lines(source):
    """Its lines but for imports, comments and empty ones."""
    lines = [line.strip() for line in source.splitlines()]
    return [one for one in lines if one and not one.startswith(("#", "from ", "import "))]


def tagged(path, tag):
    """Code cells with a tag."""
    every = json.loads(path.read_text())["cells"]
    return ["".join(c["source"]) for c in every if tag in c["metadata"].get("tags", ())]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_the_template_is_complete(path):
    headings = re.findall(r"^#+ (.*)$", prose(path), re.M)
    assert headings[0].endswith("?"), "a chapter's title is a question"
    for part in PARTS:
        assert any(h.startswith(part) for h in headings), f"no section '{part}'"
    text = prose(path)
    assert "For the lecturer" in text and "**Takes**" in text
    solution = BOOK / "solutions" / path.name
    assert solution.is_file() and f"solutions/{path.name}" in "\n".join(cells(path, "markdown"))


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_a_chapter_is_read_in_half_an_hour(path):
    """In all words that a reader reads, but for solutions and boxes."""
    assert 1200 <= len(f"{prose(path)} {said(path)}".split()) <= 1800


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_the_answer_comes_first_then_the_hook_then_the_paper(path):
    every = json.loads(path.read_text())["cells"]
    sources = ["".join(cell["source"]) for cell in every]
    assert re.fullmatch(r"# .*\?", sources[1].strip()), "the title stands alone"
    assert sources[2].startswith("from bnlab import") and "show.in_short(" in sources[2]
    assert sources[3].startswith("**Takes**")
    paper = next(i for i, one in enumerate(sources) if re.search("^## What the paper", one, re.M))
    assert any(re.search(r"show\.plot|from bnlab\.lab", one) for one in sources[4:paper]), "no hook"


@pytest.mark.parametrize("path", TESTING, ids=lambda p: p.stem)
def test_the_small_run_is_folded_and_the_distance_from_the_paper_told_once(path):
    code = cells(path, "code")
    folded = tagged(path, "hide-cell")
    assert [one for one in code if "claims.measure(" in one and one not in folded] == []
    told = re.findall(r"show\.how_far\((.*?)\)", "\n".join(code), re.DOTALL)
    assert len(told) == 1
    boxes = set(re.findall(r'verdict_box\("(\w+)"', "\n".join(code)))
    assert boxes <= set(re.findall(r'"(\w+)"', told[0]))


@pytest.mark.parametrize("path", TESTING, ids=lambda p: p.stem)
def test_the_teaching_code_is_short_and_held_against_the_package(path):
    """By a test of the chapter, tests/chapters/NAME/test_teaching.py."""
    found = tagged(path, "teaching")
    assert found and all(len(code_lines(one)) <= 10 for one in found)
    own = BOOK.parent / "tests" / "chapters" / path.stem[3:] / "test_teaching.py"
    assert '"teaching"' in own.read_text()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_prose_states_no_measured_number(path):
    """A decimal or a percentage in Markdown is a setting that code sets too, or the paper's own."""
    code = "\n".join(cells(path, "code")) + "".join(p.read_text() for p in CLAIMS.rglob("*.py"))
    for paragraph in prose(path).split("\n\n"):
        if "paper's figure" in paragraph or "arXiv" in paragraph:
            continue  # the paper's own numbers, said to be so; and references
        for number in re.findall(r"\d+\.\d+|\d+ ?%", paragraph):
            assert number in code, f"{number!r} in: {paragraph[:90]}"


@pytest.mark.parametrize("path", TESTING, ids=lambda p: p.stem)
def test_claims_have_their_boxes(path):
    code = "\n".join(cells(path, "code"))
    ids = re.findall(r'claim_box\("(\w+)"\)', code)
    assert ids
    for name in ids:
        assert f'verdict_box("{name}"' in code and f'claims.measure("{name}"' in code
    assert re.search(r'claims_table\("\w+"\)', code)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_exercises_have_their_checks_and_cells_are_short(path):
    code = "\n".join(cells(path, "code"))
    assert 2 <= len(set(re.findall(r'check\("(\d\d\.\d)"', code))) <= 4
    unseen = {*tagged(path, "remove-input"), *tagged(path, "remove-cell")}
    assert all(len(c.splitlines()) <= 12 for c in cells(path, "code") if c not in unseen)
    shown = [cell for cell in json.loads(path.read_text())["cells"] if not cell["metadata"]]
    for cell in shown:
        if cell["cell_type"] == "code":  # a page shows about 76 columns without scrolling
            assert max(map(len, "".join(cell["source"]).splitlines())) <= 76


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_chapters_import_little_and_touch_no_files(path):
    code = "\n".join(cells(path, "code"))
    allowed = {"bnlab", "numpy", "torch", "matplotlib", "sys", "inspect", "copy", "math"}
    found = {name.split(".")[0] for name in re.findall(r"^(?:from|import) ([\w.]+)", code, re.M)}
    assert found <= allowed
    assert not re.search(r"\bopen\(|\bPath\(|^!", code, re.M)


def test_every_source_in_the_bibliography_is_a_paper_with_an_address():
    text = (BOOK / "references.bib").read_text()
    entries = re.split(r"\n(?=@)", text.strip())
    assert len(entries) >= 9
    for entry in entries:
        for field in ("author", "title", "year", "url"):
            assert f"{field} = {{" in entry, entry.splitlines()[0]


def test_papers_of_the_claims_are_in_the_bibliography():
    from bnlab.claims import CLAIMS

    text = (BOOK / "references.bib").read_text()
    for claim in CLAIMS.values():
        assert f"{{{claim.paper}," in text
