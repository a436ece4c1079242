"""A search space of NATS-Bench with everything that was trained of it, called as the authors' package is.

See ``nasbench.compat.nats`` for what differs from the original. An answer that was given once is remembered,
so that the next one of its kind is a look-up and a copy.
"""

from __future__ import annotations

from typing import Any

from nasbench.compat.nats_info import info_of, points_of, split_of
from nasbench.compat.nats_notation import describe, str2lists, str2matrix
from nasbench.compat.nats_results import WEIGHTS, ArchResults, net_config
from nasbench.compat.nats_tables import NATSTables
from nasbench.errors import BadOption, NotInSpace, NotMeasured, UnknownName
from nasbench.seeds import generator, uniforms
from nasbench.spaces.nb201 import expression

_SIMULATED = ("cifar10", "cifar100", "ImageNet16-120")
Simulation = tuple[list[tuple[float, float]], list[float] | None, float | None]
"""(accuracy, seconds) of each training, seconds of each evaluation where they are drawn apart, latency."""


class NATSBench:
    """A search space of NATS-Bench with everything that was trained of it.

    Made by ``create``. Attributes of the original that scripts read: ``meta_archs``, ``evaluated_indexes``,
    ``used_time``, ``search_space_name``, ``full_train_epochs``, ``filename``, ``verbose``, ``fast_mode``.
    """

    search_space_name = ""
    full_train_epochs = 0
    is_size = False

    def __init__(self, tables: NATSTables, *, fast_mode: bool, verbose: bool, seed: int) -> None:
        self.tables = tables
        self.fast_mode, self.verbose = fast_mode, verbose
        self.filename = tables.path.name
        self.used_time = 0.0
        self._draw = uniforms(generator(seed, "nats"))
        self._by_repeat: dict[tuple[Any, ...], dict[int, dict[str, Any]]] = {}
        self._lists: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
        self._means: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._simulations: dict[tuple[Any, ...], Simulation] = {}

    # Architectures ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return self.tables.size

    def __getitem__(self, index: int) -> str:
        return self.arch(index)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({len(self.evaluated_indexes)}/{len(self)} architectures, {self.filename})"
        )

    def arch(self, index: int) -> str:
        """Return the architecture of an index, in the authors' notation.

        Raises:
            NotInSpace: No such index.
        """
        return self.tables.text_of(self._index(index))

    @property
    def meta_archs(self) -> list[str]:
        """All architectures of the space, by index."""
        return [self.tables.text_of(index) for index in range(len(self))]

    @property
    def evaluated_indexes(self) -> list[int]:
        """The indices of the architectures that the tables hold."""
        return self.tables.indices()

    @property
    def avaliable_hps(self) -> list[str]:
        """The training lengths (spelled as the original spells it)."""
        return self.tables.hps

    def random(self) -> int:
        """Draw the index of an architecture of the space."""
        return int(self._draw() * len(self))

    def query_index_by_arch(self, arch: Any) -> int:
        """Return the index of a text, an index or an object with ``tostr``; -1 = no such architecture.

        Raises:
            NotInSpace: A number that is no index.
        """
        if isinstance(arch, int):
            if not 0 <= arch < len(self):
                raise NotInSpace(f"arch: expected an index from 0 to {len(self) - 1}, got {arch}.")
            return arch
        if hasattr(arch, "tostr"):
            arch = arch.tostr()
        return self.tables.index_of(arch) if isinstance(arch, str) else -1

    def _index(self, arch: Any) -> int:
        index = self.query_index_by_arch(arch)
        if index < 0:
            raise NotInSpace(
                f"arch: expected one of space {self.tables.space.name} such as {self.arch(0)}, got {arch!r}."
            )
        return index

    # Answers ------------------------------------------------------------------------------------

    def get_more_info(
        self,
        index: Any,
        dataset: str,
        iepoch: int | None = None,
        hp: str = "12",
        is_random: bool | int = True,
    ) -> dict[str, Any]:
        """Return loss, accuracy (percent), per-time and all-time (seconds) of each set, as ``<set>-<what>``.

        Sets are ``train``, ``valid``, ``test`` and ``valtest`` (both halves of the original test set); those
        that the release lacks after that epoch are left out.

        Args:
            index: Index, text, or an object with ``tostr``.
            dataset: ``cifar10-valid``, ``cifar10``, ``cifar100`` or ``ImageNet16-120``.
            iepoch: Epoch counted from 0; None = the last.
            hp: Training length: ``"12"`` or ``"200"``, in the size space ``"01"``, ``"12"`` or ``"90"``.
            is_random: True draws one training, False averages all, a number is a training seed.

        Raises:
            NotInSpace: No such architecture.
            UnknownName: No such data set.
            NotMeasured: No such training length, architecture or seed in the tables.
            BadOption: No such epoch, or ``is_random`` is neither a bool nor a seed.
        """
        key = index, dataset, iepoch, hp
        if is_random is True:
            try:
                infos = self._lists[key]
            except (KeyError, TypeError):
                infos = list(self._ready(index, dataset, iepoch, hp).values())
            return infos[int(self._draw() * len(infos))].copy()
        if is_random is False:
            try:
                return self._means[key].copy()
            except (KeyError, TypeError):
                self._ready(index, dataset, iepoch, hp)
                return self._mean(index, dataset, iepoch, hp).copy()
        try:
            return self._by_repeat[key][is_random].copy()
        except (KeyError, TypeError):
            by_seed = self._ready(index, dataset, iepoch, hp)
        if not isinstance(is_random, int):
            raise BadOption(f"is_random: expected True, False or a training seed, got {is_random!r}.")
        if is_random not in by_seed:
            raise NotMeasured(
                f"is_random: the training seeds of architecture {self._index(index)} on {dataset} are "
                f"{list(by_seed)}, got {is_random}. Use one of these."
            )
        return by_seed[is_random].copy()

    def _ready(self, arch: Any, dataset: str, iepoch: int | None, hp: str) -> dict[int, dict[str, Any]]:
        """Make the answers of all trainings of an architecture ready, by seed, and remember them."""
        index, trained = self._index(arch), self.tables.trained(dataset, hp)
        epoch = trained.epoch(iepoch)
        by_seed = {
            seed: info_of(trained, points_of(trained, index, [repeat], epoch), epoch)
            for repeat, seed in enumerate(trained.seeds(index))
        }
        if isinstance(arch, (int, str)):
            key = arch, dataset, iepoch, hp
            self._by_repeat[key], self._lists[key] = by_seed, list(by_seed.values())
        return by_seed

    def _mean(self, arch: Any, dataset: str, iepoch: int | None, hp: str) -> dict[str, Any]:
        index, trained = self._index(arch), self.tables.trained(dataset, hp)
        epoch = trained.epoch(iepoch)
        info = info_of(trained, points_of(trained, index, range(len(trained.seeds(index))), epoch), epoch)
        if isinstance(arch, (int, str)):
            self._means[arch, dataset, iepoch, hp] = info
        return info

    def simulate_train_eval(
        self, arch: Any, dataset: str, iepoch: int | None = None, hp: str = "12", account_time: bool = True
    ) -> tuple[float, float | None, float, float]:
        """Train and evaluate an architecture in simulated time.

        Of CIFAR-10 the halves of ``cifar10-valid`` are used. The validation accuracy is that of the whole
        original test set where the release evaluated the validation half after the last epoch alone; as in
        the original.

        Args:
            arch: Index, text, or an object with ``tostr``.
            dataset: ``cifar10``, ``cifar100`` or ``ImageNet16-120``.
            iepoch: Epoch to stop after, counted from 0; None = the last.
            hp: Training length.
            account_time: Whether ``used_time`` grows.

        Returns:
            Validation accuracy (percent), latency (seconds; None = not measured), seconds of training up to
            that epoch and one evaluation, and ``used_time``.

        Raises:
            BadOption: Another data set.
            NotMeasured: No accuracy was recorded after that epoch; else as ``get_more_info``.
        """
        try:
            simulation = self._simulations[arch, dataset, iepoch, hp]
        except (KeyError, TypeError):
            simulation = self._simulate(arch, dataset, iepoch, hp)
        trainings, evaluations, latency = simulation
        accuracy, seconds = trainings[int(self._draw() * len(trainings))]
        if evaluations is not None:
            seconds += evaluations[int(self._draw() * len(evaluations))]
        if account_time:
            self.used_time += seconds
        return accuracy, latency, seconds, self.used_time

    def _simulate(self, arch: Any, dataset: str, iepoch: int | None, hp: str) -> Simulation:
        if dataset not in _SIMULATED:
            raise BadOption(f"dataset: expected {', '.join(map(repr, _SIMULATED))}, got {dataset!r}.")
        index = self._index(arch)
        name = "cifar10-valid" if dataset == "cifar10" else dataset
        infos = list(self._ready(index, name, iepoch, hp).values())
        halves = all("valid-accuracy" in info for info in infos)
        which = "valid" if halves else "valtest"
        if any(f"{which}-accuracy" not in info for info in infos):
            raise NotMeasured(
                f"iepoch: architecture {index} has no validation accuracy on {dataset} after epoch {iepoch}. "
                "Ask for the last epoch: iepoch=None."
            )
        evaluations = None
        if halves:
            trainings = [
                (info["valid-accuracy"], info["train-all-time"] + info["valid-per-time"]) for info in infos
            ]
        else:
            trainings = [(info["valtest-accuracy"], info["train-all-time"]) for info in infos]
            last = self._ready(index, dataset, None, hp).values()
            evaluations = [info["valid-per-time"] for info in last]
        simulation = trainings, evaluations, self.get_latency(index, dataset, hp)
        if isinstance(arch, (int, str)):
            self._simulations[arch, dataset, iepoch, hp] = simulation
        return simulation

    def reset_time(self) -> None:
        """Set ``used_time`` to zero."""
        self.used_time = 0.0

    # All that is known of one architecture ------------------------------------------------------

    def query_meta_info_by_index(self, arch_index: int, hp: str = "12") -> ArchResults:
        """Return all trainings of an architecture with one training length."""
        if str(hp) not in self.tables.hps:
            raise NotMeasured(f"hp: {self.filename} holds {', '.join(self.tables.hps)}, got {hp!r}.")
        results = ArchResults(self.tables, self._index(arch_index), str(hp), self._draw)
        if not results.get_dataset_names():
            raise NotMeasured(
                f"arch_index: {self.filename} does not hold {arch_index}. Import a release that does."
            )
        return results

    def query_by_index(self, arch_index: int, dataname: str | None = None, hp: str = "12") -> Any:
        """Return all trainings of an architecture, or those on one data set as a dictionary by seed."""
        results = self.query_meta_info_by_index(arch_index, hp)
        if dataname is None:
            return results
        if dataname not in results.get_dataset_names():
            raise UnknownName.among("data set", dataname, results.get_dataset_names())
        return results.query(dataname)

    def query_info_str_by_arch(self, arch: Any, hp: str = "12") -> str:
        """Return costs and mean metrics of an architecture on every data set, as text."""
        return describe(self.query_meta_info_by_index(self._index(arch), hp), is_size=self.is_size)

    def query_by_arch(self, arch: Any, hp: str) -> str:
        """Return the same as ``query_info_str_by_arch``."""
        return self.query_info_str_by_arch(arch, hp)

    def get_cost_info(self, index: int, dataset: str, hp: str = "12") -> dict[str, Any]:
        """Return flops and params (millions), latency (seconds) and the mean seconds of each split."""
        return self.query_meta_info_by_index(index, hp).get_compute_costs(dataset)

    def get_latency(self, index: int, dataset: str, hp: str = "12") -> float | None:
        """Return the mean latency of a batch of 256, seconds; None where none was measured."""
        latency: float | None = self.get_cost_info(index, dataset, hp)["latency"]
        return latency

    def get_net_config(self, index: int, dataset: str) -> dict[str, Any]:
        """Return what the authors' code builds the network from."""
        return net_config(self.arch(index), self.tables.trained(dataset, self.tables.hps[0]).data_set)

    def get_net_param(self, index: int, dataset: str, seed: int | None, hp: str = "12") -> Any:
        """Refuse: tables hold no weights.

        Raises:
            NotMeasured: Always.
        """
        raise NotMeasured(WEIGHTS)

    # The whole space ----------------------------------------------------------------------------

    def find_best(
        self,
        dataset: str,
        metric_on_set: str,
        flop_max: float | None = None,
        param_max: float | None = None,
        hp: str = "12",
        enforce_all: bool | None = None,
    ) -> tuple[int, float | None]:
        """Return index and mean accuracy (percent) of the best architecture after the last epoch.

        Args:
            dataset: Data set; of ``cifar10`` the set ``valid`` is that of ``cifar10-valid``.
            metric_on_set: ``train``, ``valid``, ``test``, or a split of the release (``x-valid``, ...).
            flop_max: Most multiply-accumulates, millions.
            param_max: Most parameters, millions.
            hp: Training length.
            enforce_all: Accepted for the scripts' sake.

        Returns:
            The first of the best by index; (-1, None) where no architecture is small enough.
        """
        name, split = split_of(dataset, metric_on_set)
        trained = self.tables.trained(name, hp)
        accuracies = trained.accuracies(split)
        for limit, count in ((flop_max, "flop_millions"), (param_max, "parameters_millions")):
            if limit is not None:
                accuracies = accuracies.copy()
                accuracies[trained.counts(count) > limit] = float("nan")
        best = max(
            (
                (accuracy, -index)
                for accuracy, index in zip(accuracies.tolist(), trained.index.tolist(), strict=True)
                if accuracy == accuracy
            ),
            default=None,
        )
        return (-1, None) if best is None else (-best[1], best[0])


class NATStopology(NATSBench):
    """The topology space: 15,625 cells, trained for 12 and for 200 epochs."""

    search_space_name = "topology"
    full_train_epochs = 200

    def get_unique_str(self, arch: Any) -> str:
        """Return a text that isomorphic cells share, under the zero-and-skip algebra."""
        return expression(self.tables.code_of(self._index(arch)))

    str2lists = staticmethod(str2lists)
    str2matrix = staticmethod(str2matrix)


class NATSsize(NATSBench):
    """The size space: 32,768 choices of channels, trained for 1, 12 and 90 epochs."""

    search_space_name = "size"
    full_train_epochs = 90
    is_size = True
