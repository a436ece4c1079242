"""A differentiable network fitted on a table: the relaxation of tables that do not answer for a whole space.

Five small perceptrons learn the validation error and the logarithm of the training seconds of the rows of a
table from the operations on their edges, one-hot. A mixture is the same input with shares in place of ones
and zeros, so that it has an error in between, and a gradient. Like the multilinear extension
(``multilinear``) this is an analogue: no weights are shared, and what lies between architectures is a model's
guess.

1. The input of an edge are the shares of its operations; of an edge that an architecture does not keep,
   ``none``. Where a space keeps ``kept`` edges of each node, the shares of a node that has more are
   scaled down together and the rest counts as ``none``: a mixture then lies among the architectures.
2. Half of each minibatch are straight mixtures of two architectures, with errors mixed alike (mixup), so that
   the networks are smooth where no architecture is.
3. Each network leaves out another fifth of the rows, by which the fit is judged: ``kendall_tau`` is the rank
   correlation between predicted and recorded errors of rows that the predicting network never saw.

An architecture is read off among the rows of the table: the one whose operations are strongest in sum, which
without that restriction is what a space reads off by itself. A code that is scored need not be in the table.
Everything random comes from the content hash of the table. Prices are those of ``analogue``.

Source: systems that search on a differentiable predictor, such as Luo et al. 2018; Zhang et al. 2018 for
mixup. The form of the input and the reading among rows are ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, MissingExtra
from nasbench.records import Code
from nasbench.seeds import generator
from nasbench.spaces.relaxed import NONE, RelaxedSpace, relaxed_form
from nasbench.store.table import Table
from nasbench.surrogates.analogue import Analogue, Floats, operation_seconds

if TYPE_CHECKING:
    import torch

_MEMBERS = 5  # networks, and parts of the rows
_WIDTH = 64  # units of the two hidden layers
_STEPS = 1_500
_BATCH = 64
_RATE, _DECAY = 3e-3, 1e-4  # Adam's; the rate falls to zero as a cosine
_ROWS_A_PARAMETER = 2  # rows wanted for each parameter of a sum over edges, the simplest model of a table


def rows_wanted(form: RelaxedSpace) -> int:
    """Say how many architectures a table needs for a network to be fitted on it."""
    edges, operations = len(form.names), len(form.names[0])
    return _ROWS_A_PARAMETER * (1 + edges * (operations - 1))


class MeasuredForm:
    """The form of a space of which a table holds some architectures: they alone are read off.

    Args:
        form: That of the space; all but ``architecture`` is its.
        codes: (n, L) architectures of the table.
    """

    def __init__(self, form: RelaxedSpace, codes: npt.NDArray[np.int8]) -> None:
        self.names, self.nodes, self.kept = form.names, form.nodes, form.kept
        self.choosable = form.choosable
        self.chosen = form.chosen
        self._codes = codes
        self._has = (form.chosen(codes) & form.choosable).reshape(len(codes), -1).astype(np.float64)

    def architecture(self, strengths: npt.ArrayLike) -> Code:
        """Return the architecture of the table whose operations are strongest in sum, the first of equals."""
        flat = np.asarray(strengths, dtype=np.float64).ravel()
        return tuple(self._codes[int((self._has @ flat).argmax())].tolist())


class FittedNetwork:
    """Perceptrons that know the errors and seconds of a table's architectures, and guess the rest.

    Args:
        form: The edges and operations of the space.
        codes: (n, L) architectures.
        errors: (n,) their validation errors, fractions in [0, 1].
        seconds: (n,) their training seconds, > 0.
        rng: The only source of randomness.

    Attributes:
        kendall_tau: Rank correlation of predicted and recorded errors of rows that were left out.

    Raises:
        BadOption: There are too few architectures.
        MissingExtra: torch is absent.
    """

    def __init__(
        self,
        form: RelaxedSpace,
        codes: npt.NDArray[np.int8],
        errors: Floats,
        seconds: Floats,
        *,
        rng: np.random.Generator,
    ) -> None:
        try:
            import torch
        except ImportError as error:
            raise MissingExtra.of("torch", "torch", "A network fitted on a table") from error
        if len(codes) < rows_wanted(form):
            raise BadOption(
                f"table: expected at least {rows_wanted(form)} trained architectures to fit a differentiable "
                f"network on, got {len(codes)}. Add some with nasbench populate, or search live: --source "
                "live:DATA"
            )
        self._form = form
        inputs = form.chosen(codes).reshape(len(codes), -1).astype(np.float64)
        targets = np.stack([errors, np.log(seconds)], axis=1)
        self._mean, self._scale = targets.mean(axis=0), targets.std(axis=0) + 1e-12
        part = rng.permutation(len(codes)) % _MEMBERS  # that each row belongs to
        with _one_thread(), torch.enable_grad():
            self._layers = self._fit(inputs, (targets - self._mean) / self._scale, part, rng)
        members = self._members(inputs)
        left_out = members[part, np.arange(len(codes)), 0]
        from scipy.stats import kendalltau

        self.kendall_tau = float(kendalltau(left_out, errors).statistic)

    def _fit(
        self, inputs: Floats, targets: Floats, part: npt.NDArray[np.int64], rng: np.random.Generator
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Fit all members at once, each on the rows of the other parts."""
        import torch

        sizes = [inputs.shape[1], _WIDTH, _WIDTH, targets.shape[1]]
        layers = []
        for i, o in itertools.pairwise(sizes):
            weights = rng.standard_normal((_MEMBERS, i, o)) * np.sqrt(2.0 / (i + o))
            layers.append((_parameter(weights), _parameter(np.zeros((_MEMBERS, 1, o)))))
        flat = [parameter for layer in layers for parameter in layer]
        optimizer = torch.optim.AdamW(flat, lr=_RATE, weight_decay=_DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, _STEPS)
        x, y = torch.from_numpy(inputs), torch.from_numpy(targets)
        rows = [np.flatnonzero(part != member) for member in range(_MEMBERS)]
        size = min(_BATCH, min(map(len, rows)))
        for _ in range(_STEPS):
            pairs = np.stack([own[rng.integers(0, len(own), (2, size))] for own in rows], axis=1)
            shares = np.where(np.arange(size) % 2, rng.random((_MEMBERS, size)), 1.0)
            share = torch.from_numpy(shares)[:, :, None]  # of the first of two, (members, size, 1)
            first, second = torch.from_numpy(pairs[0]), torch.from_numpy(pairs[1])
            found = _forward(layers, share * x[first] + (1.0 - share) * x[second])
            loss = (found - (share * y[first] + (1.0 - share) * y[second])).square().mean(dim=(1, 2)).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        return [(weights.detach(), biases.detach()) for weights, biases in layers]

    def _members(self, inputs: Floats) -> Floats:
        """Ask every member about (n, E O) inputs: errors and log-seconds, (members, n, 2)."""
        import torch

        with _one_thread(), torch.no_grad():
            found = _forward(self._layers, torch.from_numpy(inputs)).numpy()
        members: Floats = found * self._scale + self._mean
        return members

    def predict(self, codes: npt.NDArray[np.int8]) -> tuple[Floats, Floats]:
        """Predict the validation errors, in [0, 1], and the training seconds of (n, L) codes, (n,) each."""
        inputs = self._form.chosen(codes).reshape(len(codes), -1).astype(np.float64)
        errors, logarithms = self._members(inputs).mean(axis=0).T
        return np.clip(errors, 0.0, 1.0), np.exp(logarithms)

    def slope(self, shares: Floats) -> tuple[float, Floats]:
        """Predict the error of a mixture of shares (E, O), and its gradient in them."""
        import torch

        with _one_thread(), torch.enable_grad():
            at = torch.from_numpy(shares).requires_grad_()
            found = _forward(self._layers, among_architectures(self._form, at).reshape(1, -1))[:, 0, 0].mean()
            error = found * self._scale[0] + self._mean[0]
            (gradient,) = torch.autograd.grad(error, at)
        return float(error.detach()), gradient.numpy()


def among_architectures(form: RelaxedSpace, shares: torch.Tensor) -> torch.Tensor:
    """Scale the shares of nodes with more edges than are kept, so that a mixture lies among architectures."""
    import torch

    if form.kept is None:
        return shares
    nothing = torch.tensor([[float(name == NONE) for name in names] for names in form.names]).to(shares)
    something = 1.0 - nothing
    there = (shares * something).sum(dim=1)  # (E,)
    scale = torch.ones_like(there)
    for node in form.nodes:
        edges = torch.tensor(node)
        total = there[edges].sum()
        if float(total.detach()) > form.kept:
            scale = scale.index_put((edges,), (form.kept / total).expand(len(node)))
    scaled = shares * something * scale[:, None]
    return scaled + nothing * (1.0 - scaled.sum(dim=1, keepdim=True))


class FittedRelaxation(Analogue):
    """A fitted network as a relaxation; one a run, for it meters what the run has cost.

    Args:
        network: The network.
        form: That of the space, read among the rows of the table.
        common_seconds, operation_seconds, epoch_steps: As of ``Analogue``.
    """

    def __init__(
        self,
        network: FittedNetwork,
        form: RelaxedSpace,
        *,
        common_seconds: float,
        operation_seconds: Floats,
        epoch_steps: int = 100,
    ) -> None:
        super().__init__(
            form,
            common_seconds=common_seconds,
            operation_seconds=operation_seconds,
            epoch_steps=epoch_steps,
        )
        self.network = network

    def _expected(self, shares: Floats) -> tuple[float, Floats]:
        return self.network.slope(shares)

    def score(self, codes: npt.NDArray[np.int8]) -> Floats:
        """Predict the errors of (n, L) architectures, (n,)."""
        for chosen in self.form.chosen(codes):
            self._charge(chosen)
        return self.network.predict(codes)[0]


class FittedTable:
    """Fits a table once, and makes a relaxation of it for each run.

    Args:
        table: The table; rows without an error are left out.

    Raises:
        BadOption: Its space has no form, or it has too few rows.
        MissingExtra: torch is absent.
    """

    def __init__(self, table: Table) -> None:
        form = relaxed_form(table.space)
        if form is None:
            raise BadOption(
                f"space: expected one that says what its edges are, got {table.space.name}. The spaces darts "
                "and nb201 do."
            )
        errors, seconds = table.mean("valid_error"), table.mean("train_seconds")
        known = np.isfinite(errors) & (seconds > 0)
        codes = np.asarray(table.codes)[known]
        rng = generator(int(table.content_hash[:15], 16), "relaxed")
        self.network = FittedNetwork(form, codes, errors[known], seconds[known], rng=rng)
        self._form = MeasuredForm(form, codes)
        self._prices = operation_seconds(form.chosen(codes), seconds[known] / table.epochs[-1])

    def relaxation(self) -> FittedRelaxation:
        """Make the relaxation of a run, which has cost nothing yet."""
        common, operations = self._prices
        return FittedRelaxation(self.network, self._form, common_seconds=common, operation_seconds=operations)


def _parameter(values: Floats) -> torch.Tensor:
    import torch

    return torch.from_numpy(values).requires_grad_()


def _forward(layers: list[tuple[torch.Tensor, torch.Tensor]], x: torch.Tensor) -> torch.Tensor:
    """Map (members, n, in) or (n, in) to (members, n, 2)."""
    from torch.nn import functional

    for weights, biases in layers[:-1]:
        x = functional.silu(x @ weights + biases)
    weights, biases = layers[-1]
    return x @ weights + biases


@contextmanager
def _one_thread() -> Iterator[None]:
    """Compute in one thread: sums then come in one order, and small products wait for nobody."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
