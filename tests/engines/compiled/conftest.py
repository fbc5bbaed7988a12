"""What the tests of libraries start from."""

import pytest

from bnlab.engines.compiled.native.machine import VARIABLE
from tests.engines.compiled.native_cases import forget, tiny
from tests.engines.compiled.native_place import Place


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    tiny(), tiny(1)  # while there is a compiler
    forget()
    yield Place(tmp_path, monkeypatch)
    forget()
