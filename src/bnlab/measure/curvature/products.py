"""Products of a vector with the Hessian, the Gauss-Newton and the Fisher matrix of any net.

The graph is built once, so that all products of a measurement see the same batch statistics, the
same noise and the same dropout.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked, require
from bnlab.errors import check_name
from bnlab.measure.curvature.difference import compare
from bnlab.measure.curvature.held_statistics import held_statistics
from bnlab.measure.curvature.matrices import MATRICES, Apply, Zeros
from bnlab.measure.curvature.precision import full_products, is_coarse
from bnlab.measure.kit.arguments import check_mode, check_sizes, check_trainable, check_weights
from bnlab.measure.kit.forward_state import ForwardState
from bnlab.measure.kit.inputs import forward, tensors_in
from bnlab.measure.kit.loss import Loss, finite_loss, loss_of
from bnlab.measure.kit.measuring import measuring
from bnlab.measure.kit.slopes import check_not_reentrant
from bnlab.norms.base import Normalizer

BATCH_STATISTICS = ("backpropagated", "constant")
DENSE = 5000  # rows; such a matrix has 200 MB in float64


class Product:
    """The map v -> M v for a symmetric matrix M over the parameters that require a gradient.

    Attributes:
        size: P, how many numbers these parameters hold; v and M v have shape (P,), in the order of
            ``net.parameters()``, each parameter flattened.
        dtype: that of the parameters; products are computed in it.
        device: where they are.
        count: products computed so far.
        mode: in which the net is: ``train``, ``eval``, or ``mixed``; None without a net.
        coarse: whether products are computed in fewer digits than float32 has, as with numbers of
            16 bits and under autocast: then no bound of an error can be told from them.
        after_each: called after each product; None for nothing.
        zeros: a function that says how many of the smallest eigenvalues are 0 by algebra, see
            ``curvature_products``; None for a matrix with eigenvalues of both signs.
    """

    zeros: Zeros = None
    mode: str | None = None
    coarse: bool = False
    after_each: Callable[[], None] | None = None

    @checked
    def __init__(self, parameters: Sequence[Tensor], apply: Apply, zeros: Zeros = None) -> None:
        require(len(parameters) > 0, "parameters must be one tensor or more, got none.")
        self._parameters, self._apply, self.zeros = list(parameters), apply, zeros
        self.size = sum(p.numel() for p in parameters)
        self.device = parameters[0].device
        self.dtype = parameters[0].dtype
        for p in parameters:
            self.dtype = torch.promote_types(self.dtype, p.dtype)
        self.count = 0

    def __call__(self, v: Tensor) -> Tensor:
        """The product M v.

        Raises:
            ValueError: for a v of another shape than (P,), or if the product is not finite.
        """
        if tuple(v.shape) != (self.size,):
            raise ValueError(f"v must have shape ({self.size},), got {tuple(v.shape)}.")
        pieces = v.to(self.device).split([p.numel() for p in self._parameters])
        with torch.enable_grad():
            parts = self._apply(
                [a.reshape(p.shape).to(p) for a, p in zip(pieces, self._parameters, strict=True)]
            )
        self.count += 1
        if self.after_each is not None:
            self.after_each()
        out = self._flat(parts)
        if not out.isfinite().all():
            raise ValueError(
                "the product with the curvature is not finite: a second derivative is."
            )
        return out

    def numpy(self, v: np.ndarray) -> np.ndarray:
        """The product M v for a float64 array (P,), as scipy's solvers want it."""
        return self(torch.from_numpy(v.reshape(-1)).to(self.dtype)).double().cpu().numpy()

    def dense(self) -> np.ndarray:
        """The matrix itself, (P, P) float64, by P products.

        Raises:
            ValueError: for more than 5000 rows.
        """
        if self.size > DENSE:
            raise ValueError(
                f"a dense matrix of {self.size} x {self.size} numbers is too large (at most "
                f"{DENSE} rows). Eigenvalues, trace and density need products only."
            )
        rows = torch.eye(self.size, dtype=self.dtype)
        return np.stack([self(row).double().cpu().numpy() for row in rows])

    def _flat(self, parts: Sequence[Tensor | None]) -> Tensor:
        pairs = zip(parts, self._parameters, strict=True)
        filled = [torch.zeros_like(p) if part is None else part for part, p in pairs]
        return torch.cat([part.detach().reshape(-1).to(self.dtype) for part in filled])


@checked
@contextlib.contextmanager
def curvature_products(
    net: nn.Module,
    loss: Loss | None,
    x: object,
    y: object = None,
    *,
    kind: str = "hessian",
    mode: str | None = None,
    batch_statistics: str = "backpropagated",
) -> Iterator[Product]:
    r"""Products with a curvature matrix of ``net`` on a batch; valid inside of the ``with``.

    With f = net(x), all outputs of the batch, L = loss(f, y) and J = df/dtheta,

        hessian:       H = d^2 L / dtheta^2
        gauss_newton:  G = J^T (d^2 L / df^2) J
        fisher:        F = (1/N) J^T J = (1/N) sum_n sum_k grad f_k(x_n) grad f_k(x_n)^T

    H v is one backward pass through the gradient's graph. J v is the derivative, in the direction
    v, of u -> J^T u, which is linear in u; so both matrices of squares are reverse mode twice too.
    F is the Fisher matrix of the model y ~ N(f, 1), as in Wei et al. 2019 (arXiv 1903.02606,
    equation 2); it needs no loss. That of a classifier (with the model's own probabilities, not the
    labels) is G of the mean cross entropy.

    G and F map through the outputs, so with more parameters than outputs (samples times numbers a
    sample) at least as many eigenvalues are 0 as there are more. Those of F are never negative, nor
    are those of G if the loss is convex in the output, such as cross entropy and squared error.

    Where a normalizer stops gradients, as Batch Renormalization does at r and d, what is stopped is
    a number in the second derivative too: the matrix is that of the loss with these numbers fixed,
    and symmetric. Where the net or the loss has an autograd function that is not torch's own, one
    product is compared with a difference of gradients, and a warning says if they differ: such a
    function may have no second derivative, and give zero for it without a word.

    Args:
        net: any module. It is left bit for bit as it was, also if interrupted.
        loss: ``loss(output, target)``, a scalar. Not used, and may be None, for ``fisher``.
        x: the batch; several inputs as a tuple, or by name as a dict.
        y: its targets.
        kind: ``hessian``, ``gauss_newton`` or ``fisher``.
        mode: ``train`` (statistics of the batch) or ``eval`` (running statistics), set inside;
            None: each module in the mode that it has.
        batch_statistics: ``backpropagated``: means and variances of the batch depend on the
            weights, as in training; ``constant``: they are numbers, as Wei et al. count. The
            largest Fisher eigenvalue of the two differs by a factor of 2 to 3. In evaluation mode
            there is no difference.

    Yields:
        A ``Product``.

    Raises:
        ValueError: for an unknown kind, mode or batch_statistics; a net without parameters that
            require a gradient; weights that are not finite; a loss that is not one number, not
            finite, or does not depend on the parameters; statistics that cannot be held; a batch of
            one in training mode.
        TypeError: without a loss, or, but for ``hessian``, for an output that is not one tensor.

    Example:
        >>> net = nn.Linear(2, 1, bias=False)
        >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.zeros(2, 1)
        >>> with curvature_products(net, nn.functional.mse_loss, x, y) as product:
        ...     product.dense().tolist()
        [[1.0, 0.0], [0.0, 9.0]]
    """
    check_name("kind of curvature", kind, MATRICES)
    check_mode(mode)
    check_name("batch_statistics", batch_statistics, BATCH_STATISTICS)
    if kind != "fisher" and not callable(loss):
        raise TypeError(f"{kind} needs a loss(output, target), got {loss!r}.")
    check_trainable(net)
    check_weights(net)
    check_sizes(x, y)
    parameters = [p for p in net.parameters() if p.requires_grad]

    def checked(output: Tensor, target: Tensor | None) -> Tensor:
        return finite_loss(loss_of(loss, output, target), net)

    with contextlib.ExitStack() as stack:
        found_mode = stack.enter_context(measuring(net, mode))
        stack.enter_context(_primitive(net))
        stack.enter_context(full_products(parameters))
        stack.enter_context(torch.inference_mode(False))
        if batch_statistics == "constant":
            stack.enter_context(held_statistics(net))
        start = ForwardState(net)
        with torch.enable_grad(), _math_attention():
            output = forward(net, x)
            check_not_reentrant(tensors_in(output))
            matrix = MATRICES[kind](output, checked, y, parameters)

            def value() -> Sequence[Tensor | None]:
                start.restore()
                return matrix.value(forward(net, x))

            if batch_statistics == "backpropagated":  # held ones are held at these weights alone
                compare(parameters, value, matrix)
        product = Product(parameters, matrix.apply, matrix.zeros)
        product.mode, product.coarse = found_mode, is_coarse([*parameters, *tensors_in(output)])
        yield product


def _math_attention() -> contextlib.AbstractContextManager[None]:
    # The fast kernels of attention have no second derivative.
    attention = getattr(torch.nn, "attention", None)  # torch 2.3
    if attention is None:
        return contextlib.nullcontext()
    return attention.sdpa_kernel(attention.SDPBackend.MATH)


@contextlib.contextmanager
def _primitive(net: nn.Module) -> Iterator[None]:
    # Right in every order of differentiation, whatever the version and device of the kernels.
    switched = [m for m in net.modules() if isinstance(m, Normalizer) and m.native]
    try:
        for module in switched:
            module.native = False
        yield
    finally:
        for module in switched:
            module.native = True
