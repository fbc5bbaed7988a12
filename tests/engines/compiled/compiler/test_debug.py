"""One step in JavaScript, as the command ``debug`` writes it, against PyTorch."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from bnlab.data import batches, digits
from bnlab.engines.compiled import __main__ as command
from bnlab.engines.compiled.catalogue import UNDEFINED
from bnlab.engines.compiled.compare import LIMITS, largest, torch_step
from bnlab.engines.compiled.compiler.graph import NotSupportedError
from bnlab.engines.compiled.compiler.javascript import translated
from bnlab.engines.compiled.debug import net_of, write
from bnlab.norms import NORMS
from bnlab.train import Run, train

NODE = shutil.which("node")
HERE = Path(__file__).parent
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")

BATCH = 12
MLPS = [f"mlp 1x8 {name}" for name in NORMS if name not in UNDEFINED]
OTHERS = [
    "mlp 1x8 none weight_standardization squared_error",
    "plain 2x4 instance",
    "resnet 1x4 batch",
]


def node(*arguments: object, given: object = None, **environment: str) -> str:
    command = [NODE, *map(str, arguments)]
    done = subprocess.run(
        command,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def error(key: str, precision: str, folder: Path) -> float:
    net, file = net_of(key), folder / "step.mjs"
    write(file, net, BATCH, precision)
    data = digits()
    numbers = next(batches(data.train_y, "iid", 0, BATCH, 1))
    module = net.module().to(getattr(torch, precision))
    theirs = torch_step(module, data.train_x[numbers], data.train_y[numbers], net.loss)
    sizes = {name: values.size for name, values in theirs.items()}
    mine = json.loads(node(HERE / "node_debug.mjs", file, given=sizes))
    assert np.abs(theirs["gradient"]).max() > 0.01
    return largest({name: np.array(values) for name, values in mine.items()}, theirs)


@needs_node
@pytest.mark.parametrize("key", MLPS + OTHERS)
def test_a_step_is_that_of_pytorch(key, tmp_path):
    assert error(key, "float64", tmp_path) <= LIMITS["float64"]


@needs_node
def test_numbers_are_rounded_in_float32(tmp_path):
    assert 1e-10 < error("mlp 1x8 batch", "float32", tmp_path) <= LIMITS["float32"]


@needs_node
def test_the_command_writes_the_first_step_of_a_run(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command.main(["debug", "mlp 2x8 layer", "--seed", "3", "--batch-size", "20"]) == 0
    assert capsys.readouterr().out == "node mlp-2x8-layer.mjs\n"
    sizes = {"depth": 2, "width": 8, "batch_size": 20, "steps": 1, "seed": 3}
    history = train(Run(norm="layer", precision="float64", **sizes), engine="torch")
    said = node(tmp_path / "mlp-2x8-layer.mjs")
    numbers = [float(n) for n in re.findall(r"\d[\d.e-]*", said)]
    assert said.count("\n") == 1 and len(numbers) == 3
    assert numbers[0] == pytest.approx(history.loss[0], rel=1e-7)
    assert 0 < numbers[2] < 100


@needs_node
def test_a_trace_names_what_each_call_wrote(tmp_path):
    file = tmp_path / "step.mjs"
    write(file, net_of("mlp 1x8 batch"), batch=10)
    lines = node(file, TRACE="1").splitlines()
    calls, writes = lines[:-1:2], lines[1:-1:2]
    rows = file.read_text().count("\n  [k")
    assert len(calls) == len(writes) == rows
    assert calls[0].startswith("0 k15(x, body.1.weight, #") and calls[0].endswith("addmm.default")
    pattern = re.compile(r"    wrote [1-9]\d* from .* on: min .*, max .*, NaN 0$")
    assert all(map(pattern.match, writes))
    assert "wrote 80 from #" in writes[0]  # 10 samples, 8 units
    assert sum("from gradient of body.1.weight on" in w for w in writes) == 1
    assert lines[-1] == node(file).strip()


@needs_node
def test_what_is_read_before_it_is_written_shows_as_nan(tmp_path):
    file = tmp_path / "step.mjs"
    write(file, net_of("mlp 1x8 none"), batch=10)
    text = file.read_text()
    first = re.search(r"\n  \[k\d+, .*addmm.default\"\],", text)[0]
    file.write_text(text.replace(first, "", 1))
    assert "loss NaN" in node(file)


EXPRESSIONS = {
    "(7 / 2) * 3": 9,
    "(-7) / 2": -3,
    "(REAL)7 / 2": 3.5,
    "(int)((unsigned)-1640531527 * (unsigned)2146121005)": -809061755,
    "(int)((unsigned)2147483647 + (unsigned)2)": -2147483647,
    "(int)(-2.5)": -2,
    "(REAL)((1 < 2)) + (3 == 3)": 2,
    "((2 && 4) == 1)": 1,
    "(!5) + (!0)": 1,
    "(NAN ? 1 : 2)": 1,
    "-(REAL)-0.5": 0.5,
    "-9 >> 1": -5,
    "MAXF(NAN, 1.0) == MAXF(NAN, 1.0)": 0,
    "SIGNF(-3.0) + RELUF(-1.0) + ABSF(-4)": 3,
    "(1 > 2 ? 3 : 2 > 1 ? 4 : 5)": 4,
    "B / 4 * 2": 4,
}
"""What C makes of them, for B = 10."""


@needs_node
def test_signs_mean_what_they_mean_in_c(tmp_path):
    file, known = tmp_path / "signs.mjs", tmp_path / "step.mjs"
    write(known, net_of("mlp 1x8 none"), batch=2)
    runtime = "".join(re.findall(r"^const (?:max|min|relu|sign) = .*\n", known.read_text(), re.M))
    lines = [translated(f"H[{k}] = {text};") for k, text in enumerate(EXPRESSIONS)]
    body = "\n".join(["const B = 10, H = [];", runtime, *lines, "console.log(JSON.stringify(H));"])
    file.write_text(body)
    assert json.loads(node(file)) == list(EXPRESSIONS.values())


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ("H[o0] = H[o1] % 2;", "'%'"),
        ("H[o0] = ERFF(H[o1]);", "'ERFF'"),
        ("while (B) { H[o0] = 0; }", "'while'"),
        ("INT(o0) = (int)((unsigned)INT(o1) / (unsigned)3);", "'unsigned /'"),
        ("INT(o0) = 1.5 & 3;", "'&'"),
        ("H[o0] = (REAL)(unsigned)INT(o1);", "'unsigned to or from a real number'"),
        ("H[o0] -= 1;", "'-'"),
        ("for (int i = 1; i < B; i++) { H[o0 + i] = 0; }", "'1'"),
        ("for (int i = 0; i < B; i++) { H[o0 + i] = 0;", "'the end'"),
        ("float a = 0;", "'float'"),
        ("H[o0] = 0; }", "'}'"),
    ],
)
def test_an_unknown_construct_is_named(body, named):
    with pytest.raises(NotSupportedError, match=f"^{re.escape(named)} has no .*javascript") as info:
        translated(body)
    assert body in str(info.value)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["mlp batch"], "a net is named like 'mlp 2x16 batch', got 'mlp batch'"),
        (["mlp 2x16 bacth"], "unknown normalizer 'bacth'"),
        (["nlp 2x16 batch"], "unknown net 'nlp'"),
        (["mlp 2x16 none weight"], "unknown weight normalizer or loss 'weight'"),
        (["mlp 2x16 group group_size=x"], "group_size=x is no option"),
        (["mlp 2x16 batch", "--batch-size", "1"], "not defined for a batch of 1"),
        (["mlp 2x16 instance"], "instance"),
        (["mlp 2x16 batch", "--batch-size", "301"], "1 to 300 images, got 301"),
    ],
)
def test_a_wrong_request_is_answered(arguments, complaint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        command.main(["debug", *arguments])
    assert complaint.lower() in " ".join(capsys.readouterr().err.lower().split())
    assert not list(tmp_path.iterdir())


def test_names_of_nets_are_read_as_they_are_written():
    for key in (
        "mlp 12x64 group group_size=4",
        "resnet 1x4 batch eps=0.1 squared_error",
        "mlp 3x16 none weight_norm",
        "plain 3x8 batch_renorm",
    ):
        assert net_of(key).key == key
    assert net_of("mlp 1x8 ghost_batch").key == "mlp 1x8 ghost_batch ghost_size=4"
