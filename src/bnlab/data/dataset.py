"""A data set in memory, split three ways, and checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels of three disjoint parts.

    A learning rate is chosen on the validation part, never on the test part.

    The arrays are read-only: a change in place would change every later training on them.

    Attributes:
        name: what it is.
        num_classes: labels are 0 to num_classes - 1.
        train_x: float32, (n, C, H, W). Likewise ``val_x`` and ``test_x``.
        train_y: int64, (n,). Likewise ``val_y`` and ``test_y``.
        source: where it comes from, as evidence names it; empty for the data set's own files.

    Raises:
        ValueError: for an empty part, NaN or infinite inputs, shapes or labels that do not fit.
    """

    name: str
    num_classes: int
    train_x: np.ndarray
    train_y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray
    source: str = ""

    def __post_init__(self) -> None:
        for part in ("train", "val", "test"):
            for name in (f"{part}_x", f"{part}_y"):
                view = getattr(self, name).view()  # the caller's own array stays writable
                view.flags.writeable = False
                object.__setattr__(self, name, view)
            x, y = getattr(self, f"{part}_x"), getattr(self, f"{part}_y")
            where = f"{part} part of data set {self.name!r}"
            if x.size == 0:
                raise ValueError(f"The {where} is empty; give it at least one image.")
            if x.ndim != 4 or y.shape != x.shape[:1] or x.shape[1:] != self.train_x.shape[1:]:
                raise ValueError(
                    f"The {where} must have images (n, C, H, W) and labels (n,), "
                    f"got {x.shape} and {y.shape}."
                )
            if y.dtype != np.int64:
                raise ValueError(
                    f"Labels of the {where} must be int64, got {y.dtype}; use y.astype(np.int64)."
                )
            if not np.isfinite(x).all():
                raise ValueError(
                    f"The {where} holds NaN or infinite values; remove or replace them first."
                )
            if y.min() < 0 or y.max() >= self.num_classes:
                raise ValueError(
                    f"Labels of the {where} must lie between 0 and {self.num_classes - 1}, "
                    f"got {y.min()} to {y.max()}."
                )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """The shape (C, H, W) of one image."""
        return self.train_x.shape[1:]
