"""What ``swap_norms`` did, and what it did not."""

from __future__ import annotations

from dataclasses import dataclass

from bnlab.norms.registry import NORMS
from bnlab.norms.running import RunningNormalizer


@dataclass(frozen=True)
class Swap:
    """One normalizer that was replaced.

    Attributes:
        paths: where it is in the model; more than one if the model uses the module repeatedly.
        before: the old module, as it prints itself.
        after: the new module, as it prints itself.
        kept: names of the parameters and buffers that were taken over.
        dropped: names of those for which the new normalizer has no use.
    """

    paths: tuple[str, ...]
    before: str
    after: str
    kept: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """One normalizer that could not be replaced: where it is, what it is, and why."""

    paths: tuple[str, ...]
    module: str
    reason: str

    def __str__(self) -> str:
        return f"{_places(self.paths)}: {self.module}: {self.reason}"


@dataclass(frozen=True)
class SwapReport:
    """What ``swap_norms`` did. It prints as a list.

    Attributes:
        name: the new normalizer.
        changed: a ``Swap`` for each module that was replaced, in the order of the model.
        refused: a ``Refusal`` for each that was left as it is.
        overlooked: the path and class of each module that was left as it is, because nothing but
            its name, or the name of a function that its forward calls, says that it may normalize.
    """

    name: str
    changed: tuple[Swap, ...]
    refused: tuple[Refusal, ...]
    overlooked: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"swap_norms to {self.name!r}: {len(self.changed)} replaced"]
        for swap in self.changed:
            kept = f"; kept {', '.join(swap.kept)}" if swap.kept else ""
            dropped = f"; dropped {', '.join(swap.dropped)}" if swap.dropped else ""
            lines.append(f"  {_places(swap.paths)}: {swap.before} -> {swap.after}{kept}{dropped}")
        if self.changed and getattr(NORMS[self.name], "activates", False):
            lines.append("it contains a nonlinearity: activations that follow it are one too many")
        if any("BatchNorm" in swap.before for swap in self.changed) and self._follows_batches():
            lines.append(
                "torch's helpers for BatchNorm (swa_utils.update_bn, convert_sync_batchnorm) pass "
                "over them; recompute_statistics takes the place of update_bn"
            )
        if self.refused:
            lines.append(f"{len(self.refused)} left as they are")
            lines += [f"  {refusal}" for refusal in self.refused]
        if self.overlooked:
            lines.append(f"perhaps normalizers, left as they are: {', '.join(self.overlooked)}")
        return "\n".join(lines)

    def _follows_batches(self) -> bool:
        return issubclass(NORMS[self.name], RunningNormalizer)


def _places(paths: tuple[str, ...]) -> str:
    return " = ".join(path or "the model itself" for path in paths)
