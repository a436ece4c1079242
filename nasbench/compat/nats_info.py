"""One answer of ``get_more_info``: what some trainings had reached on every split after an epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nasbench.compat.nats_results import mean
from nasbench.compat.nats_tables import Point, Trained

_COMMENTS = {
    "cifar10-valid": "train-* is of one half of CIFAR-10's training images, valid-* of the other half, "
    "test-* of the test images.",
    "cifar10": "train-* is of all training images of CIFAR-10, test-* of the test images.",
}


def split_of(dataset: str, metric_on_set: str) -> tuple[str, str]:
    """Say which split of which data set a person means."""
    if dataset == "cifar10" and metric_on_set == "valid":
        return "cifar10-valid", "x-valid"
    if dataset == "cifar10" and metric_on_set == "test":
        return "cifar10", "ori-test"
    known = {"valid": "x-valid", "test": "ori-test" if dataset == "cifar10-valid" else "x-test"}
    return dataset, known.get(metric_on_set, metric_on_set)


def points_of(trained: Trained, index: int, repeats: Sequence[int], epoch: int) -> dict[str, Point]:
    """Average what some trainings had reached; splits that one of them lacks are left out."""
    out = {}
    for split in trained.metric_of_split:
        points = [trained.point(index, split, repeat, epoch) for repeat in repeats]
        there = [point for point in points if point is not None]
        if len(there) == len(points):
            out[split] = Point(*(mean([getattr(point, name) for point in there]) for name in Point._fields))
    return out


def info_of(trained: Trained, points: dict[str, Point], epoch: int) -> dict[str, Any]:
    """Lay out one answer of ``get_more_info``."""
    out: dict[str, Any] = {}
    for split, metric in trained.metric_of_split.items():
        if split in points:
            loss, accuracy, seconds = points[split]
            out[f"{metric}-loss"] = loss
            out[f"{metric}-accuracy"] = accuracy
            out[f"{metric}-per-time"] = None if seconds is None else seconds / (epoch + 1)
            out[f"{metric}-all-time"] = seconds
    if trained.data_set in _COMMENTS:
        out["comment"] = _COMMENTS[trained.data_set]
    return out
