"""Several JavaScript modules become one, or a sentence says why not."""

import shutil
import subprocess

import pytest

from bnlab.lab.bundle import FOLDER, BundleError, bundle, style_table, stylesheet


def write(folder, **modules):
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder


def test_race_is_one_module_with_one_default_export():
    text = bundle("race")
    assert "import " not in [line[:7] for line in text.splitlines()]
    assert text.count("\nexport default") == 1
    assert text.count("const STYLE = ") == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_race_is_valid_javascript(tmp_path):
    path = tmp_path / "race.mjs"
    path.write_text(bundle("race"))
    subprocess.run(["node", "--check", str(path)], check=True)


def test_modules_come_after_what_they_import_and_once(tmp_path):
    write(
        tmp_path,
        a="export const one = 1;\n",
        b='import { one } from "./a.js";\nexport function two() { return 2 * one; }\n',
        w='import { one } from "./a.js";\nimport {\n  two,\n} from "./b.js";  // why\n'
        "export default { one, two };\n",
    )
    text = bundle("w", tmp_path)
    assert text.count("const one = 1;") == 1
    assert text.index("const one") < text.index("function two") < text.index("export default")
    assert "import" not in text and "export function" not in text


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ({"w": 'import { x } from "./gone.js";\nexport default 1;\n'}, "no module gone.js"),
        ({"w": 'import { x } from "d3";\nexport default 1;\n'}, "only ./NAME.js"),
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
            "y is declared in a.js and in w.js",
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
        bundle("w", write(tmp_path, **modules))


def test_unknown_widget_lists_the_modules():
    with pytest.raises(BundleError, match=r"no module rase\.js .* there is .*race\.js"):
        bundle("rase")


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


def test_every_rule_of_the_style_sheet_stays_inside_the_widgets():
    selectors = [line for line in stylesheet().splitlines() if line.endswith("{")]
    assert all("bnlab" in line or line.startswith("@") for line in selectors)
    assert (FOLDER / "lab.css").read_text() == stylesheet()
