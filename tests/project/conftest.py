import os

import pytest

from tests.project.repository_files import ROOT, load_tool


@pytest.fixture
def make():
    return load_tool("make")


@pytest.fixture
def vendor():
    return load_tool("vendor")


@pytest.fixture
def set_repository():
    return load_tool("set_repository")


@pytest.fixture(scope="session")
def site():
    """The built site's folder."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").exists():
        says = "the site is not built: run 'make book'"
        if os.environ.get("BNLAB_REQUIRE_BROWSER"):
            pytest.fail(says)
        pytest.skip(says)
    return folder
