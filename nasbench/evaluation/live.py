"""Live training as a source: every answer is a training that happens now, on this machine.

A person types ``live:digits``, or ``live:digits@digits-small`` to name the recipe too, which also says of
which space the architectures are. The replicate is the training seed, so the same question trains the same
network again: on a CPU with the same errors, and with the seconds it takes this time. An answer at fewer
epochs stops early on the recipe's schedule and is an exact prefix of the full training; a later answer at
more epochs goes on from where it stopped, with the seconds of both parts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from nasbench.errors import BadOption, NotMeasured, UnknownName
from nasbench.evaluation.begun import BegunTrainings
from nasbench.evaluation.source import label_of
from nasbench.records import Code, Measurement, Measurements, OnEpoch, SourceInfo
from nasbench.spaces import get_space
from nasbench.training import require_torch
from nasbench.training.recipe import Recipe
from nasbench.training.recipes import RECIPES, get_recipe
from nasbench.training.supernets import SPACES as SPACES_WITH_SUPERNET

if TYPE_CHECKING:
    from nasbench.training.supernets.supernet import Supernet
    from nasbench.training.trainer import Training

PREFIX = "live:"
_RECIPE_OF_DATA = {"digits": "digits-small", "fashion-mnist-14": "fashion-nb201"}


class LiveSource:
    """Trains architectures when asked.

    Args:
        data: Data set, as in ``training.data.DATASETS``.
        recipe: What to build, of which space, and how to train it.
        device: ``"cpu"``, ``"cuda"`` or ``"cuda:N"``; None means the CPU, on which small images train as fast
            and every answer can be repeated bit for bit.
        replicates: How many training seeds an architecture is given.
        latency_passes: Forward passes by which ``train`` measures the latency; 0 measures none.

    Attributes:
        info, space, epochs, replicates, is_live, costs: As in ``Source``; costs are those that the network
            itself tells: parameters and multiply-accumulates.
        recipe: As given.

    Raises:
        MissingExtra: torch or scikit-learn is absent.
        UnknownName: No such data set, or no such space as the recipe's.
        BadOption: No such device here, or ``replicates`` < 1.
    """

    is_live = True

    def __init__(
        self,
        data: str,
        recipe: Recipe,
        *,
        device: str | None = None,
        replicates: int = 3,
        latency_passes: int = 0,
    ) -> None:
        require_torch("Live training")
        import torch

        from nasbench.training.data import get_data
        from nasbench.training.device import device_kind, device_words, resolve_device

        if replicates < 1:
            raise BadOption(f"replicates: expected a whole number >= 1, got {replicates}.")
        self._device = device or "cpu"
        resolved = resolve_device(self._device)
        self._data = get_data(data, split_seed=recipe.split_seed, train_images=recipe.train_images)
        self.recipe = recipe
        self.space = get_space(recipe.space)
        self.epochs = tuple(range(1, recipe.epochs + 1))
        self.replicates = replicates
        self._latency_passes = latency_passes
        self._begun = BegunTrainings()
        self._counted: dict[Code, tuple[int, int]] = {}
        self.costs: dict[str, Callable[[Code], float]] = {
            "parameters": lambda code: float(self._count(code)[0]),
            "macs": lambda code: float(self._count(code)[1]),
        }
        name = self._data.name
        self.info = SourceInfo(
            label=label_of("live", name, recipe.recipe_hash),
            kind="trainer",
            name=f"{PREFIX}{name}",
            dataset=name,
            device=device_words(resolved),
            device_kind=device_kind(resolved),
            extra={
                "recipe_hash": recipe.recipe_hash,
                "torch": str(torch.__version__),
                "images": {
                    "train": len(self._data.train),
                    "valid": len(self._data.valid),
                    "test": len(self._data.test),
                },
                "splits": dict(self._data.splits),
                "epochs": "fewer epochs than the recipe's stop early on the recipe's schedule",
            },
        )

    def replicates_of(self, code: Code) -> int:
        """Return ``replicates``: any architecture can be trained with any seed.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        self.space.check(code)
        return self.replicates

    def _count(self, code: Code) -> tuple[int, int]:
        """Count the parameters and the multiply-accumulates of a network that is built, but not trained.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
        """
        if code not in self._counted:
            import torch

            from nasbench.training.networks import build_network
            from nasbench.training.networks.cost import count_macs, count_parameters

            with torch.device("meta"):  # draws nothing, computes nothing
                network = build_network(
                    self.space.name,
                    self.space.check(code),
                    recipe=self.recipe,
                    image_shape=self._data.image_shape,
                    classes=self._data.classes,
                )
            self._counted[code] = count_parameters(network), count_macs(network, self._data.image_shape)
        return self._counted[code]

    @property
    def relaxation(self) -> Callable[[np.random.Generator], Supernet] | None:
        """Makes a supernet of this data and recipe for one run; None where the space has none."""
        return self._supernet if self.space.name in SPACES_WITH_SUPERNET else None

    def _supernet(self, rng: np.random.Generator) -> Supernet:
        """Make the supernet of one run; it trains on the training images alone."""
        from nasbench.training.supernets.supernet import Supernet

        return Supernet(self.space, recipe=self.recipe, data=self._data, rng=rng, device=self._device)

    def train(
        self,
        code: Code,
        *,
        epochs: int,
        replicate: int,
        on_epoch: OnEpoch | None = None,
        checkpoint: Path | None = None,
        limit_seconds: float | None = None,
    ) -> Training:
        """Train one architecture and return its curves over all epochs up to ``epochs``.

        Args:
            code: The architecture.
            epochs: Length of the training.
            replicate: Training seed.
            on_epoch: May stop or pause it, as in ``training.trainer.train``.
            checkpoint: File to go on from and to write to, as there.
            limit_seconds: Real seconds it may take; a longer one is failed.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that this source trains.
            FormatError: The checkpoint is damaged or of another training.
        """
        from nasbench.training.trainer import train

        self._require(epochs, replicate)
        return train(
            code,
            space=self.space,
            recipe=self.recipe,
            data=self._data,
            seed=replicate,
            device=self._device,
            epochs=epochs,
            on_epoch=on_epoch,
            checkpoint=checkpoint,
            limit_seconds=limit_seconds,
            latency_passes=self._latency_passes,
        )

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Train one architecture now and measure it after the last epoch.

        A training that diverges or runs out of memory has status ``"failed"``, no errors, and its seconds.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that this source trains.
        """
        return self._go_on(code, epochs, replicate, None)[0]

    def follow(
        self, code: Code, *, epochs: int, replicate: int, on_epoch: OnEpoch
    ) -> tuple[Measurement, int]:
        """Train one architecture now and ask after each epoch what becomes of it.

        Returns:
            The measurement where the training ended, status ``"stopped"`` where it was stopped, and its
            epochs. A paused training is ``"ok"`` and shorter than asked; a longer question goes on from it.

        Raises:
            NotInSpace: ``code`` is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that this source trains.
        """
        return self._go_on(code, epochs, replicate, on_epoch)

    def _go_on(
        self, code: Code, epochs: int, replicate: int, on_epoch: OnEpoch | None
    ) -> tuple[Measurement, int]:
        """Train from the start, or from where the same training was left; say where it ended."""
        from nasbench.training.trainer import train

        self._require(epochs, replicate)
        checked = self.space.check(code)
        with self._begun.checkpoint(
            checked, replicate, epochs, longest=self.recipe.epochs, may_pause=on_epoch is not None
        ) as lent:
            training = train(
                checked,
                space=self.space,
                recipe=self.recipe,
                data=self._data,
                seed=replicate,
                device=self._device,
                epochs=epochs,
                evaluate="last-epoch" if on_epoch is None else "every-epoch",
                on_epoch=on_epoch,
                checkpoint=lent.path,
                checkpoint_every_seconds=math.inf,
            )
            reached = len(training.valid_error)
            lent.reached = reached if training.status in ("ok", "paused") else 0
        if training.status == "failed":
            return Measurement(None, None, training.total_seconds, "failed", training.reason), epochs
        measurement = Measurement(training.valid_error[-1], training.test_error[-1], training.total_seconds)
        if training.status == "stopped":
            measurement.status = "stopped"
        return measurement, reached

    def measure(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Train (n, L) codes one after another; nan errors where a training failed.

        Raises:
            NotInSpace: One of them is no architecture of the space.
            NotMeasured: ``epochs`` or ``replicate`` is not one that this source trains.
        """
        self._require(epochs, replicate)
        checked = [self.space.check(code) for code in np.asarray(codes)]
        answers = [self.answer(code, epochs=epochs, replicate=replicate) for code in checked]
        nan = float("nan")
        return Measurements(
            valid_error=np.array([nan if a.valid_error is None else a.valid_error for a in answers]),
            test_error=np.array([nan if a.test_error is None else a.test_error for a in answers]),
            train_seconds=np.array([a.train_seconds for a in answers], dtype=np.float64),
        )

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> npt.NDArray[np.float64]:
        """Return nan for each of (n, L) codes: nothing is trained for a report."""
        return np.full(len(np.asarray(codes)), np.nan)

    @property
    def scored_by(self) -> str:
        """``"trial"``: the report uses the sealed test error of the incumbent's own training."""
        return "trial"

    def _require(self, epochs: int, replicate: int) -> None:
        """Refuse what this source does not train."""
        if not 1 <= epochs <= self.recipe.epochs:
            raise NotMeasured(
                f"epochs: source {self.info.name} trains 1 to {self.recipe.epochs} epochs of its recipe, "
                f"got {epochs}. Ask for one of these, or open it with a longer recipe."
            )
        if not 0 <= replicate < self.replicates:
            raise NotMeasured(
                f"replicate: source {self.info.name} trains replicates 0 to {self.replicates - 1}, "
                f"got {replicate}."
            )


def open_live(text: str, *, device: str | None = None) -> LiveSource:
    """Open ``live:DATA``, ``live:DATA@RECIPE`` or ``live:DATA:PATH@RECIPE``.

    A recipe is given by its name or by the first digits (at least 8) of its hash, so that the label of a
    live source opens the same source again.

    Args:
        text: As typed, e.g. ``"live:digits"`` or ``"live:cifar10:~/archives@nb201-h1"``.
        device: As for ``LiveSource``.

    Raises:
        UnknownName: No such live source or recipe; the message lists the near ones.
        MissingExtra: torch, scikit-learn or the files of the data set are absent.
        BadOption: This machine has no such device; or no recipe is given, and the data set has none.
    """
    from nasbench.training.data import DATASETS

    clean = text.strip()
    data, at, recipe = clean[len(PREFIX) :].rpartition("@")
    if not at or "/" in recipe:  # an @ in a folder's name
        data, recipe = clean[len(PREFIX) :], ""
    kind, colon, path = data.partition(":")
    kind = kind.lower().replace("_", "-")
    if not clean.lower().startswith(PREFIX) or kind not in DATASETS:
        raise UnknownName.among("live source", text, [PREFIX + known for known in DATASETS])
    recipe = recipe.lower().replace("_", "-") or _RECIPE_OF_DATA.get(kind, "")
    if not recipe:
        raise BadOption(
            f"recipe: expected {PREFIX}{kind}@RECIPE, got {text!r}: {kind} has no recipe of its own. "
            "List them with: nasbench list recipes"
        )
    return LiveSource(kind + colon + path, _find_recipe(recipe), device=device)


def _find_recipe(name_or_hash: str) -> Recipe:
    """Look a recipe up by name, else by the start of its hash."""
    if name_or_hash not in RECIPES and len(name_or_hash) >= 8:
        for recipe in RECIPES.values():
            if recipe.recipe_hash.startswith(name_or_hash):
                return recipe
    return get_recipe(name_or_hash)
