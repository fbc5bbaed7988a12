"""What counts as an import, and what as a circle: on a package made for it."""

import pytest

from tests.project.imports import against, circles, drawing, imports, others

DRAWN = """## The house

```
roof   on top   -> walls
walls  between  -> cellar
cellar below
```
"""


@pytest.fixture
def package(tmp_path):
    def write(sources):
        for name, text in sources.items():
            path = tmp_path / "home" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path / "home"

    return write


@pytest.mark.parametrize(
    "text",
    [
        "import home.cellar.wine",
        "from home.cellar import wine",
        "from home.cellar.wine import red",
        "from ..cellar.wine import red",
        "def drink():\n    from home.cellar import wine\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from home.cellar import wine\n",
        "import importlib\nwine = importlib.import_module('home.cellar.wine')",
    ],
)
def test_every_way_to_import_counts(package, text):
    home = package({"cellar/wine.py": "red = 1", "roof/tiles.py": text})
    assert imports(home)["roof/tiles.py"] == {"cellar/wine.py"}


@pytest.mark.parametrize(
    "text",
    [
        'import { red } from "../cellar/wine.js";',
        'import {\n  red,\n} from "../cellar/wine.js";',
        'export { red } from "../cellar/wine.js";',
        'const wine = await import("../cellar/wine.js");',
    ],
)
def test_every_way_to_import_a_script_counts(package, text):
    home = package({"cellar/wine.js": "export const red = 1;", "roof/tiles.js": text})
    assert imports(home)["roof/tiles.js"] == {"cellar/wine.js"}


def test_a_name_of_a_folder_is_an_import_of_its_face(package):
    home = package(
        {
            "cellar/__init__.py": "from home.cellar.wine import red",
            "cellar/wine.py": "",
            "roof.py": "import home.cellar",
        }
    )
    assert imports(home)["roof.py"] == {"cellar/__init__.py"}
    assert imports(home)["cellar/__init__.py"] == {"cellar/wine.py"}


def test_an_import_without_arrows_is_named(package):
    house = drawing(DRAWN)
    assert house == {"roof": {"walls"}, "walls": {"cellar"}, "cellar": set()}
    down = {"roof.py": "import home.cellar", "walls.py": "import home.cellar", "cellar.py": ""}
    assert against(imports(package(down)), house) == []
    up = imports(package({"cellar.py": "def late():\n    import home.roof\n"}))
    assert against(up, house) == ["cellar.py imports roof.py"]


def test_a_circle_between_folders_is_found_at_any_depth(package):
    home = package(
        {
            "house/north/a.py": "from home.house.south import b",
            "house/south/b.py": "from home.house import stairs",
            "house/stairs.py": "from home.house.north import c",
            "house/north/c.py": "",
            "house/alone.py": "from home.house import pair",
            "house/pair.py": "from home.house import alone",
        }
    )
    assert circles(imports(home)) == [["house/north", "house/south", "house/stairs.py"]]


def test_other_packages_are_known_by_their_first_name(package):
    home = package({"roof.py": "import os.path\nfrom torch.nn import functional\nimport home.roof"})
    assert others(home) == {"roof.py": {"os", "torch", "home"}}
