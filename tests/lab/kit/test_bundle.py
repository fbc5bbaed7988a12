"""Several JavaScript modules become one, or a sentence says why not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bnlab
from bnlab.lab import site
from bnlab.lab.kit.bundle import BundleError, bundle, script, style_table, stylesheet

PACKAGE = Path(bnlab.__file__).parent
LAB = PACKAGE / "lab"
RACE = LAB / "race" / "race.js"
WIDGETS = [widget.__name__.rpartition(".")[2] for widget in site.ALL]


def write(folder, **modules):
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_is_one_module_with_one_default_export(name):
    text = bundle(LAB / name / f"{name}.js")
    assert "import " not in [line[:7] for line in text.splitlines()]
    assert text.count("\nexport default") == 1
    assert text.count("const STYLE = ") == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_is_valid_javascript(tmp_path, name):
    path = tmp_path / "widget.mjs"
    path.write_text(bundle(LAB / name / f"{name}.js"))
    subprocess.run(["node", "--check", str(path)], check=True)


def test_modules_come_after_what_they_import_and_once(tmp_path):
    write(
        tmp_path,
        a="export const one = 1;\n",
        b='import { one } from "./a.js";\nexport function two() { return 2 * one; }\n',
        w='import { one } from "./a.js";\nimport {\n  two,\n} from "./b.js";  // why\n'
        "export default { one, two };\n",
    )
    text = bundle(tmp_path / "w.js")
    assert text.count("const one = 1;") == 1
    assert text.index("const one") < text.index("function two") < text.index("export default")
    assert "import" not in text and "export function" not in text


def test_imports_are_followed_by_their_relative_paths(tmp_path):
    """Two files with one name are two modules, and a file by two paths is one."""
    widget, kit = tmp_path / "widget", tmp_path / "kit" / "js"
    for folder in (widget, kit):
        folder.mkdir(parents=True)
    write(kit, parts='import { two } from "./same.js";\nexport const four = 2 * two;\n')
    write(kit, same="export const two = 2;\n")
    write(widget, same='import { two } from "../kit/js/same.js";\nexport const three = two + 1;\n')
    write(
        widget,
        w='import { four } from "../kit/js/parts.js";\nimport { three } from "./same.js";\n'
        "export default three + four;\n",
    )
    lines = bundle(widget / "w.js").split("\n")
    assert [line for line in lines if line] == [
        "const two = 2;",
        "const four = 2 * two;",
        "const three = two + 1;",
        "export default three + four;",
    ]


def test_a_worker_has_the_generator_that_the_widgets_have():
    """There is one random.js, in Python's compiled engine."""
    (random,) = PACKAGE.rglob("random.js")
    assert random == PACKAGE / "engines" / "compiled" / "js" / "random.js"
    line = "const a = mix(seed ^ mix(stream)), b = mix(a ^ 0x9e3779b9);"
    for text in (
        bundle(LAB / "family" / "family.js"),
        script([LAB / "kit" / "js" / "page_side_by_side.js"]),
    ):
        assert text.count(line) == 1


@pytest.mark.parametrize(
    "second",
    [
        *("const twice = 1;", "const other = 1, twice = 2;", "async function twice() {}"),
        'const other = "a (b)", third = 3, twice = 2;',
    ],
)
def test_a_name_that_two_files_declare_is_refused_with_both(tmp_path, second):
    folder = tmp_path / "kit"
    folder.mkdir()
    write(folder, part=f"export const other_name = 1;\n{second}\n")
    modules = {"w": 'import { other_name } from "./kit/part.js";\nexport class twice {}\n'}
    write(tmp_path, **modules)
    found = r"twice is declared in .*kit/part\.js and in .*/w\.js"
    with pytest.raises(BundleError, match=found):
        script([tmp_path / "w.js"])
    (tmp_path / "w.js").write_text(modules["w"] + "export default 1;\n")
    with pytest.raises(BundleError, match=found):
        bundle(tmp_path / "w.js")


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"w": 'import { x } from "./gone.js";\nexport default 1;\n'}, r"no module .*gone\.js"),
        ({"w": 'import { x } from "d3";\nexport default 1;\n'}, "only a relative path"),
        (
            {"a": "const x = 1;\n", "w": 'import { x } from "./a.js";\nexport default 1;\n'},
            "a.js does not export",
        ),
        (
            {
                "a": "export const x = 1;\n",
                "w": 'import * as a from "./a.js";\nexport default 1;\n',
            },
            "write import",
        ),
        (
            {
                "a": "export const x = 1;\n",
                "w": 'import { x as y } from "./a.js";\nexport default 1;\n',
            },
            "write import",
        ),
        (
            {
                "a": "export const x = 1;\nconst y = 1;\n",
                "w": 'import { x } from "./a.js";\nconst y = 2;\nexport default 1;\n',
            },
            r"y is declared in .*a\.js and in .*w\.js: rename one",
        ),
        ({"w": "const x = 1;\n"}, "exactly one"),
        (
            {
                "a": "export const x = 1;\nexport default 2;\n",
                "w": 'import { x } from "./a.js";\nexport default 1;\n',
            },
            "it needs no",
        ),
        ({"w": "const x = 1;\nexport { x };\nexport default 1;\n"}, "cannot bundle this line"),
        (
            {
                "a": 'import { w } from "./w.js";\nexport const x = 1;\n',
                "w": 'import { x } from "./a.js";\nexport const w = 1;\nexport default 1;\n',
            },
            "in a circle",
        ),
    ],
)
def test_what_cannot_be_bundled_is_said(tmp_path, modules, message):
    with pytest.raises(BundleError, match=message):
        bundle(write(tmp_path, **modules) / "w.js")


def test_unknown_widget_lists_the_modules():
    with pytest.raises(
        BundleError, match=r"no module lab/race/rase\.js; beside it there is .*race\.js"
    ):
        bundle(RACE.with_name("rase.js"))


def test_style_has_a_look_of_its_own_for_each_normalizer():
    table = style_table()
    assert {"none", "batch", "layer", "group", "instance"} <= set(table)
    for key in ("label", "short", "light", "dark", "dash"):
        assert len({str(style[key]) for style in table.values()}) == len(table)


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("theme", "page"), [("light", "#ffffff"), ("dark", "#14181e")])
def test_colours_are_legible_as_text(theme, page):
    for style in style_table().values():
        low, high = sorted([luminance(style[theme]), luminance(page)])
        assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("name", WIDGETS)
def test_every_rule_of_the_style_sheet_stays_inside_the_widgets(name):
    own = LAB / name / f"{name}.css"
    selectors = [line for line in stylesheet(own).splitlines() if line.endswith("{")]
    assert all("bnlab" in line or line.startswith("@") for line in selectors)


@pytest.mark.parametrize("folder", site.ALL, ids=WIDGETS)
def test_a_widget_ships_the_common_style_and_its_own(folder):
    name = folder.__name__.rpartition(".")[2]
    kit = "\n".join((LAB / "kit" / "js" / f"{one}.css").read_text() for one in ("kit", "plots"))
    widget = next(one for one in vars(folder).values() if hasattr(one, "_css"))
    assert widget._css == kit + "\n" + (LAB / name / f"{name}.css").read_text()


def test_the_package_may_lie_behind_a_link(tmp_path):
    (tmp_path / "linked").symlink_to(Path(bnlab.__file__).parents[1])
    code = "import bnlab.lab; print(bnlab.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "linked")},
    )
    assert done.stdout.startswith(str(tmp_path / "linked")), done.stderr
