"""bnlab: normalizers, small nets, and measurements that put claims about normalization to the test.

Imports go one way: ``errors, random, digest, store, draw <- norms, data <- optim, nets, methods
<- runs <- engines, measure <- train <- sweep <- verdicts <- chapters <- claims, check <- show,
lab``.
Importing ``bnlab`` loads none of them, so that ``import bnlab`` is quick.
"""

__version__ = "0.1.0"
