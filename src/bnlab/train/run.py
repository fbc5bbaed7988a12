"""A Run says everything that is needed to repeat one training."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import operator
from dataclasses import dataclass, field

from bnlab.data import DATASETS, check_sampler
from bnlab.errors import check_name, unknown
from bnlab.nets import NETS
from bnlab.norms import check_options, make_norm
from bnlab.train.optimizers import check_optimizer

PRECISIONS = ("float32", "float64")


@dataclass(frozen=True)
class Run:
    """One training: data, sampler, net, normalizer, optimizer, numbers of steps, seed.

    Attributes:
        data: name of the data set.
        sampler: ``iid``, ``one_class`` or ``k_classes`` (which takes the option ``k``).
        sampler_options: options of the sampler.
        net: ``mlp``, ``plain`` or ``resnet``.
        depth: hidden layers, convolutions or residual blocks.
        width: units or channels.
        norm: name of the normalizer.
        norm_options: options of the normalizer, such as ``group_size``.
        optimizer: ``sgd`` or ``adam``.
        optimizer_options: options of torch's optimizer, such as ``momentum``.
        lr: learning rate, constant.
        batch_size: images a step.
        steps: updates of the weights.
        eval_every: steps between two evaluations on the validation images.
        seed: initial weights and batches.
        split_seed: which images are for training, validation and test.
        precision: ``float32`` or ``float64``.

    Raises:
        ValueError: for an unknown name or option or a number out of range, with what is possible.
    """

    data: str = "digits"
    sampler: str = "iid"
    sampler_options: dict[str, object] = field(default_factory=dict)
    net: str = "mlp"
    depth: int = 6
    width: int = 64
    norm: str = "none"
    norm_options: dict[str, object] = field(default_factory=dict)
    optimizer: str = "sgd"
    optimizer_options: dict[str, object] = field(default_factory=dict)
    lr: float = 0.1
    batch_size: int = 64
    steps: int = 200
    eval_every: int = 20
    seed: int = 0
    split_seed: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name, known in (("data", DATASETS), ("net", NETS), ("precision", PRECISIONS)):
            check_name(name, getattr(self, name), known)
        for name in ("sampler_options", "norm_options", "optimizer_options"):
            object.__setattr__(self, name, _as_in_json(name, getattr(self, name)))
        check_sampler(self.sampler, self.sampler_options)
        check_options(self.norm, self.norm_options)
        check_optimizer(self.optimizer, self.optimizer_options)
        for name in ("depth", "width", "batch_size", "steps", "eval_every"):
            self._check_integer(name, 1)
        for name in ("seed", "split_seed"):
            self._check_integer(name, 0)
        make_norm(self.norm, self.width, **self.norm_options)  # a bad option fails here, not later
        self._check_lr()

    def _check_lr(self) -> None:
        try:
            lr = math.nan if isinstance(self.lr, bool) else float(self.lr)
        except (TypeError, ValueError, OverflowError):
            lr = math.nan
        if isinstance(self.lr, str) or not 0 < lr < math.inf:
            raise ValueError(f"lr must be a positive, finite number, got {self.lr!r}.")
        object.__setattr__(self, "lr", lr)  # 1 and 1.0 are one Run

    def _check_integer(self, name: str, least: int) -> None:
        value = getattr(self, name)
        is_integer = hasattr(value, "__index__") and not isinstance(value, bool)
        if is_integer:  # numpy's integers too
            object.__setattr__(self, name, operator.index(value))
        if not is_integer or not least <= value < 2**32:
            raise ValueError(
                f"{name} must be an integer between {least} and 2**32 - 1, got {value!r}."
            )

    def replace(self, **changes: object) -> Run:
        """A copy with some fields changed, checked anew."""
        self._check_fields(changes)
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, object]:
        """All fields, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: dict[str, object]) -> Run:
        """The Run with these fields; missing ones take their defaults.

        Raises:
            ValueError: for a field that a Run does not have.
        """
        if not isinstance(fields, dict):
            raise ValueError(f"the fields of a Run must be a dict, got {fields!r}.")
        cls._check_fields(fields)
        return cls(**fields)

    @classmethod
    def _check_fields(cls, fields: dict[str, object]) -> None:
        known = [f.name for f in dataclasses.fields(cls)]
        for name in fields:
            if name not in known:
                raise ValueError(unknown("field of a Run", name, known))

    def key(self) -> str:
        """A name for the content of this Run: 16 hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return self.key() == other.key() if isinstance(other, Run) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key())


def _as_in_json(name: str, options: object) -> dict[str, object]:
    # A copy that the caller cannot change, equal to itself after a trip through a file.
    wrong = f"{name} must be a dict of numbers, strings, lists and booleans, got {options!r}."
    if not isinstance(options, dict):
        raise ValueError(wrong)
    try:
        return json.loads(json.dumps(options, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(wrong) from error
