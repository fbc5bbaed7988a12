import json
import shutil

import pytest


@pytest.fixture
def copy(vendor, tmp_path):
    return shutil.copytree(vendor.VENDOR, tmp_path / "vendor")


def test_the_files_are_those_of_the_manifest(vendor):
    assert vendor.problems() == []


def test_every_package_comes_with_its_licence(vendor):
    packages = json.loads((vendor.VENDOR / vendor.MANIFEST).read_text())["packages"]
    assert {p["name"] for p in packages} == {package[1] for package in vendor.PACKAGES}
    for package in packages:
        assert package["licence"]
        assert any("LICENSE" in path for path in package["files"])


def test_a_changed_a_missing_and_a_new_file_are_found(vendor, copy):
    with (copy / "mathjax" / "core.js").open("a") as file:
        file.write(" ")
    (copy / "mathjax" / "startup.js").unlink()
    (copy / "new.js").write_text("")
    assert vendor.problems(copy) == [
        "missing: mathjax/startup.js",
        "not in the manifest: new.js",
        "changed: mathjax/core.js",
    ]
