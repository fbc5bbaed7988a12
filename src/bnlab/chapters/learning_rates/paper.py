"""The paper of this chapter, as its claims name it."""

from __future__ import annotations

BJORCK = {
    "paper": "bjorck2018",
    "authors": "Bjorck et al. 2018",
    "chapter": "03_learning_rates",
}
