"""A Run: its round trip through JSON, its key, its errors."""

import dataclasses
import hashlib
import json
import math

import pytest

from bnlab.train import Run

# Another value of each field. One of each option that the others allow.
OTHER = {
    "data": "cifar10",
    "image_size": 16,
    "sampler": "one_class",
    "augment": "flip",
    "label_noise": 0.2,
    "net": "resnet",
    "net_options": {"branch": "skipinit"},
    "depth": 7,
    "width": 65,
    "norm": "layer",
    "norm_options": {"eps": 1e-3},
    "gamma": 0.1,
    "weight_norm": "weight_mean",
    "weight_norm_options": {"eligible": "hidden"},
    "method": "head_norm",
    "method_options": {"part": "last_norm"},
    "loss": "squared_error",
    "optimizer": "adam",
    "optimizer_options": {"weight_decay": 0.1},
    "clip": 0.01,
    "lr": 0.2,
    "schedule": "cosine",
    "schedule_options": {"warmup": 5},
    "batch_size": 65,
    "steps": 201,
    "eval_every": 21,
    "seed": 1,
    "split_seed": 1,
    "precision": "float64",
}
BASE = {"norm": "batch", "weight_norm": "weight_norm"}  # they take the options above
RUNS = [
    Run(),
    Run(norm="group", norm_options={"group_size": 8}, lr=1e-3, seed=2**32 - 1),
    Run(sampler="k_classes", sampler_options={"k": 2}, precision="float64"),
    Run(optimizer="adam", optimizer_options={"betas": (0.8, 0.9)}),
    Run(lr=1),
]


@pytest.mark.parametrize("run", RUNS, ids=range(len(RUNS)))
def test_round_trip_through_dict_and_json(run):
    for copy in (
        Run.from_dict(run.to_dict()),
        Run.from_dict(json.loads(json.dumps(run.to_dict()))),
    ):
        assert copy == run and hash(copy) == hash(run) and copy.key() == run.key()
        assert copy.to_dict() == run.to_dict()


def test_missing_fields_take_their_defaults():
    assert Run.from_dict({"lr": 0.5}) == Run(lr=0.5)


def test_the_list_above_names_every_field():
    """``sampler_options`` needs a sampler that takes one; it has a test of its own."""
    fields = {f.name for f in dataclasses.fields(Run)}
    assert set(OTHER) == fields - {"sampler_options"}


@pytest.mark.parametrize("field", OTHER)
def test_the_key_changes_with_every_field(field):
    data = "cifar100" if field in ("augment", "image_size") else "digits"
    if field.startswith("method"):  # in place of the normalizers
        base = Run(net="plain", method="mimic_cifar")
    else:
        base = Run(**BASE, data=data, net="resnet" if field == "net_options" else "mlp")
    other = base.replace(**{field: OTHER[field]})
    assert getattr(other, field) != getattr(base, field)
    assert other.key() != base.key() and other != base


def test_the_key_changes_with_the_options_of_the_sampler():
    one, other = (Run(sampler="k_classes", sampler_options={"k": k}) for k in (2, 3))
    assert one.key() != other.key() and one != other


def test_the_key_is_a_name_of_16_hexadecimal_digits_that_does_not_change():
    assert Run().key() == "44136fa355b3678a"
    changed = json.dumps({"lr": 0.3, "norm": "batch"}).encode()
    assert Run(norm="batch", lr=0.3).key() == hashlib.sha256(changed).hexdigest()[:16]


def test_runs_are_hashable_and_equal_by_content():
    assert {Run(): 1, Run(seed=1): 2}[Run()] == 1
    assert len({Run(), Run(), Run(seed=1)}) == 2
    assert Run() != "Run()"


def test_an_integer_learning_rate_is_the_same_run():
    """Equal Runs must have equal hashes and keys, or a store would not find them."""
    assert Run(lr=1) == Run(lr=1.0) and Run(lr=1).key() == Run(lr=1.0).key()


def test_a_run_is_frozen_and_does_not_follow_the_callers_dict():
    options = {"group_size": 8}
    run = Run(norm="group", norm_options=options)
    options["group_size"] = 4
    assert run.norm_options == {"group_size": 8}
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.lr = 0.3


@pytest.mark.parametrize("lr", [0, -0.1, math.nan, math.inf, -math.inf, True, "0.1", None])
def test_lr_must_be_positive_and_finite(lr):
    with pytest.raises(ValueError, match="lr must be a positive, finite number, got "):
        Run(lr=lr)


@pytest.mark.parametrize("name", ["depth", "width", "batch_size", "steps", "eval_every"])
@pytest.mark.parametrize("value", [0, -1, 1.0, True, "2", None, math.nan, 2**32])
def test_counts_must_be_positive_integers(name, value):
    with pytest.raises(ValueError, match=f"{name} must be an integer between 1 and 2"):
        Run(**{name: value})


@pytest.mark.parametrize("name", ["seed", "split_seed"])
@pytest.mark.parametrize("value", [-1, 1.0, False, "0", None, 2**32])
def test_seeds_must_be_integers_of_32_bits(name, value):
    with pytest.raises(ValueError, match=rf"{name} must be an integer between 0 and 2\*\*32 - 1, "):
        Run(**{name: value})
    assert Run(**{name: 0}).key() != Run(**{name: 2**32 - 1}).key()


@pytest.mark.parametrize(
    "fields, message",
    [
        (
            {"net": "mpl"},
            r"unknown net 'mpl'\. Did you mean 'mlp'\? Known: mlp, plain, resnet, b",
        ),
        ({"data": "digit"}, r"unknown data 'digit'\. Did you mean 'digits'"),
        ({"precision": "float16"}, r"unknown precision 'float16'.* Known: float32, float64\."),
        ({"norm": "btach"}, r"unknown normalizer 'btach'\. Did you mean 'batch'"),
        ({"norm_options": {"eps": 1.0}}, "unknown option of normalizer 'none': 'eps'"),
        ({"optimizer": "sdg"}, r"unknown optimizer 'sdg'\. Did you mean 'sgd'\? Known: sgd, adam"),
        ({"optimizer_options": {"betas": 1}}, "unknown option of optimizer 'sgd': 'betas'"),
        ({"sampler": "ii"}, r"unknown sampler 'ii'\. Did you mean 'iid'"),
        ({"sampler": "k_classes"}, "sampler 'k_classes' needs the option 'k'"),
        ({"weight_norm": "weight_nrom"}, r"unknown weight_norm .* Did you mean 'weight_norm'"),
        ({"weight_norm_options": {"eps": 1}}, "unknown option of weight_norm 'none': 'eps'"),
        ({"net_options": {"branch": "fixup"}}, "unknown option of net 'mlp': 'branch'"),
        ({"loss": "mse"}, "unknown loss 'mse'.* Known: cross_entropy, squared_error"),
        ({"clip": 0}, "clip must be a positive, finite number, got 0"),
        ({"label_noise": 1.5}, "label_noise must be a finite number between 0 and 1, got 1.5"),
        ({"gamma": -1}, "gamma must be a finite number of 0 or more, got -1"),
        ({"norm_options": None}, "norm_options must be a dict of numbers, .* got None"),
        ({"norm_options": [("eps", 1)]}, "norm_options must be a dict of numbers"),
        ({"sampler_options": {"k": {1}}}, "sampler_options must be a dict of numbers, strings"),
    ],
)
def test_unknown_names_and_options(fields, message):
    with pytest.raises(ValueError, match=message):
        Run(**fields)


def test_a_file_with_an_unknown_field_is_refused():
    message = r"unknown field of a Run 'learning_rate'\. .*Known: data, image_size, .*, precision\."
    with pytest.raises(ValueError, match=message):
        Run.from_dict({**Run().to_dict(), "learning_rate": 0.1})
    with pytest.raises(
        ValueError, match=r"unknown field of a Run 'batchsize'\. Did you mean 'batch_s"
    ):
        Run().replace(batchsize=3)


def test_replace_checks_again():
    with pytest.raises(ValueError, match="lr must be a positive"):
        Run().replace(lr=0)
