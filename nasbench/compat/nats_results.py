"""What the authors' package returns of one architecture: ``ArchResults`` with a ``ResultsCount`` a training.

The methods and units are those of nats_bench 1.8. Two things are stricter: what one repeat lacks is not
averaged away, and a training that has a value answers although another repeat lacks it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nasbench.compat.nats_tables import NATSTables, Trained
from nasbench.errors import BadOption, NotMeasured
from nasbench.spaces.nats_size import CELL
from nasbench.store.imports.nats_tables import mean_latency, trusted

CLASSES = {"cifar10-valid": 10, "cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
Draw = Callable[[], float]

WEIGHTS = (
    "weights: tables hold results and no weights. They are in the archive NATS-*-full of the release, which "
    "the authors' package nats_bench reads."
)


def mean(values: list[Any]) -> Any:
    """Average as the authors do: the sum in order, divided by how many; None where the first is None."""
    return None if values[0] is None else sum(values) / len(values)


class ResultsCount:
    """One training.

    Attributes:
        name: Data set.
        seed: Training seed.
        epochs: Training length.
        params: Parameters, millions.
        flop: Multiply-accumulates, millions.
        latency: Measured latencies, seconds; None where there are none.
    """

    def __init__(self, trained: Trained, index: int, text: str, repeat: int, account: dict[str, Any]) -> None:
        self._trained, self._index, self._text, self._repeat = trained, index, text, repeat
        self._each = account["each_epoch_seconds"]
        self.name = trained.data_set
        self.seed: int = account["seed"]
        self.epochs = trained.epochs
        self.params: float = account["parameters_millions"]
        self.flop: float = account["flop_millions"]
        self.latency: list[float] | None = account["latency_seconds"]

    def get_total_epoch(self) -> int:
        """Return the training length."""
        return int(self.epochs)

    def get_eval_set(self) -> list[str]:
        """List the splits that were evaluated."""
        return [split for split in self._trained.metric_of_split if split != "train"]

    def get_latency(self) -> float:
        """Return the mean latency, seconds; -1 where none was measured."""
        return mean_latency({"latency_seconds": self.latency})

    def get_train(self, iepoch: int | None = None) -> dict[str, Any]:
        """Return iepoch, loss, accuracy (percent), cur_time and all_time (seconds) on the training split."""
        return self.get_eval("train", iepoch)

    def get_eval(self, name: str, iepoch: int | None = None) -> dict[str, Any]:
        """Return the same of an evaluation split: ``x-valid`` (or ``valid``), ``x-test`` or ``ori-test``.

        Raises:
            BadOption: No such epoch.
            NotMeasured: The release has nothing of that split after that epoch.
        """
        split = "x-valid" if name == "valid" else name
        epoch = self._trained.epoch(iepoch)
        point = self._trained.point(self._index, split, self._repeat, epoch)
        if point is None:
            raise NotMeasured(
                f"set: seed {self.seed} of architecture {self._index} on {self.name} has nothing of {name!r} "
                f"after epoch {epoch} (counted from 0). Ask for the last epoch, or for one of "
                f"{self.get_eval_set()}."
            )
        return {
            "iepoch": epoch,
            "loss": point.loss,
            "accuracy": point.accuracy,
            "cur_time": self._epoch_seconds(split, epoch),
            "all_time": point.seconds,
        }

    def _epoch_seconds(self, split: str, epoch: int) -> float | None:
        """Return the seconds of one epoch alone."""
        if split in self._each:
            return float(self._each[split])
        now = self._trained.seconds(self._index, split, self._repeat, epoch)
        before = self._trained.seconds(self._index, split, self._repeat, epoch - 1) if epoch else 0.0
        return None if now is None or before is None else now - before

    def get_times(self) -> dict[str, float | None]:
        """Return the seconds of an epoch and of the whole training, for training and every split."""
        out: dict[str, float | None] = {}
        for split in ("train", *self.get_eval_set()):
            total = self._trained.seconds(self._index, split, self._repeat, self.epochs - 1)
            out[f"T-{split}@epoch"] = None if total is None else total / self.epochs
            out[f"T-{split}@total"] = total
        return out

    def get_config(self, str2structure: Callable[[str], Any] | None = None) -> dict[str, Any]:
        """Return what the authors' code builds the network from."""
        return net_config(self._text, self.name, str2structure)

    def get_net_param(self, clone: bool = False) -> Any:
        """Refuse: tables hold no weights.

        Raises:
            NotMeasured: Always.
        """
        raise NotMeasured(WEIGHTS)


def net_config(text: str, data_set: str, str2structure: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """Return what the authors' code builds the network of an architecture from."""
    if "|" not in text:
        genotype = CELL if str2structure is None else str2structure(CELL)
        return {
            "name": "infer.shape.tiny",
            "channels": text,
            "genotype": genotype,
            "num_classes": CLASSES[data_set],
        }
    cell = {"arch_str": text} if str2structure is None else {"genotype": str2structure(text)}
    return {"name": "infer.tiny", "C": 16, "N": 5, **cell, "num_classes": CLASSES[data_set]}


class ArchResults:
    """All trainings of one architecture with one training length.

    Attributes:
        arch_index: Index in the release.
        arch_str: The architecture in the authors' notation.
    """

    def __init__(self, tables: NATSTables, index: int, hp: str, draw: Draw) -> None:
        self._tables, self._hp, self._draw = tables, hp, draw
        self.arch_index = index
        self.arch_str = tables.text_of(index)

    def get_dataset_names(self) -> list[str]:
        """List the data sets that it was trained on."""
        return [name for name in self._tables.data_sets if self._has(name)]

    def _has(self, data_set: str) -> bool:
        try:
            self._tables.trained(data_set, self._hp).row(self.arch_index)
        except NotMeasured:
            return False
        return True

    def get_dataset_seeds(self, dataset: str) -> list[int]:
        """List the training seeds on a data set."""
        return self._tables.trained(dataset, self._hp).seeds(self.arch_index)

    def arch_idx_str(self) -> str:
        """Return the index as the release's files are named."""
        return f"{self.arch_index:06d}"

    def query(self, dataset: str, seed: int | None = None) -> Any:
        """Return the training of a seed, or with None a dictionary of all by seed.

        Raises:
            NotMeasured: No training of that seed.
        """
        results = self._results(dataset)
        if seed is None:
            return {result.seed: result for result in results}
        return _of_seed(results, seed)

    def _results(self, dataset: str) -> list[ResultsCount]:
        trained = self._tables.trained(dataset, self._hp)
        accounts = trained.accounts(self.arch_index)
        return [
            ResultsCount(trained, self.arch_index, self.arch_str, repeat, account)
            for repeat, account in enumerate(accounts)
        ]

    def get_metrics(
        self, dataset: str, setname: str, iepoch: int | None = None, is_random: bool | int = False
    ) -> dict[str, Any]:
        """Return iepoch, loss, accuracy (percent), cur_time and all_time (seconds).

        Args:
            dataset: Data set.
            setname: ``train``, ``x-valid``, ``x-test`` or ``ori-test``.
            iepoch: Epoch counted from 0; None = the last.
            is_random: True draws a repeat, False averages them all, a number is a training seed.

        Raises:
            BadOption: No such epoch, or ``is_random`` is neither a bool nor a seed.
            NotMeasured: Nothing was recorded there, or no training has that seed.
            UnknownName: No such data set.
        """
        results = self._results(dataset)
        if is_random is False:
            infos = [result.get_eval(setname, iepoch) for result in results]
            return {key: mean([info[key] for info in infos]) for key in infos[0]}
        if is_random is True:
            return results[int(self._draw() * len(results))].get_eval(setname, iepoch)
        return _of_seed(results, is_random).get_eval(setname, iepoch)

    def get_compute_costs(self, dataset: str) -> dict[str, Any]:
        """Return flops and params (millions), latency (seconds; None = none) and seconds of each split."""
        results = self._results(dataset)
        accounts = self._tables.trained(dataset, self._hp).accounts(self.arch_index)
        latencies = [latency for latency in (result.get_latency() for result in results) if latency > 0]
        times = [result.get_times() for result in results]
        return {
            "flops": trusted(accounts, "flop_millions")[0],
            "params": trusted(accounts, "parameters_millions")[0],
            "latency": mean(latencies) if latencies else None,
            **{key: mean([one[key] for one in times]) for key in times[0]},
        }

    def get_latency(self, dataset: str) -> float:
        """Return the mean latency over the repeats, seconds.

        Raises:
            NotMeasured: A repeat has none.
        """
        latencies = [result.get_latency() for result in self._results(dataset)]
        if min(latencies) <= 0:
            raise NotMeasured(f"latency: a repeat of architecture {self.arch_index} on {dataset} has none.")
        return float(mean(latencies))

    def get_total_epoch(self, dataset: str | None = None) -> int:
        """Return the training length."""
        return int(self._tables.trained(dataset or self.get_dataset_names()[0], self._hp).epochs)

    def get_net_param(self, dataset: str, seed: int | None = None) -> Any:
        """Refuse: tables hold no weights.

        Raises:
            NotMeasured: Always.
        """
        raise NotMeasured(WEIGHTS)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(arch-index={self.arch_index}, arch={self.arch_str}, hp={self._hp})"


def _of_seed(results: list[ResultsCount], seed: object) -> ResultsCount:
    """Find the training of a seed.

    Raises:
        BadOption: Not a whole number.
        NotMeasured: There is none.
    """
    if not isinstance(seed, int):
        raise BadOption(f"is_random: expected True, False or a training seed, got {seed!r}.")
    for result in results:
        if result.seed == seed:
            return result
    raise NotMeasured(
        f"is_random: the training seeds are {[r.seed for r in results]}, got {seed}. Use one of these."
    )
