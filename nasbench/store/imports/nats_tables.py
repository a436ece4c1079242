"""The tables that a release of NATS-Bench or NAS-Bench-201 becomes: one a data set and training length.

Trainings of another length are other trainings with a cosine of their own, never prefixes; hence tables of
their own. Curves ``*_accuracy_percent``, ``*_loss`` and ``*_seconds`` hold the source's own numbers in
float64; the errors beside them are those accuracies as fractions, rounded to float32 (by less than 3e-8).
Seconds are summed up to each epoch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nasbench.store.data import Curve, Provenance, Scalar, TableData
from nasbench.store.imports.nats_record import Values
from nasbench.store.info import TableInfo
from nasbench.units import error_from_accuracy_percent

DEVICE = "GPU of the NATS-Bench authors"
_TRUSTED_SEED = 888
"""Where repeats disagree on a network's size, the release's own reader (nats_bench 1.8) takes this one's."""
METRIC_OF_SPLIT = {
    "cifar10-valid": {"train": "train", "x-valid": "valid", "ori-test": "test"},
    "cifar10": {"train": "train", "ori-test": "test"},
    "cifar100": {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
    "ImageNet16-120": {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": "valtest"},
}
"""What the curves of each split are called, by data set."""
_DATASET = {
    "cifar10-valid": "CIFAR-10",
    "cifar10": "CIFAR-10",
    "cifar100": "CIFAR-100",
    "ImageNet16-120": "ImageNet16-120",
}
_HELD = {
    "cifar10-valid": {
        "train": "25,000 of the 50,000 training images",
        "valid": "the other 25,000 training images (x-valid)",
        "test": "the 10,000 test images (ori-test)",
    },
    "cifar10": {"train": "all 50,000 training images", "test": "the 10,000 test images (ori-test)"},
    "cifar100": {
        "train": "the 50,000 training images",
        "valid": "half of the 10,000 test images (x-valid)",
        "test": "the other half (x-test)",
        "valtest": "the 10,000 test images, which valid and test are halves of (ori-test)",
    },
    "ImageNet16-120": {
        "train": "the 151,700 training images",
        "valid": "half of the 6,000 test images (x-valid)",
        "test": "the other half (x-test)",
        "valtest": "the 6,000 test images, which valid and test are halves of (ori-test)",
    },
}
_NETWORK = {
    "nb201": "stem of 16 channels, three stages of 5 cells with 16, 32 and 64 channels",
    "nats-size": "a fixed cell in three stages of one cell; the architecture gives the channels",
}
_PUBLISHED = {
    "nb201": "Dong and Yang, NAS-Bench-201: Extending the Scope of Reproducible Neural Architecture Search, "
    "ICLR 2020; ",
    "nats-size": "",
}
_NATS = (
    "Dong, Liu, Musial and Gabrys, NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and "
    "Size, TPAMI 2021"
)
_NOTES = (
    "Imported from the release; accuracies in percent, losses and seconds are its own numbers. Seconds are "
    "summed to each epoch. parameters and macs: the release's counts (it counts the bias of the last layer "
    "as multiplications); where the repeats disagree, those of training seed 888 as nats_bench takes them, "
    "and parameters_disagree is 1. nats_index: index in the release. Training top-5 accuracies and network "
    "weights are left out."
)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all architectures have of one data set and training length, in the order of their codes.

    Attributes:
        codes: (n, L).
        index: (n,) in the release.
        seeds: (n, r); -1 = no such repeat.
        accounts: (n, r) JSON texts as bytes; empty = no such repeat.
        values: By ``<split>/<quantity>``, (n, r, e).
    """

    codes: npt.NDArray[np.int8]
    index: npt.NDArray[np.int32]
    seeds: npt.NDArray[np.int64]
    accounts: npt.NDArray[np.bytes_]
    values: dict[str, Values]


def table_name(prefix: str, data_set: str, epochs: int) -> str:
    """Name a table, e.g. ``nats-topology-cifar10-valid-200``."""
    return f"{prefix}-{data_set.lower()}-{epochs}"


def make_table(
    gathered: Gathered, *, prefix: str, space: str, data_set: str, epochs: int, source: str
) -> TableData:
    """Make the table of one data set and training length; ``gathered.values`` is emptied meanwhile.

    Args:
        gathered: What the release has of it.
        prefix: How the table's name begins.
        space: Name of the space.
        data_set: As the release names it.
        epochs: Training length.
        source: Name and checksum of what was read.
    """
    return TableData(
        name=table_name(prefix, data_set, epochs),
        info=_info(space, data_set, epochs, source),
        codes=gathered.codes,
        epochs=tuple(range(1, epochs + 1)),
        curves=dict(_curves(gathered, data_set, epochs)),
        scalars=_scalars(gathered),
        provenance=_provenance(gathered),
    )


def _curves(gathered: Gathered, data_set: str, epochs: int) -> Iterator[tuple[str, Curve]]:
    values = gathered.values
    has_validation = False
    for split, metric in METRIC_OF_SPLIT[data_set].items():
        accuracy = values.pop(f"{split}/accuracy", None)
        if accuracy is not None:
            error = np.empty(accuracy.shape, dtype=np.float32)
            for row, percent in enumerate(accuracy):  # row by row, so that no second large array is made
                error[row] = error_from_accuracy_percent(percent)
            has_validation |= metric == "valid"
            yield f"{metric}_error", error
            yield f"{metric}_accuracy_percent", accuracy
        loss = values.pop(f"{split}/loss", None)
        if loss is not None:
            yield f"{metric}_loss", loss
        seconds = values.pop(f"{split}/seconds", None)
        if seconds is not None:
            yield f"{metric}_seconds", np.cumsum(seconds, axis=2, out=seconds)
    if not has_validation:
        yield "valid_error", np.full((*gathered.seeds.shape, epochs), np.nan, dtype=np.float32)


def _provenance(gathered: Gathered) -> Provenance:
    flat = gathered.accounts.ravel()
    rows, of = np.unique(flat, return_inverse=True)
    texts = [row.decode("utf-8") for row in rows.tolist()]
    places = of.reshape(gathered.accounts.shape).astype(np.int32)
    if texts and not texts[0]:  # repeats that are not there
        texts, places = texts[1:], places - 1
    return Provenance(tuple(texts), places)


def _scalars(gathered: Gathered) -> dict[str, Scalar]:
    n = len(gathered.codes)
    parameters, macs = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int64)
    latency = np.full(n, np.nan)
    disagree = np.zeros(n, dtype=np.int8)
    for row, texts in enumerate(gathered.accounts.tolist()):
        accounts = [json.loads(text) for text in texts if text]
        counts, disagree[row] = trusted(accounts, "parameters_millions")
        multiplications, differ = trusted(accounts, "flop_millions")
        disagree[row] |= differ
        parameters[row] = round(counts * 1e6)
        macs[row] = round(multiplications * 1e6)
        measured = [mean for mean in map(mean_latency, accounts) if mean > 0]
        if measured:
            latency[row] = sum(measured) / len(measured)
    return {
        "latency_seconds": Scalar(latency, "seconds", DEVICE),
        "macs": Scalar(macs, "multiply-accumulates"),
        "nats_index": Scalar(gathered.index, "index in the official release"),
        "parameters": Scalar(parameters, "parameters"),
        "parameters_disagree": Scalar(disagree, "1 = the source's counts disagree"),
    }


def trusted(accounts: Sequence[Mapping[str, float]], name: str) -> tuple[float, bool]:
    """Return a network's count in millions, and whether its repeats disagree on it.

    Repeats that agree to five digits are averaged; else the count of training seed 888 holds, which is what
    nats_bench 1.8 does (``get_compute_costs``), or that of the first repeat where there is no such seed.
    """
    counts = [account[name] for account in accounts]
    if len({f"{count:.5f}" for count in counts}) > 1:
        seeds = [account["seed"] for account in accounts]
        return counts[seeds.index(_TRUSTED_SEED) if _TRUSTED_SEED in seeds else 0], True
    return sum(counts) / len(counts), False


def mean_latency(account: Mapping[str, Sequence[float] | None]) -> float:
    """Average a repeat's latencies, seconds; -1 where none was measured, as the release's reader says it."""
    latencies = account["latency_seconds"]
    return -1.0 if latencies is None else sum(latencies) / len(latencies)


def _info(space: str, data_set: str, epochs: int, source: str) -> TableInfo:
    crop = 2 if data_set.startswith("ImageNet16") else 4
    flips = "random horizontal flip, random crop, padding"
    return TableInfo(
        space=space,
        dataset=_DATASET[data_set],
        splits=_HELD[data_set],
        recipe={
            "epochs": epochs,
            "batch_size": 256,
            "optimizer": "SGD, Nesterov momentum 0.9",
            "learning_rate": 0.1,
            "schedule": "cosine to 0",
            "weight_decay": 0.0005,
            "augmentation": f"{flips} {crop}",
            "network": _NETWORK[space],
        },
        reference_device=DEVICE,
        device_kind="gpu",
        licence="MIT (NATS-Bench data, Copyright (c) since 2020 Xuanyi Dong)",
        source=source,
        source_url="https://github.com/D-X-Y/NATS-Bench",
        citation=f"{_PUBLISHED[space]}{_NATS}",
        notes=_NOTES,
    )
