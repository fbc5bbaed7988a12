"""bnlab: normalizers, small nets, and measurements that put claims about normalization to the test.

Dependencies point one way: ``norms <- nets <- train <- measure <- claims <- lab, show``.
Importing ``bnlab`` loads none of them, so that ``import bnlab`` is quick.
"""

__version__ = "0.1.0"
