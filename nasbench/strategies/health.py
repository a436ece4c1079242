"""Watching a search that shares weights: does the score still rank, and has it collapsed.

At some of its reports a watched search notes

* ``scores``: the one-shot errors of a fixed sample of architectures, the same in every run. The page ranks
  them against what is recorded of these architectures, which the search never sees;
* ``eigenvalue``: the dominant eigenvalue of the Hessian of the validation loss in the architecture's
  parameters, at the mixture that the parameters stand for, on the images that judge architectures. It is the
  Hessian where there is one: kinks of ReLUs bend nothing.

Nothing of it is drawn from the run's generator or paid for: a watched search proposes what it would have
proposed unwatched, at the same price. Where no weights are shared (a table), no scores are noted: they would
be the table itself.

Source: Zela et al. 2020 (Understanding and Robustifying Differentiable Architecture Search) for the
eigenvalue; Zela, Siems and Hutter 2020 (NAS-Bench-1Shot1) for looking the search up as it goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption
from nasbench.records import Health
from nasbench.seeds import generator
from nasbench.spaces import Space
from nasbench.spaces.mixture import Mixture

if TYPE_CHECKING:
    import torch

    from nasbench.strategies.relaxation import Relaxation

_PRODUCTS = 20  # with the Hessian at most
_NOTHING = 1e-7  # of the largest number in a product, which may be one of float32

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Watch:
    """What is noted of a search, and how often.

    Attributes:
        architectures: Size of the fixed sample that is scored, >= 3.
        looks: Reports at most at which anything is noted, evenly over the search, the last one among them.
        eigenvalue: Whether the Hessian's dominant eigenvalue is noted, where there are parameters.
    """

    architectures: int = 50
    looks: int = 20
    eigenvalue: bool = False

    @staticmethod
    def of(settings: Mapping[str, Any]) -> Watch | None:
        """Read settings; empty ones watch nothing.

        Raises:
            BadOption: An unknown setting, or a value out of its range.
        """
        if not settings:
            return None
        for name, value in settings.items():
            least = {"architectures": 3, "looks": 1}.get(name)
            if name == "eigenvalue" and type(value) is bool:
                continue
            if least is None and name != "eigenvalue":
                raise BadOption(f"health: expected architectures, looks and eigenvalue, got {name!r}.")
            if least is None or type(value) is not int or value < least:
                wanted = "true or false" if least is None else f"a whole number >= {least}"
                raise BadOption(f"health.{name}: expected {wanted}, got {value!r}.")
        return Watch(**settings)

    def as_dict(self) -> dict[str, Any]:
        """Spell all settings out."""
        return asdict(self)

    def is_due(self, report: int, reports: int) -> bool:
        """Say whether report number ``report`` of ``reports``, from 0, is looked at."""
        # The last report, and before it those at which another share of the search is complete.
        return (report + 1) * self.looks // reports > report * self.looks // reports


def sample_of(space: Space, architectures: int) -> npt.NDArray[np.int8]:
    """Return the architectures that watched searches of a space score, (n, L)."""
    return space.sample(architectures, rng=generator(0, "health"))


@runtime_checkable
class Twice(Protocol):
    """A relaxation whose validation loss can be differentiated twice."""

    def steady_loss(self, mixture: Mixture) -> torch.Tensor:
        """Return the loss on the same images each time, differentiable any number of times.

        It takes no minibatch away from the search.
        """
        ...


def look(
    watch: Watch,
    space: Space,
    relaxation: Relaxation,
    *,
    parameters: torch.Tensor | None = None,
    mixture_of: Callable[[torch.Tensor], Mixture] | None = None,
) -> Health | None:
    """Note what a search looks like now.

    Args:
        watch: What is noted.
        space: The space that is searched.
        relaxation: As the search trained it so far.
        parameters: The architecture's parameters, where there are any.
        mixture_of: What mixture they stand for, differentiable twice.

    Returns:
        ``scores`` and ``eigenvalue``, as far as they exist; None where neither does.
    """
    seen: dict[str, float | tuple[float, ...]] = {}
    if not relaxation.is_analogue:
        scores = relaxation.score(sample_of(space, watch.architectures))
        seen["scores"] = tuple(scores.tolist())
    if watch.eigenvalue and parameters is not None and mixture_of and isinstance(relaxation, Twice):
        steady_loss = relaxation.steady_loss
        seen["eigenvalue"] = dominant_eigenvalue(lambda at: steady_loss(mixture_of(at)), parameters)
    return seen or None


def dominant_eigenvalue(loss: Callable[[torch.Tensor], torch.Tensor], at: torch.Tensor) -> float:
    """Find the eigenvalue of largest magnitude of a loss's Hessian, with its sign, by the Lanczos method.

    A product with the Hessian is the derivative of the gradient's product with a vector. Up to twenty
    products span the space in which the eigenvalue is sought, all kept orthogonal; of as many parameters or
    fewer it is exact. Power iteration would take the same products and settle badly where two eigenvalues of
    opposite signs are alike. The first vector is the same in every call.

    Args:
        loss: From a tensor of the shape of ``at`` to a number; differentiable twice.
        at: Where; not changed.

    Returns:
        The eigenvalue; 0 where the Hessian is nothing.
    """
    import torch

    with torch.enable_grad():
        here = at.detach().clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(here), here, create_graph=True)
        if not gradient.requires_grad:
            return 0.0  # a loss that is linear

        def product(vector: Floats) -> Floats:
            along = torch.from_numpy(vector.reshape(tuple(here.shape))).to(here)
            (found,) = torch.autograd.grad(
                gradient, here, grad_outputs=along, retain_graph=True, allow_unused=True
            )
            if found is None:
                return np.zeros_like(vector)
            flat: Floats = found.detach().cpu().numpy().astype(np.float64).ravel()
            return flat

        vector = generator(0, "eigenvalue").standard_normal(here.numel())
        basis: list[Floats] = []
        images: list[Floats] = []
        while len(basis) < min(_PRODUCTS, here.numel()):
            length = float(np.linalg.norm(vector))
            if not length > _NOTHING * max((np.abs(image).max() for image in images), default=0.0):
                break  # all directions that the Hessian leads to are spanned
            basis.append(vector / length)
            images.append(product(basis[-1]))
            vector = images[-1]
            for _ in range(2):  # once more, for what rounding left
                vector = vector - np.array(basis).T @ (np.array(basis) @ vector)
    projected = np.array(basis) @ np.array(images).T
    values = np.linalg.eigvalsh((projected + projected.T) / 2.0)
    return float(values[np.abs(values).argmax()]) + 0.0  # no negative zero
