"""A table in a few numbers: what ``nasbench table info`` prints."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from nasbench.store.oneshot import one_shot_columns
from nasbench.store.table import Table
from nasbench.units import days


def table_summary(table: Table) -> dict[str, Any]:
    """Summarise a table at its longest training length; plain values, ready for JSON.

    Returns:
        ``name``; ``attributes`` as stored; ``architectures``, ``space_size``, ``epochs``, ``metrics``,
        ``scalars``; ``one_shot``, a supernet each (name of its column, epochs, seed, train_seconds,
        architectures scored); ``replicate_histogram`` {repeats: architectures}, by test error where the
        table records no validation; ``failed_trainings``; ``best`` by mean validation error (architecture,
        valid_error, replicates); ``replicate_std``, the pooled sample standard deviation of the validation
        error between repeats (None where nothing was repeated);
        ``days_one_training_each``, reference-device days of one training of each architecture (the mean of
        its repeats); ``days_all_trainings``, of every recorded training.
    """
    epoch = len(table.epochs) - 1
    split = "valid_error" if table.records_validation else "test_error"
    counts = table.replicate_counts(split if table.has(split) else "valid_error")
    mean = table.mean("valid_error")
    best = int(np.nanargmin(mean)) if not np.isnan(mean).all() else None
    values = table.column("valid_error")[:, :, epoch].astype(np.float64)
    measured = (~np.isnan(values)).sum(axis=1)
    squares = np.nansum((values - mean[:, None]) ** 2)
    freedom = int((measured - 1).clip(min=0).sum())
    failed = table.failed
    return {
        "name": table.name,
        "attributes": asdict(table.info),
        "architectures": len(table),
        "space_size": table.most_rows,
        "epochs": list(table.epochs),
        "metrics": list(table.metrics),
        "scalars": list(table.scalars),
        "one_shot": [
            {
                "name": column.name,
                "epochs": column.epochs,
                "seed": column.seed,
                "train_seconds": column.train_seconds,
                "architectures": int((~np.isnan(column.errors)).sum()),
            }
            for column in one_shot_columns(table)
        ],
        "replicate_histogram": {int(k): int((counts == k).sum()) for k in np.unique(counts)},
        "failed_trainings": 0 if failed is None else int(failed.sum()),
        "best": None
        if best is None
        else {
            "architecture": table.space.format(tuple(table.codes[best].tolist())),
            "valid_error": float(mean[best]),
            "replicates": int(counts[best]),
        },
        "replicate_std": float(np.sqrt(squares / freedom)) if freedom else None,
        "days_one_training_each": days(float(np.nansum(table.mean("train_seconds")))),
        "days_all_trainings": days(
            float(np.nansum(table.column("train_seconds")[:, :, epoch], dtype=np.float64))
        ),
    }
