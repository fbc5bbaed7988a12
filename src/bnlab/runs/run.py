"""A Run says everything that is needed to repeat one training."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import operator
from dataclasses import dataclass, field

from bnlab.data import DATASETS, check_sampler, check_size
from bnlab.errors import check_name, check_number, unknown
from bnlab.methods import check_method
from bnlab.nets import NET_OPTIONS, NETS
from bnlab.norms import check_options, make_norm
from bnlab.norms.weight import WEIGHT_NORMS, weight_norm_options
from bnlab.runs.augment import check_augment
from bnlab.runs.losses import LOSSES
from bnlab.runs.optimizers import check_optimizer
from bnlab.runs.schedules import check_schedule

PRECISIONS = ("float32", "float64")
NAMES = {
    "data": DATASETS,
    "net": NETS,
    "precision": PRECISIONS,
    "weight_norm": ("none", *WEIGHT_NORMS),
    "loss": LOSSES,
}
OPTIONS = (
    "sampler_options",
    "net_options",
    "norm_options",
    "weight_norm_options",
    "method_options",
    "optimizer_options",
    "schedule_options",
)


@dataclass(frozen=True)
class Run:
    """One training: data, sampler, net, normalizer, optimizer, numbers of steps, seed.

    Attributes:
        data: name of the data set.
        image_size: height and width of the images: for CIFAR 32, or 16 (means over 2 x 2 pixels);
            None is the data set's own size.
        sampler: ``iid``, ``one_class``, ``k_classes`` (which takes the option ``k``) or
            ``one_class_from`` (which takes ``step``).
        sampler_options: options of the sampler.
        augment: how training images are changed at random: ``none``, ``flip`` or ``crop_flip``, see
            ``bnlab.runs.augment``. Digits are not augmented.
        label_noise: share of wrong labels among the training images, 0 to 1.
        net: ``mlp``, ``plain``, ``resnet``, ``binary`` or ``supernet``.
        net_options: options of the net, see ``NET_OPTIONS``: ``order``, ``bias``, ``dropout``,
            ``dropout_at`` and ``frozen_statistics`` of ``MLP``; ``branch`` of a resnet or a binary
            net; ``downsample`` of a plain net; ``ops`` of a supernet, and ``path`` for the
            subnet on it alone. Without a path, a supernet is trained on another one at each step
            (``Supernet.sample``), and evaluated on its first.
        depth: hidden layers, convolutions, residual or binary blocks, or choice blocks.
        width: units or channels.
        norm: name of the normalizer.
        norm_options: options of the normalizer, such as ``group_size``.
        gamma: what the weights of the normalizers start at.
        weight_norm: name of the normalizer of weights, or ``none``.
        weight_norm_options: options of ``normalize_weights``, such as ``eligible``.
        method: what is done to a net without normalizers as a whole: ``mimic_cifar`` or
            ``mimic_imagenet`` (MimicNorm, see ``bnlab.methods.mimic``), ``head_norm`` (one
            BatchNorm before the classifier), or ``none``.
        method_options: of MimicNorm ``part``, ``eligible``, ``weight_mean`` and ``variance``.
        loss: ``cross_entropy`` or ``squared_error``.
        optimizer: ``sgd``, ``adam``, ``lawn_sgd`` or ``lawn_adam``.
        optimizer_options: options of ``make_optimizer``, such as ``momentum``. LAWN's
            ``free_steps`` are no more than ``steps``.
        clip: factor of adaptive gradient clipping; None for no clipping.
        lr: learning rate; with a schedule, the largest one.
        schedule: the rate over the steps: ``constant``, ``cosine`` or ``steps``, see
            ``bnlab.runs.schedules``.
        schedule_options: ``warmup`` (steps), and of ``steps`` ``milestones`` and ``gamma``.
        batch_size: images a step.
        steps: updates of the weights.
        eval_every: steps between two evaluations on the validation images.
        seed: initial weights, batches, augmentation, noise and wrong labels.
        split_seed: which images are for training, validation and test.
        precision: ``float32`` or ``float64``.

    Raises:
        ValueError: for an unknown name or option or a number out of range, with what is possible.
    """

    data: str = "digits"
    image_size: int | None = None
    sampler: str = "iid"
    sampler_options: dict[str, object] = field(default_factory=dict)
    augment: str = "none"
    label_noise: float = 0.0
    net: str = "mlp"
    net_options: dict[str, object] = field(default_factory=dict)
    depth: int = 6
    width: int = 64
    norm: str = "none"
    norm_options: dict[str, object] = field(default_factory=dict)
    gamma: float = 1.0
    weight_norm: str = "none"
    weight_norm_options: dict[str, object] = field(default_factory=dict)
    method: str = "none"
    method_options: dict[str, object] = field(default_factory=dict)
    loss: str = "cross_entropy"
    optimizer: str = "sgd"
    optimizer_options: dict[str, object] = field(default_factory=dict)
    clip: float | None = None
    lr: float = 0.1
    schedule: str = "constant"
    schedule_options: dict[str, object] = field(default_factory=dict)
    batch_size: int = 64
    steps: int = 200
    eval_every: int = 20
    seed: int = 0
    split_seed: int = 0
    precision: str = "float32"

    def __post_init__(self) -> None:
        for name, known in NAMES.items():
            check_name(name, getattr(self, name), known)
        for name in OPTIONS:
            object.__setattr__(self, name, _as_in_json(name, getattr(self, name)))
        check_size(self.data, self.image_size)
        check_augment(self.augment, self.data)
        check_sampler(self.sampler, self.sampler_options)
        check_options(self.norm, self.norm_options)
        check_method(self.method, self.method_options, self.net, self.norm)
        check_optimizer(self.optimizer, self.optimizer_options)
        self._check_known("net_options", NET_OPTIONS[self.net], f"net {self.net!r}")
        is_none = self.weight_norm == "none"
        known = () if is_none else ("eligible", *weight_norm_options(self.weight_norm))
        self._check_known("weight_norm_options", known, f"weight_norm {self.weight_norm!r}")
        for name in ("depth", "width", "batch_size", "steps", "eval_every"):
            self._check_integer(name, 1)
        for name in ("seed", "split_seed"):
            self._check_integer(name, 0)
        make_norm(self.norm, self.width, **self.norm_options)  # a bad option fails here, not later
        self._check_positive("lr")
        check_schedule(self.schedule, self.schedule_options, self.steps)
        self._check_free_steps()
        if self.clip is not None:
            self._check_positive("clip")
        for name, high in (("label_noise", 1), ("gamma", math.inf)):
            check_number(name, getattr(self, name), 0, high)
            object.__setattr__(self, name, float(getattr(self, name)))

    def _check_known(self, field_name: str, known: tuple[str, ...], of: str) -> None:
        for option in getattr(self, field_name):
            if option not in known:
                raise ValueError(unknown(f"option of {of}:", option, known))

    def _check_positive(self, name: str) -> None:
        given = getattr(self, name)
        try:
            value = math.nan if isinstance(given, bool) else float(given)
        except (TypeError, ValueError, OverflowError):
            value = math.nan
        if isinstance(given, str) or not 0 < value < math.inf:
            raise ValueError(f"{name} must be a positive, finite number, got {given!r}.")
        object.__setattr__(self, name, value)  # 1 and 1.0 are one Run

    def _check_free_steps(self) -> None:
        free_steps = self.optimizer_options.get("free_steps")
        if isinstance(free_steps, int) and free_steps > self.steps:
            raise ValueError(
                f"free_steps={free_steps} of {self.optimizer!r} is longer than the run of "
                f"{self.steps} steps: LAWN would never constrain a norm. Take at most "
                f"{self.steps}, or None for the base optimizer throughout."
            )

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
        """A name for the content of this Run: 16 hexadecimal digits.

        Only what differs from the defaults counts: a field that a Run is given later, with a
        default that leaves everything as it was, changes no key.
        """
        usual = _defaults()
        changed = {k: v for k, v in self.to_dict().items() if v != usual[k]}
        text = json.dumps(changed, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return self.key() == other.key() if isinstance(other, Run) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.key())


def _defaults() -> dict[str, object]:
    fields = dataclasses.fields(Run)
    return {f.name: {} if f.default is dataclasses.MISSING else f.default for f in fields}


def _as_in_json(name: str, options: object) -> dict[str, object]:
    # A copy that the caller cannot change, equal to itself after a trip through a file.
    wrong = f"{name} must be a dict of numbers, strings, lists and booleans, got {options!r}."
    if not isinstance(options, dict):
        raise ValueError(wrong)
    try:
        return json.loads(json.dumps(options, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(wrong) from error
