"""Makes up releases of NATS-Bench and NAS-Bench-201 in their true formats, small and ragged as the real ones.

What a record looks like follows the authors' classes ``ArchResults`` and ``ResultsCount`` (nats_bench 1.8):
their state is dictionaries, and the three dictionaries of an evaluation have the same text objects as keys.
"""

from __future__ import annotations

import bz2
import collections
import functools
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.spaces import get_space
from nasbench.store.bundled import find_table

DATA_SETS = ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120")
SPLITS = {
    "cifar10-valid": ("x-valid", "ori-test"),
    "cifar10": ("ori-test",),
    "cifar100": ("x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("x-valid", "x-test", "ori-test"),
}
CLASSES = {"cifar10-valid": 10, "cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
# The split that is evaluated after every one of 200 epochs; the others after the last alone.
EVERY_EPOCH = {"cifar10-valid": "x-valid", "cifar10": "ori-test"}
EXTENSION = ".pickle.pbz2"


@functools.cache
def architectures(space: str) -> list[str]:
    """List a space in the order of the release: the size space is sorted, the topology space is not."""
    names = [
        get_space(space).format(code) for block in get_space(space).enumerate() for code in block.tolist()
    ]
    if space == "nats-size":
        return names
    index_of_rank = np.asarray(find_table("nb201-cifar10").scalar("nats_index"))
    return [names[rank] for rank in np.argsort(index_of_rank).tolist()]


def result(
    rng: np.random.Generator, data_set: str, seed: int, epochs: int, arch: str, *, disagree: bool = False
) -> dict[str, Any]:
    """Make up one training."""
    params = np.float64(0.1 + 0.001 * len(arch) + (0.002 if disagree and seed != 888 else 0))
    seconds, evaluation = float(rng.uniform(3, 40)), float(rng.uniform(0.3, 2))

    def by_epoch(low: float, high: float) -> dict[int, float]:
        return {epoch: float(value) for epoch, value in enumerate(rng.uniform(low, high, epochs))}

    acc: dict[str, float] = {}
    losses: dict[str, float] = {}
    times: dict[str, float] = {}
    for split in SPLITS[data_set]:
        last_only = epochs == 200 and split != EVERY_EPOCH.get(data_set, "ori-test")
        for epoch in range(epochs):
            key = f"{split}@{epoch}"
            times[key] = evaluation
            if not last_only or epoch == epochs - 1:
                acc[key] = float(rng.uniform(5, 95))
                losses[key] = float(rng.uniform(0.5, 4))
    if "|" in arch:
        config = {"channel": 16, "num_cells": 5, "arch_str": arch, "class_num": CLASSES[data_set]}
    else:
        config = {
            "name": "infer.shape.tiny",
            "channels": arch,
            "arch_str": arch,
            "genotype": "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|"
            "+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|",
            "class_num": CLASSES[data_set],
        }
    return {
        "name": data_set,
        "train_acc1es": by_epoch(5, 100),
        "train_acc5es": by_epoch(50, 100),
        "train_losses": by_epoch(0.1, 4),
        "train_times": collections.OrderedDict((epoch, seconds) for epoch in range(epochs)),
        "arch_config": config,
        "params": params,
        "flop": float(15 + 0.01 * len(arch) + CLASSES[data_set] / 1e3),
        "seed": f"{seed:04d}",
        "epochs": epochs,
        "latency": [np.float64(rng.uniform(0.01, 0.02))],
        "eval_names": list(SPLITS[data_set]),
        "eval_acc1es": acc,
        "eval_times": times,
        "eval_losses": losses,
        "net_state_dict": None,
    }


def state(
    rng: np.random.Generator, index: int, arch: str, epochs: int, seeds: dict[str, list[int]], **options: Any
) -> dict[str, Any]:
    """Make up the state of one ``ArchResults``."""
    return {
        "arch_index": index,
        "arch_str": arch,
        "all_results": {
            (data_set, seed): result(rng, data_set, seed, epochs, arch, **options)
            for data_set, of_set in seeds.items()
            for seed in of_set
        },
        "dataset_seed": {data_set: sorted(of_set) for data_set, of_set in seeds.items()},
        "clear_net_done": True,
    }


def record(index: int, arch: str, *, keys: tuple[str, ...], short: bool = False) -> dict[str, Any]:
    """Make up the record of one architecture; every third has two seeds only, as half of the real ones.

    Args:
        index: Its index.
        arch: Its notation.
        keys: Keys of the training lengths.
        short: Train 12 epochs where the release trains 200, so that files stay small.
    """
    rng = np.random.default_rng([201, index])
    out: dict[str, Any] = collections.OrderedDict()
    for key in keys:
        if key in ("200", "full"):
            some = [777, 888, 999] if index % 3 else [777, 888]
            out[key] = state(rng, index, arch, 200, dict.fromkeys(DATA_SETS, some), disagree=index % 5 == 2)
        elif key in ("01", "90"):
            out[key] = state(rng, index, arch, int(key), {name: [777] for name in DATA_SETS})
        elif "|" in arch:
            seeds = {**{name: [111] for name in DATA_SETS}, "cifar10-valid": [777, 111]}
            out[key] = state(rng, index, arch, 12, seeds)
        else:
            out[key] = state(rng, index, arch, 12, {name: [777, 888, 999] for name in DATA_SETS})
    return out


TOPOLOGY_KEYS, SIZE_KEYS, NB201_KEYS = ("12", "200"), ("01", "12", "90"), ("full", "less")


def records(space: str, indices: list[int], keys: tuple[str, ...] | None = None) -> dict[int, dict[str, Any]]:
    """Make up the records of some architectures of a space."""
    names = architectures(space)
    chosen = keys or (SIZE_KEYS if space == "nats-size" else TOPOLOGY_KEYS)
    return {index: record(index, names[index], keys=chosen) for index in indices}


@functools.cache
def _meta(space: str) -> bytes:
    names = architectures(space)
    meta = {"meta_archs": names, "total_archs": len(names), "arch2infos": None, "evaluated_indexes": set()}
    return bz2.compress(pickle.dumps(meta, protocol=4), 1)


def write_folder(path: Path, space: str, made: dict[int, dict[str, Any]]) -> Path:
    """Write a folder ``-simple``."""
    path.mkdir()
    (path / f"meta{EXTENSION}").write_bytes(_meta(space))
    for index, one in made.items():
        data = bz2.compress(pickle.dumps(one, protocol=4), 1)
        (path / f"{index:06d}{EXTENSION}").write_bytes(data)
    return path


def whole(space: str, made: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Return the dictionary that the single files hold."""
    names = architectures(space)
    return {
        "meta_archs": names,
        "total_archs": len(names),
        "arch2infos": made,
        "evaluated_indexes": set(made),
    }


def write_single(path: Path, space: str, made: dict[int, dict[str, Any]]) -> Path:
    """Write a single ``.pickle.pbz2``."""
    path.write_bytes(bz2.compress(pickle.dumps(whole(space, made), protocol=4), 1))
    return path


def write_pth(path: Path, made: dict[int, dict[str, Any]], *, legacy: bool = False) -> Path:
    """Write what ``torch.save`` writes of such a dictionary, without torch."""
    data = pickle.dumps(whole("nb201", made), protocol=2)
    if legacy:
        heads = (0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True})
        tail = pickle.dumps([], protocol=2)  # the keys of the storages: there are none
        path.write_bytes(b"".join(pickle.dumps(head, protocol=2) for head in heads) + data + tail)
        return path
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{path.stem}/data.pkl", data)
        archive.writestr(f"{path.stem}/version", "3\n")
    return path
