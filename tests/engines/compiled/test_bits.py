"""The same bits in node, in wasmtime and in machine code, over 1,000 steps of each kind of net."""

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from bnlab import random
from bnlab.data import batches, with_wrong_labels
from bnlab.engines.compiled.native.machine import VARIABLE
from bnlab.train import make_trainer
from tests.engines.compiled import bits_cases
from tests.engines.compiled.native_cases import needs_native

HERE = Path(__file__).parent
NODE = shutil.which("node")

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
pytestmark = pytest.mark.skipif(NODE is None, reason="node is not installed")


def node(script: str, *args: object, given: object = None) -> object:
    command = [NODE, str(HERE / script), *map(str, args)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_random_numbers_are_the_same():
    got = node("node_random.mjs", bits_cases.JS / "random.js")
    labels = random.integers(3, 9, 10, 400)
    wrong = with_wrong_labels(labels, 0.3, 10, 4294967295)
    assert got["wrong"] == wrong.tolist() and (wrong != labels).any()
    assert got["labels"] == labels.tolist()
    assert got["bits"] == random.bits(4294967295, 2003, 50, 1000).tolist()
    assert got["last"] == random.bits(1, 2, 3, 2**32 - 3).tolist()
    assert got["uniform"] == random.uniform(5, 1000, 20).tolist()
    assert got["integers"] == random.integers(5, 2, 1197, 20, 64).tolist()
    assert got["permutation"] == random.permutation(0, 1, 500).tolist()
    parts = np.split(random.permutation(4, random.SPLIT, 10), [5, 8])
    assert got["split"] == [part.tolist() for part in parts]
    for name, options in (("iid", {}), ("one_class", {}), ("k_classes", {"k": 3})):
        drawn = list(batches(labels, name, 7, 5, 7, **options))[3:]
        assert got[name] == np.concatenate(drawn).tolist(), name


@pytest.fixture(scope="module")
def in_node(tmp_path_factory):
    """What node trains, while the engine trains the nets of the same files."""
    folder = tmp_path_factory.mktemp("nets")
    bits_cases.write(folder)
    with bits_cases.from_files():
        yield node("node_train.mjs", folder, given=bits_cases.tasks())


@pytest.mark.parametrize("machine", ["wasmtime", pytest.param("native", marks=needs_native)])
def test_every_kind_of_net_trains_to_the_same_bits(machine, in_node, monkeypatch):
    monkeypatch.setenv(VARIABLE, machine)
    assert make_trainer(bits_cases.LONG, "compiled").versions["machine"] == machine
    bits_cases.compared(in_node)
