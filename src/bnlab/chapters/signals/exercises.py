"""The exercises of chapter 02. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

BLOCKS = 18


def variances(answer: object) -> str:
    """02.1: the variances that leave a net whose blocks add, and one whose blocks double."""
    if not isinstance(answer, tuple | list) or len(answer) != 2 or None in answer:
        return "Give two numbers: (variance that leaves net A, variance that leaves net B)."
    adds, doubles = (float(part) for part in answer)
    if math.isclose(adds, BLOCKS):
        return "Net A: nearly. The stream itself had variance 1 when it entered."
    if not math.isclose(adds, BLOCKS + 1):
        return (
            "Net A is not right yet. Variances of independent parts add. Every block adds a branch "
            "of variance 1."
        )
    if math.isclose(doubles, BLOCKS + 1) or math.isclose(doubles, 2 * BLOCKS):
        return "Net B: the branch is as large as the stream that enters it, and this grows."
    if not math.isclose(doubles, 2.0**BLOCKS):
        return f"Net B is not right yet. One block doubles the variance. What do {BLOCKS} of them?"
    return ""


def _similarity(a: Tensor, centred: bool = False, pairs: bool = True, unit: bool = True) -> float:
    rows = a.flatten(1)
    rows = rows - rows.mean(1, keepdim=True) if centred else rows
    rows = rows / rows.norm(dim=1, keepdim=True) if unit else rows
    products, n = rows @ rows.T, len(rows)
    if not pairs:
        return float(products.mean())
    return float((products.sum() - products.trace()) / (n * (n - 1)))


def similarity(answer: object) -> str:
    """02.2: mean cosine between different samples."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('02.2', similarity)."
    generator = torch.Generator().manual_seed(0)
    for shape in ((6, 3, 4, 5), (3, 8, 1, 1)):
        a = torch.rand(shape, generator=generator, dtype=torch.float64) + 0.2
        hint = _compare_similarity(answer, a)
        if hint:
            return hint
    return ""


def _compare_similarity(answer: Callable, a: Tensor) -> str:
    given = a.clone()
    found = answer(given)
    if found is None:
        return "Your function returns nothing yet. End it with return and a number."
    if not torch.equal(given, a):
        return "Your function changes the activations that it is given. Divide into a new tensor."
    found = torch.as_tensor(found)
    if found.numel() != 1:
        return f"Give one number, the mean over the pairs, not a tensor of {found.numel()}."
    value, right = float(found), _similarity(a)
    if math.isclose(value, right, rel_tol=1e-6):
        return ""
    n, channels = len(a), a.transpose(0, 1)
    wrong = {
        "A sample and itself are no pair. Leave the diagonal out.": _similarity(a, pairs=False),
        "You subtract a mean. Here the cosine is taken from the origin.": _similarity(
            a, centred=True
        ),
        "These are products. Divide each vector by its length first.": _similarity(a, unit=False),
        "You compare channels. Each sample is one vector: a.flatten(1).": _similarity(channels),
        "You sum over the pairs. Divide by their number, n (n - 1).": right * n * (n - 1),
        "You divide by n². There are n (n - 1) pairs of different samples.": right * (n - 1) / n,
    }
    for hint, number in wrong.items():
        if math.isclose(value, number, rel_tol=1e-6):
            return hint
    return f"Your function gives {value:.4g}, expected {right:.4g}, for shape {tuple(a.shape)}."


def _profiles() -> Iterator[tuple[str, np.ndarray, str]]:
    random = np.random.default_rng(0)

    def noisy(values: np.ndarray) -> np.ndarray:
        return values * np.exp(0.02 * random.standard_normal(len(values)))

    for blocks, slope in ((40, 0.5), (18, 1.0), (10, 0.3)):
        depth = np.arange(1, blocks + 1)
        text = f"a net of {blocks} blocks whose variance grows by {slope:g} a block"
        yield text, noisy(1 + slope * depth), "linear"
    for blocks, factor in ((10, 1.2), (18, 2.0), (40, 1.1)):
        depth = np.arange(1, blocks + 1)
        text = f"a net of {blocks} blocks whose variance grows by a factor of {factor:g} a block"
        yield text, noisy(factor**depth), "exponential"


def law(answer: object) -> str:
    """02.3: a function that tells linear from exponential growth."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('02.3', law)."
    found = [(text, answer(values.copy()), right) for text, values, right in _profiles()]
    words = {word for _, word, _ in found if isinstance(word, str)}
    if any(word is None for _, word, _ in found):
        return "Your function returns nothing yet. End it with return and a word."
    if not words <= {"linear", "exponential"} or any(not isinstance(w, str) for _, w, _ in found):
        return 'Answer with one of two words: "linear" or "exponential".'
    wrong = [(text, right) for text, word, right in found if word != right]
    if not wrong:
        return ""
    if len(words) == 1:
        return f"Your function always says {words.pop()!r}."
    text, right = wrong[0]
    return (
        f"Wrong for {text}: that is {right}. How large the growth is does not tell its law; on "
        "which axis, linear or logarithmic, the values lie on a line does."
    )


EXERCISES = {
    "02.1": variances,
    "02.2": similarity,
    "02.3": law,
}
