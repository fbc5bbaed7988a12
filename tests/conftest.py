"""What all tests share: one thread, repeatable examples, a guard for torch's random state."""

from collections.abc import Iterator

import hypothesis
import pytest
import torch

from bnlab.claims import CLAIMS, Claim

# The same examples on every run: a test that fails once fails again. No deadline: a busy machine
# is not a bug.
hypothesis.settings.register_profile("bnlab", derandomize=True, deadline=None, max_examples=40)
hypothesis.settings.load_profile("bnlab")

LONG = {"compiled", "web"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes minutes first: begun last, it would leave the other processes idle."""
    items.sort(key=lambda item: not LONG & {*item.nodeid.split("/")})


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Small matrices are slower with more, and sums must not depend on the machine's cores."""
    torch.set_num_threads(1)


@pytest.fixture
def torch_random_state_stays() -> Iterator[None]:
    """Fail if the test draws from torch's global generator or seeds it."""
    before = torch.get_rng_state()
    yield
    assert torch.equal(torch.get_rng_state(), before), "torch's global random state has changed"


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a claim that nobody has measured; beside it stands one that cannot be tested."""
    paper = {"paper": "nobody1999", "authors": "Nobody 1999", "sentence": "Nets dream."}
    one = Claim("X1", **paper)
    other = Claim("X2", **paper, untestable="It takes sleep.", instead="Whether they rest.")
    for item in (one, other):
        monkeypatch.setitem(CLAIMS, item.id, item)
    return one.id
