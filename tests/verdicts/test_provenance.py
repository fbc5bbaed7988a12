"""The digest of the code that makes a claim's numbers: what changes it, and what does not."""

import ast
import functools
import re
import shutil

import pytest

from bnlab import claims
from bnlab.claims.__main__ import main
from bnlab.verdicts import audit
from bnlab.verdicts.evidence import results_folder
from bnlab.verdicts.provenance import ROOT, closure, code_meaning
from bnlab.verdicts.source_graph import Package
from bnlab.verdicts.source_modules import ProvenanceError

MEASURED = {name: item.measure for name, item in claims.CLAIMS.items() if item.measure}
SOME = ("B1", "B8", "R1")

SMALL = {
    "__init__.py": "",
    "show.py": "def draw(x):\n    return x\n",
    "base.py": '"""Constants."""\n\nWIDTH = 4\nUNUSED = 1\n',
    "nets.py": """
from math import floor

from lab.base import WIDTH


def grow(x: int) -> int:
    \"\"\"More.\"\"\"
    return floor(x + WIDTH)


class Net:
    width: int = 2

    def run(self, x):
        return grow(x)

    def plot(self):
        from lab.show import draw

        return draw(self)
""",
    "other.py": "def grow(x):\n    return x * 2\n",
    "claim.py": """
from lab.nets import Net


def measure(seeds=(1, 2)):
    return [Net().run(seed) for seed in seeds]
""",
}


@pytest.fixture
def lab(tmp_path):
    """Writes a small package, with other files than ``SMALL``, and names what it measures."""

    def digest(*replaced, texts=(), **files):
        root = tmp_path / f"v{len(list(tmp_path.iterdir()))}"
        content = SMALL | {f"{k}.py": v for k, v in files.items()} | dict(texts)
        for name, *change in replaced:
            assert change[0] in content[name]
            content[name] = content[name].replace(*change)
        for name, text in content.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return closure(("lab.claim", "measure"), root, "lab")

    return digest


def test_the_closure_holds_what_is_reached_and_nothing_else(lab):
    assert lab().units == {
        "lab.base": ("WIDTH",),
        "lab.claim": ("measure",),
        "lab.nets": ("Net", "grow"),
    }


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("nets.py", '"""More."""', '"""Much more."""  # or less'),
        ("nets.py", '    """More."""\n', ""),
        ("nets.py", "floor(x + WIDTH)", "floor(\n        (x + WIDTH)\n    )"),
        ("nets.py", "x: int) -> int", "x: float)"),
        ("base.py", "UNUSED = 1", "UNUSED = 2"),
        ("base.py", "UNUSED = 1", 'if __name__ == "__main__":\n    print(WIDTH)'),
        ("show.py", "return x", "return -x"),
    ],
)
def test_what_means_the_same_leaves_the_digest(lab, name, old, new):
    assert lab((name, old, new)).digest == lab().digest


REFUSING = {
    "arguments": "def checked(f):\n    return f\n\n\ndef require(x, why):\n    assert x, why\n"
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def grow", "@checked\ndef grow"),
        ("    return floor", '    require(x > 0, "x must be more than 0")\n    return floor'),
    ],
)
def test_to_refuse_an_argument_leaves_the_digest(lab, old, new):
    lines = "from math import floor\nfrom lab.arguments import checked, require"
    imported = ("nets.py", "from math import floor", lines)
    assert lab(imported, ("nets.py", old, new), **REFUSING).digest == lab().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def grow", "@twice\ndef grow"),
        ("    return floor", "    twice(x)\n    return floor"),
        ("    return floor", '    x = require(x, "it is changed")\n    return floor'),
    ],
)
def test_what_may_do_more_than_refuse_changes_it(lab, old, new):
    lines = "from math import floor\nfrom lab.arguments import require\nfrom lab.more import twice"
    files = {**REFUSING, "more": "def twice(f):\n    return f\n"}
    changed = lab(("nets.py", "from math import floor", lines), ("nets.py", old, new), **files)
    assert changed.digest != lab().digest


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("from lab import nets", "nets.Net"),
        ("from lab import nets as n", "n.Net"),
        ("from lab.nets import Net as N", "N"),
        ("import lab.nets", "lab.nets.Net"),
        ("import lab.nets as n", "n.Net"),
    ],
)
def test_how_a_name_is_imported_leaves_the_digest(lab, line, name):
    new = ("claim.py", "from lab.nets import Net", line), ("claim.py", "Net()", f"{name}()")
    assert lab(*new).digest == lab().digest
    outside = (
        ("nets.py", "from math import floor", "import math as m"),
        ("nets.py", "floor(", "m.floor("),
    )
    assert lab(*outside).digest == lab().digest


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("nets.py", "x + WIDTH", "x - WIDTH"),
        ("nets.py", "from math import floor", "from numpy import floor"),
        ("nets.py", "from math import floor", "from lab.other import grow as floor"),
        ("nets.py", "width: int = 2", "width: float = 2"),
        ("nets.py", "width: int = 2", "width: int = 3"),
        ("nets.py", "def run(self, x)", "def run(self, x, y=None)"),
        ("base.py", "WIDTH = 4", "WIDTH = 4.0"),
        ("base.py", "UNUSED = 1", "WIDTH += 1"),
        ("base.py", "UNUSED = 1", "for WIDTH in range(3):\n    print(WIDTH)"),
        ("claim.py", "seeds=(1, 2)", "seeds=(1, 3)"),
    ],
)
def test_what_means_something_else_changes_it(lab, name, old, new):
    assert lab((name, old, new)).digest != lab().digest


def test_which_of_two_functions_of_one_name_is_taken_counts(lab):
    """Both are reached, and only their places are swapped."""
    text = "from lab.{} import grow\nfrom lab.{} import grow as more\n\n\n"
    text += "def measure():\n    return grow(1) - more(2)\n"
    found = [lab(claim=text.format(*names)) for names in (("nets", "other"), ("other", "nets"))]
    assert found[0].units == found[1].units
    assert found[0].digest != found[1].digest


def test_a_function_may_move_through_a_reexport_and_a_relative_import(lab):
    there = {
        "deep/__init__": "from .inner import Net\n",
        "deep/inner": SMALL["nets.py"],
        "nets": "",
    }
    moved = lab(("claim.py", "lab.nets", "lab.deep"), **there)
    assert "lab.deep.inner" in moved.units
    assert moved.digest == lab().digest


def test_a_local_name_is_not_the_module_of_that_name(lab):
    text = "from lab import nets\nfrom lab.base import {}WIDTH\n\n\n"
    text += "def measure(nets, x):\n    return [WIDTH for WIDTH in nets.grow(x)]\n"
    assert list(lab(claim=text.format("")).units) == ["lab.claim"]
    outside = "from lab.base import WIDTH\n\n\ndef measure():\n"
    outside += "    return [WIDTH for WIDTH in (1, 2)] + [WIDTH]\n"
    assert list(lab(claim=outside).units) == ["lab.base", "lab.claim"]


def test_a_module_that_is_handed_on_counts_whole(lab):
    text = "from lab import base\n\n\ndef measure():\n    return vars(base)\n"
    found = lab(claim=text)
    assert found.units["lab.base"] == ("UNUSED", "WIDTH")
    assert lab(("base.py", "UNUSED = 1", "UNUSED = 2"), claim=text).digest != found.digest


def test_what_registers_on_import_counts(lab):
    """A decorator that fills a table, in a module that is imported for that alone."""
    table = "RULES = {}\n\n\ndef rule(f):\n    RULES[f.__name__] = f\n    return f\n"
    rules = "from lab.table import rule\n\n\n@rule\ndef plus(a, b):\n    return a + b\n"
    claim = "from lab import rules\nfrom lab.table import RULES\n\n\n"
    claim += "def measure():\n    return RULES['plus'](1, 2)\n"
    files = {"table": table, "rules": rules, "claim": claim}
    found = lab(**files)
    assert found.units["lab.rules"] == ("plus",)
    assert lab(("rules.py", "a + b", "a - b"), **files).digest != found.digest


def test_what_a_partial_fixes_counts():
    measure = MEASURED["L2"].func
    parts = [code_meaning(functools.partial(measure, part=one)) for one in ("cosine", "gradient")]
    assert len({*parts, code_meaning(measure)}) == 3
    assert code_meaning(MEASURED["L2"]) == parts[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import importlib\n\n\ndef measure():\n    importlib.import_module('x')\n", "by name"),
        ("def measure():\n    return __import__('x')\n", "lab.claim calls __import__"),
        ("from lab.nets import *\n", r"lab.claim imports \*"),
        ("from lab.nets import gone\n\n\ndef measure():\n    gone()\n", "does not define gone"),
        ("from lab.gone import x\n\n\ndef measure():\n    x()\n", "no module lab.gone"),
        ("def other():\n    pass\n", "no function 'measure'"),
    ],
)
def test_what_cannot_be_followed_is_an_error(lab, text, message):
    with pytest.raises(ProvenanceError, match=message):
        lab(claim=text)


def test_a_measurement_that_no_module_defines_is_refused():
    with pytest.raises(ProvenanceError, match="define one that measures"):
        code_meaning(lambda seeds: {})
    with pytest.raises(ProvenanceError, match="fix only numbers, words and tuples"):
        code_meaning(functools.partial(MEASURED["B8"], seeds=[1]))
    with pytest.raises(ProvenanceError, match="bnlab has no function"):
        code_meaning(functools.wraps)


def test_files_that_a_module_reads_count_by_their_content(lab):
    files = {"base": 'READS = ("*.txt",)\nWIDTH = 4\n'}
    with pytest.raises(FileNotFoundError, match="no such file"):
        lab(**files)
    texts = [{"a.txt": "1", "b.txt": "2"}, {"c.txt": "2", "d.txt": "1"}, {"a.txt": "3"}]
    first, renamed, other = (lab(**files, texts=one) for one in texts)
    assert [path.name for path in first.files] == ["a.txt", "b.txt"]
    assert first.digest == renamed.digest != other.digest


IMPORT = "from lab.other import grow"


@pytest.mark.parametrize(
    "top",
    [
        f"try:\n    {IMPORT}\nexcept ImportError:\n    grow = None",
        f"import functools\n{IMPORT}\n\ngrow = functools.cache(grow)",
        f"import sys\nif sys.platform:\n    {IMPORT}\nelse:\n    def grow(x):\n        return x",
        f"{IMPORT}\nif grow:\n    def more():\n        grow = 1\n        return grow",
        f"from lab.nets import grow\nif grow:\n    {IMPORT}",
        f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    {IMPORT}",
        f"if __name__ == '__main__':\n    pass\nelse:\n    {IMPORT}",
    ],
)
def test_an_import_counts_beside_other_bindings_of_its_name(lab, top):
    claim = f"{top}\n\n\ndef measure():\n    return grow(1)\n"
    found = lab(claim=claim)
    assert "grow" in found.units["lab.other"]
    assert lab(("other.py", "x * 2", "x * 3"), claim=claim).digest != found.digest


@pytest.mark.parametrize(
    "body",
    [
        f"if x:\n        from lab.nets import grow\n    else:\n        {IMPORT}\n    grow(x)",
        f"if x:\n        {IMPORT}\n    else:\n        from lab.nets import grow\n    grow(x)",
        f"grow = None\n    if x:\n        {IMPORT}\n    return grow",
        f"class Own:\n        {IMPORT}\n\n    return Own.grow(x)",
        f"class Own:\n        {IMPORT}\n        y = grow(1)\n\n    return Own",
    ],
)
def test_an_import_inside_counts(lab, body):
    claim = f"def measure(x=1):\n    {body}\n"
    found = lab(claim=claim)
    assert found.units["lab.other"] == ("grow",)
    assert lab(("other.py", "x * 2", "x * 3"), claim=claim).digest != found.digest


def test_where_an_import_of_a_name_with_two_origins_stands_counts(lab):
    text = "def measure(x=1):\n    {}\n    {}\n    return grow\n"
    lines = ("grow = None", IMPORT)
    first, second = (lab(claim=text.format(*each)) for each in (lines, lines[::-1]))
    assert first.units == second.units and first.digest != second.digest


def test_a_method_does_not_see_what_its_class_imports(lab):
    claim = f"from lab.nets import grow\n\n\nclass Own:\n    {IMPORT}\n\n"
    claim += "    def run(self):\n        return grow(1)\n\n\ndef measure():\n    return Own()\n"
    assert {"lab.nets", "lab.other"} <= {*lab(claim=claim).units}


PLUG = {"table": "RULES = {}\n", "deep/plug": "from lab.table import RULES\n\nRULES['a'] = 1\n"}


@pytest.mark.parametrize(
    ("top", "body"),
    [
        ("", "import lab.deep.plug\n"),
        ("", "from lab.deep import plug\n"),
        ("import lab.deep.plug\n", "lab.nets.grow(1)\n"),
        ("from lab.deep import inner\n", "inner.go()\n"),
    ],
)
def test_an_import_for_its_effect_counts(lab, top, body):
    """In a function, by a dotted name, and in the ``__init__`` of the folder of what is used."""
    files = {**PLUG, "deep/inner": "def go():\n    return 1\n", "deep/__init__": ""}
    if "inner" in top:
        files["deep/__init__"] = "import lab.deep.plug\n"
    files["claim"] = f"import lab.nets\n{top}\n\ndef measure():\n    {body}"
    found = lab(**files)
    assert found.units["lab.deep.plug"] == ("Assign",)
    assert lab(("deep/plug.py", "= 1", "= 2"), **files).digest != found.digest


def test_what_the_packages_above_do_on_import_counts_and_what_they_pass_on_does_not(lab):
    init = "from lab.deep.inner import go\nfrom lab.deep.more import other\n\n"
    init += "__all__ = ['go', 'other']\n"
    effect = "from lab import base\n\nbase.WIDTH = 5\n"
    files = {
        "deep/__init__": init,
        "deep/inner": "def go():\n    return 1\n",
        "deep/more": "def other():\n    return 1\n\n\nother()\n",
        "claim": "from lab.deep.inner import go\n\n\ndef measure():\n    return go()\n",
    }
    found = lab(**files)
    assert {*found.units} == {"lab.claim", "lab.deep.inner"}
    above = [
        lab(**files | {name: text + effect})
        for name, text in (("deep/__init__", init), ("__init__", ""))
    ]
    assert [one.units.get("lab.deep") for one in above] == [("Assign",), None]
    assert above[1].units["lab"] == ("Assign",)
    assert len({found.digest, *(one.digest for one in above)}) == 2  # the same effect, elsewhere


def test_two_helpers_of_one_text_and_other_dependencies_are_not_swapped_unnoticed(lab):
    helper = "from lab.{} import grow\n\n\ndef helper(x):\n    return grow(x)\n"
    files = {"a": helper.format("nets"), "b": helper.format("other")}
    text = "from lab.{} import helper\nfrom lab.{} import helper as more\n\n\n"
    text += "def measure():\n    return helper(1) - more(2)\n"
    found = [lab(claim=text.format(*names), **files) for names in ("ab", "ba")]
    assert found[0].units == found[1].units
    assert found[0].digest != found[1].digest


@pytest.mark.parametrize(
    ("module", "followed"),
    [
        ("reconfigure", True),
        ("deep.work", True),
        ("work", True),
        ("verdicts.work", False),
        ("heat_figure", False),
        ("deep.figures", False),
    ],
)
def test_only_whole_words_say_what_draws_or_carries(lab, module, followed):
    claim = f"from lab.{module} import go\n\n\ndef measure():\n    return go()\n"
    found = lab(**{module.replace(".", "/"): "def go():\n    return 1\n", "claim": claim})
    assert (f"lab.{module}" in found.units) is followed


def test_what_cannot_be_read_of_one_claim_is_said_of_it_and_ends_nothing(monkeypatch):
    def failing(error):
        def closed(measure):
            raise error

        return closed

    for error in (ProvenanceError("no module"), FileNotFoundError("no such file")):
        monkeypatch.setattr(audit, "closure", failing(error))
        found = audit.check_file(claims.claim("B8"), results_folder())
        assert f"which code it depends on cannot be read: {error}" in found.wrong


@pytest.fixture(scope="module")
def original():
    return {name: code_meaning(MEASURED[name]) for name in MEASURED}


@pytest.fixture
def copy(tmp_path):
    """A copy of the package's source."""
    ignored = shutil.ignore_patterns("*.wasm", "*.bin", "*.js", "__pycache__")
    return shutil.copytree(ROOT, tmp_path / "bnlab", ignore=ignored)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def digests(root, names=SOME):
    return {name: code_meaning(MEASURED[name], root) for name in names}


def changed(root, original, names=SOME):
    return [name for name, found in digests(root, names).items() if found != original[name]]


def test_renaming_modules_leaves_every_claim(copy, original):
    """One deep below, a folder, and the module that measures S1 and is used by S2."""
    renames = {
        "bnlab.norms.functional": "bnlab.norms.formulas",
        "bnlab.chapters.covariate_shift.s1_race": "bnlab.s1",
        "bnlab.nets": "bnlab.networks",
        "bnlab.norms import functional": "bnlab.norms import formulas as functional",
        "bnlab.chapters.covariate_shift import s1_race": "bnlab import s1 as s1_race",
    }
    for old, new in [*renames.items()][:3]:
        place, target = (copy.joinpath(*name.split(".")[1:]) for name in (old, new))
        suffix = "" if place.is_dir() else ".py"
        place.with_suffix(suffix).rename(target.with_suffix(suffix))
    for path in copy.rglob("*.py"):
        text = path.read_text()
        for old, new in renames.items():
            text = re.sub(rf"\b{re.escape(old)}\b", new, text)
        path.write_text(text)
    starts = {**MEASURED, "S1": ("bnlab.s1", "measure")}
    assert {name: code_meaning(start, copy) for name, start in starts.items()} == original
    assert "bnlab.norms.formulas" in closure(MEASURED["B8"], copy).units


def test_moving_a_function_leaves_every_digest(copy, original):
    """``scale_shift`` moves to a new module of another folder; the old one imports it."""
    path = copy / "norms" / "functional.py"
    text = path.read_text()
    node = next(n for n in ast.parse(text).body if getattr(n, "name", "") == "scale_shift")
    function, imports = (
        ast.get_source_segment(text, node),
        "import torch\nfrom torch import Tensor\n",
    )
    assert imports in text
    (copy / "data" / "scaling.py").write_text(f"{imports}\n\n{function}\n")
    text = text.replace(function, "")
    path.write_text(text.replace(imports, f"{imports}from bnlab.data.scaling import scale_shift\n"))
    assert changed(copy, original) == []
    assert closure(MEASURED["B8"], copy).units["bnlab.data.scaling"] == ("scale_shift",)


def test_docstrings_and_drawings_leave_every_digest(copy, original):
    edit(copy / "nets" / "init.py", '"""Set all weights', '"""Set each of the weights')
    edit(
        copy / "nets" / "init.py",
        "    with torch.no_grad():",
        "    # so\n    with torch.no_grad():",
    )
    edit(
        copy / "measure" / "signals" / "figures.py", "def draw_growth(", "def draw_growth(more=1, "
    )
    edit(copy / "__init__.py", '__version__ = "', '__version__ = "1')
    assert changed(copy, original, (*SOME, "B3")) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "reaching"),
    [
        ("nets/init.py", "(2 * numbers - 1)", "(2 * numbers + 1)", ["B1", "R1"]),
        ("norms/functional.py", "torch.addcmul(", "torch.addcdiv(", ["B1", "B8", "R1"]),
        ("train/many.py", "LARGEST_STACK = 64", "LARGEST_STACK = 32", []),
        ("train/ways.py", "COUNTS = (4, 16, 64)", "COUNTS = (4, 16)", []),
        ("engines/compiled/compiler/matrix.py", "def _mm(", "def _mm(more, ", ["B1"]),
        ("engines/compiled/compiler/runtime.c", "KERNEL", "KERNELS", ["B1"]),
        ("engines/compiled/artefacts/nets/manifest.json", '"format":2', '"format":3', ["B1"]),
        ("chapters/batch_renorm/r1_identity.py", "SEEDS = ", "SEEDS = 1 and ", ["R1"]),
    ],
)
def test_a_change_far_below_changes_the_claims_that_reach_it(
    copy, original, file, old, new, reaching
):
    edit(copy / file, old, new)
    assert changed(copy, original) == reaching


@pytest.mark.parametrize("name", MEASURED)
def test_no_claim_reaches_what_shows_or_other_claims(name):
    """The modules of papers, which hold the sentences, and the framework make no numbers."""
    found = closure(MEASURED[name])
    assert not [module for module in found.units if module.endswith(".claims")]
    assert not {"show", "check", "lab", "sweep", "digest", "store"} & {*found.folders}
    assert "bnlab.verdicts.evidence" not in found.units
    start = getattr(MEASURED[name], "func", MEASURED[name])
    assert start.__name__ in found.units[start.__module__]


@pytest.mark.parametrize(
    ("name", "module", "unit"),
    [
        ("R1", "bnlab.runs.build", "build"),
        ("L3", "bnlab.nets.plain", "PlainConvNet"),
        ("L3", "bnlab.norms.group", "GroupNorm"),
        ("L3", "bnlab.engines.eager", "Trainer"),
        ("L3", "bnlab.chapters.group_size.trainings", "train_rows"),
        ("B1", "bnlab.engines.compiled.engine", "CompiledTrainer"),
        ("B1", "bnlab.optim.lawn", "LAWN"),
        ("B8", "bnlab.norms.batch", "BatchNorm"),
    ],
)
def test_a_claim_reaches_what_its_numbers_come_from(name, module, unit):
    assert unit in closure(MEASURED[name]).units[module]


def test_a_module_that_reads_files_names_them():
    package = Package(ROOT, "bnlab")
    reached = {name for measure in MEASURED.values() for name in closure(measure).units}
    reading = set()
    for module in map(package.module, reached):
        text = module.path.read_text()
        if re.search(r"\b__file__\b|importlib.resources|importlib import resources", text):
            assert module.reads, f"{module.name} reads files: name them in READS"
            reading.add(module.name)
    compiled = "bnlab.engines.compiled"
    own = {"artefact", "compiler.codegen", "native.products"}
    assert reading == {f"{compiled}.{name}" for name in own}


def test_what_carries_results_is_not_followed_and_makes_no_numbers():
    found = closure(MEASURED["B1"])
    assert not {"bnlab.verdicts.work", "bnlab.train.ways"} & {*found.units}
    assert "train_one" in found.units["bnlab.verdicts.trainings"]
    carrying = closure(("bnlab.verdicts.work", "Work"))
    assert not {"engines", "train", "measure", "chapters"} & {*carrying.folders}
    assert not {"build", "make_net"} & {name for names in carrying.units.values() for name in names}


def test_the_command_lists_what_makes_the_numbers(capsys, unmeasured):
    assert main(["code", "B1", "B8"]) == 0
    out = capsys.readouterr().out
    first, second = out[: out.index("B8: ")], out[out.index("B8: ") :]
    found = closure(MEASURED["B8"])
    count = sum(map(len, found.units.values()))
    assert second.startswith(f"B8: {count} definitions in {len(found.units)} modules\n")
    module = "bnlab.chapters.signals.b8_matrix_products"
    assert f"  {module} ({len(found.units[module])}): BASE, " in out
    assert "reads nets/manifest.json" in first and "manifest" not in second
    assert main(["code", unmeasured]) == 1
    assert f"claim {unmeasured} has no measurement yet" in capsys.readouterr().err
