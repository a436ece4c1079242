"""``NASBench``: the recorded trainings of NAS-Bench-101, asked as its own program is asked."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench.compat.nb101.model_spec import ModelSpec, OutOfDomainError
from nasbench.compat.nb101.opening import open_dataset
from nasbench.compat.nb101.rows import Rows
from nasbench.errors import NotMeasured
from nasbench.seeds import generator, uniforms
from nasbench.spaces.nb101 import NB101Space
from nasbench.spaces.nb101_graph import MOST_EDGES, VERTICES
from nasbench.spaces.nb101_hash_table import HASH_BYTES
from nasbench.spaces.nb101_notation import OPERATIONS

FixedMetrics = dict[str, Any]
ComputedMetrics = dict[int, list[dict[str, float]]]
_SPLITS = {"train": "train_error", "validation": "valid_error", "test": "test_error"}


class NASBench:
    """Answers as the original does: accuracies as fractions, seconds, one training of three at random.

    Deviations: the repeat is drawn from the object's own generator, so that global random state stays as it
    is and two objects of one seed draw alike; ``module_adjacency`` and ``module_operations`` are those of the
    canonical cell, isomorphic to the file's; a cell of too many vertices is an ``OutOfDomainError`` like any
    other. Accuracies are 1 - error as the table holds it: those from one half up are the file's to the last
    bit where that has single precision, lower ones to within 3e-8.

    Args:
        dataset_file: ``nasbench_full.tfrecord`` or ``nasbench_only108.tfrecord``, read once and kept in the
            user's cache; or a table file that ``nasbench import nb101`` wrote.
        seed: Of the draws of repeats, >= 0; None takes an unpredictable one.

    Attributes:
        valid_epochs: Training lengths there are.
        config: The domain: ``module_vertices``, ``max_edges``, ``available_ops``, ``num_repeats``.
        training_time_spent: Seconds of the trainings asked for since the last reset.
        total_epochs_spent: Their epochs.

    Raises:
        FormatError, MissingExtra: As ``open_dataset``.
    """

    def __init__(self, dataset_file: str | os.PathLike[str], seed: int | None = None) -> None:
        self.table = open_dataset(dataset_file)
        self.valid_epochs = set(self.table.epochs)
        self.config: dict[str, Any] = {
            "module_vertices": VERTICES,
            "max_edges": MOST_EDGES,
            "available_ops": list(OPERATIONS),
            "num_repeats": self.table.replicates,
        }
        self._rows = Rows(self.table)
        self._cells: dict[int, tuple[npt.NDArray[np.int8], list[str]]] = {}
        self._epoch = {epochs: e for e, epochs in enumerate(self.table.epochs)}
        self._draw = uniforms(generator(secrets.randbits(63) if seed is None else seed, "repeats"))
        curves = {name: self.table.column(name) for name in self.table.metrics}
        self._final = _columns(curves, "")
        self._halfway = _columns(curves, "halfway_")
        has_parameters = "parameters" in self.table.scalars
        self._parameters = self.table.scalar("parameters") if has_parameters else None
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def query(self, model_spec: ModelSpec, epochs: int = 108, stop_halfway: bool = False) -> dict[str, Any]:
        """Ask for one training, drawn among the repeats, and charge its time to the budget counters.

        Args:
            model_spec: A cell.
            epochs: Training length, one of ``valid_epochs``.
            stop_halfway: Ask for the training after half of its epochs, at the seconds it took until then.

        Returns:
            ``module_adjacency``, ``module_operations``, ``trainable_parameters``, ``training_time`` in
            seconds, ``train_accuracy``, ``validation_accuracy`` and ``test_accuracy`` as fractions.

        Raises:
            OutOfDomainError: NAS-Bench-101 does not have the cell, or not such a training length.
            NotMeasured: The dataset file does not hold the cell, or not half-way numbers.
        """
        if epochs not in self.valid_epochs:
            self._refuse_epochs(epochs)
        row = self._row(model_spec)
        e = self._epoch[epochs]
        repeats = self._repeats(row, e)
        repeat = int(self._draw() * repeats)
        columns = self._halfway if stop_halfway else self._final
        seconds = columns.get("training_time")
        if seconds is None:
            raise NotMeasured(
                f"stop_halfway: table {self.table.name} holds no numbers of trainings half-way. Use "
                "stop_halfway=False."
            )
        data = self._fixed(row)
        data["training_time"] = time = float(seconds[row, repeat, e])
        for split in _SPLITS:
            if split in columns:
                data[f"{split}_accuracy"] = 1.0 - float(columns[split][row, repeat, e])
        self.training_time_spent += time
        self.total_epochs_spent += epochs // 2 if stop_halfway else epochs
        return data

    def is_valid(self, model_spec: ModelSpec) -> bool:
        """Say whether NAS-Bench-101 has the cell."""
        return not model_spec.wrong()

    def get_budget_counters(self) -> tuple[float, int]:
        """Return seconds and epochs of all trainings asked for since the last reset."""
        return self.training_time_spent, self.total_epochs_spent

    def reset_budget_counters(self) -> None:
        """Set both counters to zero."""
        self.training_time_spent = 0.0
        self.total_epochs_spent = 0

    def hash_iterator(self) -> Iterator[str]:
        """Yield the published hash of every cell that the file holds, in increasing order."""
        for row in self._rows.hash_order().tolist():
            yield self._rows.hashes[row].tobytes().hex()

    def hashes(self, codes: npt.ArrayLike) -> npt.NDArray[np.void]:
        """Return the published hashes of many codes of the space ``nb101``; not in the original.

        Args:
            codes: (n, 26) codes.

        Returns:
            (n,) of 16 bytes each; ``.tobytes().hex()`` of one is what ``hash_spec`` returns.

        Raises:
            NotInSpace: A code is not in the space.
        """
        return self._rows.hashes_of(_SPACE.keys(codes))

    def get_metrics_from_hash(self, module_hash: str) -> tuple[FixedMetrics, ComputedMetrics]:
        """Return everything recorded of a cell, at no charge.

        Returns:
            What is fixed: ``module_adjacency``, ``module_operations``, ``trainable_parameters``; and for each
            training length a list with one dictionary a repeat: ``halfway_`` and ``final_`` followed by
            ``training_time``, ``train_accuracy``, ``validation_accuracy``, ``test_accuracy``.

        Raises:
            NotMeasured: The file holds no cell of that hash; a ``LookupError``, as from the original.
        """
        try:
            digest = bytes.fromhex(module_hash)
        except ValueError:
            digest = b""
        row = self._rows.of_hash(digest) if len(digest) == HASH_BYTES else -1
        if row < 0:
            raise NotMeasured(
                f"module_hash: table {self.table.name} holds no cell of hash {module_hash!r}. List those "
                "that it holds with hash_iterator()."
            )
        return self._fixed(row), self._computed(row)

    def get_metrics_from_spec(self, model_spec: ModelSpec) -> tuple[FixedMetrics, ComputedMetrics]:
        """Return everything recorded of a cell, at no charge; see ``get_metrics_from_hash``.

        Raises:
            OutOfDomainError: NAS-Bench-101 does not have the cell.
            NotMeasured: The dataset file does not hold it.
        """
        row = self._row(model_spec)
        return self._fixed(row), self._computed(row)

    def evaluate(
        self, model_spec: ModelSpec, model_dir: str | os.PathLike[str], **how: Any
    ) -> dict[str, Any]:
        """Train a cell now, outside the table; see ``training.evaluate_live`` for ``how``.

        Raises:
            OutOfDomainError: NAS-Bench-101 does not have the cell.
            MissingExtra: torch or the data set is absent.
        """
        from nasbench.compat.nb101.training import evaluate_live

        return evaluate_live(model_spec, model_dir, **how)

    # --------------------------------------------------------------------------------------------

    def _row(self, model_spec: ModelSpec) -> int:
        key = model_spec.key()
        row = self._rows.of_key(key)
        if row < 0:
            raise NotMeasured(
                f"model_spec: table {self.table.name} holds {len(self.table):,} cells, and not this one: "
                f"{model_spec.hash_spec()}."
            )
        return row

    def _repeats(self, row: int, e: int) -> int:
        """Count the recorded repeats; they fill the first places."""
        repeats = self.table.replicates
        errors = self._final["validation"]
        while repeats > 0 and np.isnan(errors[row, repeats - 1, e]):
            repeats -= 1
        if not repeats:
            raise NotMeasured(
                f"epochs: table {self.table.name} holds no training of this cell at {self.table.epochs[e]} "
                "epochs."
            )
        return repeats

    def _refuse_epochs(self, epochs: int) -> None:
        held = ", ".join(map(str, sorted(self.valid_epochs)))
        raise OutOfDomainError(f"epochs: expected one of {held}, got {epochs!r}.")

    def _fixed(self, row: int) -> FixedMetrics:
        if row not in self._cells:
            if len(self._cells) >= _REMEMBERED:
                self._cells.clear()
            self._cells[row] = _SPACE.cell(tuple(self.table.codes[row].tolist()))
        matrix, operations = self._cells[row]
        data: FixedMetrics = {"module_adjacency": matrix.copy(), "module_operations": operations.copy()}
        if self._parameters is not None:
            data["trainable_parameters"] = int(self._parameters[row])
        return data

    def _computed(self, row: int) -> ComputedMetrics:
        found: ComputedMetrics = {}
        for epochs, e in self._epoch.items():
            found[epochs] = []
            for repeat in range(self.table.replicates):
                if np.isnan(self._final["validation"][row, repeat, e]):
                    continue
                one = {}
                for when, columns in (("halfway", self._halfway), ("final", self._final)):
                    for name, column in columns.items():
                        value = float(column[row, repeat, e])
                        is_time = name == "training_time"
                        one[f"{when}_{name if is_time else f'{name}_accuracy'}"] = (
                            value if is_time else 1.0 - value
                        )
                found[epochs].append(one)
        return found


_SPACE = NB101Space()
_REMEMBERED = 50_000


def _columns(curves: dict[str, Any], prefix: str) -> dict[str, Any]:
    """Pick the curves of one moment, by the names of this face; empty where the table has none."""
    names = {
        "training_time": f"{prefix}train_seconds",
        **{s: f"{prefix}{name}" for s, name in _SPLITS.items()},
    }
    return {name: curves[curve] for name, curve in names.items() if curve in curves}
