"""A History's way through JSON and back."""

import dataclasses
import json

import numpy as np
import pytest

from bnlab.train import History, Run, train

ARRAYS = ("loss", "accuracy", "step", "val_accuracy", "val_accuracy_train_mode")


@pytest.fixture(scope="module")
def history():
    return train(Run(depth=1, width=4, steps=5, eval_every=2), device="cpu")


def through_json(history):
    return History.from_dict(json.loads(json.dumps(history.to_dict(), allow_nan=False)))


def assert_same_bits(a, b):
    for name in ARRAYS:
        one, two = getattr(a, name), getattr(b, name)
        assert one.dtype == two.dtype and one.shape == two.shape
        assert one.tobytes() == two.tobytes(), name
    rest = [f.name for f in dataclasses.fields(a) if f.name not in (*ARRAYS, "test_accuracy")]
    assert [getattr(a, name) for name in rest] == [getattr(b, name) for name in rest]
    assert np.array_equal(a.test_accuracy, b.test_accuracy, equal_nan=True)


def test_all_bits_come_back(history):
    assert_same_bits(through_json(history), history)


def test_a_diverged_run_comes_back():
    run = Run(depth=3, width=16, lr=1e8, steps=20)
    history = train(run, device="cpu")
    assert history.diverged_at is not None and np.isnan(history.test_accuracy)
    assert_same_bits(through_json(history), history)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_kind_of_number_comes_back(history, dtype):
    info = np.finfo(dtype)
    values = [0.1, 1 / 3, -0.0, np.nan, np.inf, -np.inf, info.max, info.smallest_subnormal]
    bits = np.frombuffer(np.random.default_rng(0).bytes(4000), dtype=dtype)
    loss = np.concatenate([np.array(values, dtype=dtype), bits[np.isfinite(bits)]])
    changed = dataclasses.replace(history, loss=loss, step=np.array([], dtype=np.int64))
    assert_same_bits(through_json(changed), changed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"los": 1}, "fields of a History are"),
        ({"loss": [1.0]}, "loss of a History must be numbers with a dtype"),
        ({"loss": {"dtype": "float64", "values": ["x"]}}, "loss of a History must be"),
        ({"loss": {"dtype": "floaty", "values": []}}, "loss of a History must be"),
        ({"run": {"norm": "batsch"}}, "Did you mean 'batch'"),
        ({"run": {"warmup": 3}}, "unknown field of a Run 'warmup'"),
    ],
)
def test_other_dicts_are_refused(history, change, message):
    with pytest.raises(ValueError, match=message):
        History.from_dict({**history.to_dict(), **change})


@pytest.mark.parametrize("fields", [None, [], {}])
def test_nonsense_is_refused(fields):
    with pytest.raises(ValueError, match="fields of a History are"):
        History.from_dict(fields)
