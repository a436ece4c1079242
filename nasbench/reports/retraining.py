"""The best architectures of rows on a surrogate, trained live: what is recorded of them.

The trainings go into a table file beside the records, through the ledger that populating uses: an
interrupted retraining goes on, and a second one trains only what is new. What the page needs is copied into
the records, of which alone a leaderboard is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nasbench.comparison.best_found import best_found
from nasbench.errors import BadOption, NotMeasured
from nasbench.evaluation.behind import training_behind
from nasbench.evaluation.source import Source
from nasbench.evaluation.surrogate_source import SurrogateSource
from nasbench.records import Code
from nasbench.runs.columns import RunColumns
from nasbench.runs.suite import Retraining, Suite
from nasbench.store.table import Table, open_table

LEVEL = 0.9
"""How often the predicted interval should hold one new training."""

_HANGS_AFTER_SECONDS = 24 * 3600.0
_DIGITS = 9

Progress = Callable[[int, int, str], None]


def retrained_table(folder: Path, panel: int) -> Path:
    """Name the table file with the trainings of one panel."""
    return folder / ("retrained.h5" if panel == 0 else f"retrained-{panel}.h5")


def retrain(
    suite: Suite,
    sources: Sequence[Source],
    runs: Mapping[tuple[int, int], Sequence[RunColumns]],
    folder: Path,
    *,
    jobs: int = 1,
    device: str | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any] | None]:
    """Train what a suite asks to be trained again, for all its panels.

    Args:
        suite: The suite.
        sources: One a panel.
        runs: Finished runs by (panel, row).
        folder: Where the table files go.
        jobs: Processes.
        device: Where; None means the CPU.
        progress: Told (trainings done, trainings, what).

    Returns:
        What the records keep, one entry a panel, None where its runs found nothing; empty where the suite
        asks for nothing.

    Raises:
        BadOption: A source is no surrogate of trainings that can be made here.
        MissingExtra: torch or the data set is absent.
    """
    asked = suite.retraining
    if asked is None:
        return []
    kept: list[dict[str, Any] | None] = []
    for p, source in enumerate(sources):
        if not isinstance(source, SurrogateSource):
            training_behind(source.info)
            raise BadOption(f"retraining: expected a surrogate, got {source.info.name}.")
        epochs = suite.epochs if suite.epochs is not None else source.epochs[-1]
        rows = {row.label: runs[p, r] for r, row in enumerate(suite.strategies)}
        chosen = chosen_of(source, rows, best=asked.best, epochs=epochs)
        codes = distinct(chosen)
        if not codes:
            kept.append(None)
            continue
        table = train(
            source,
            codes,
            retrained_table(folder, p),
            replicates=asked.replicates,
            epochs=epochs,
            jobs=jobs,
            device=device,
            progress=progress,
        )
        kept.append(recorded(source, chosen, table, asked, epochs=epochs))
    return kept


def chosen_of(
    source: SurrogateSource, rows: Mapping[str, Sequence[RunColumns]], *, best: int, epochs: int
) -> dict[str, list[tuple[Code, float]]]:
    """Choose each row's best architectures; see ``best_found``.

    Args:
        source: Its space says which codes are equal networks.
        rows: Runs by label.
        best: Architectures of each row.
        epochs: Training length that the panel scores.
    """
    standing = source.space.canonical
    return {label: best_found(runs, best, epochs=epochs, standing=standing) for label, runs in rows.items()}


def train(
    source: SurrogateSource,
    codes: Sequence[Code],
    path: Path,
    *,
    replicates: int,
    epochs: int,
    jobs: int = 1,
    device: str | None = None,
    progress: Progress | None = None,
) -> Table:
    """Train architectures as the surrogate's table was, into a table file; what it holds is kept.

    Args:
        source: The surrogate.
        codes: Architectures.
        path: The table file; need not exist yet.
        replicates: Trainings of each, with the seeds 0, 1, ...
        epochs: Length of the trainings.
        jobs: Processes.
        device: Where; None means the CPU.
        progress: Told (trainings done, trainings, what).

    Raises:
        BadOption: The file holds other trainings, or the training is none of this program.
        MissingExtra: torch or the data set is absent.
    """
    from nasbench.populate.filling import Tally, fill, missing
    from nasbench.populate.job import Job
    from nasbench.populate.live import open_live_trainer
    from nasbench.populate.local import LocalPool
    from nasbench.populate.plan import tasks_of
    from nasbench.populate.target import Target, ledger_path

    behind = training_behind(source.info)
    job = Job(space=source.space.name, data=behind.data, recipe=behind.recipe, epochs=epochs)
    licence = str(source.info.extra.get("licence", "")) or None

    def tell(tally: Tally) -> None:
        if progress is not None:
            progress(tally.done, tally.total, "trained again")

    with Target(path, job, name=path.stem, licence=licence) as target:
        tasks = missing(target, tasks_of(codes, replicates=replicates))
        if tasks:
            with LocalPool(
                job, open_live_trainer, devices=[device or "cpu"] * jobs, time_limit=_HANGS_AFTER_SECONDS
            ) as pool:
                fill(target, tasks, pool, tell=tell)
    for left in path.parent.glob(f"{ledger_path(path, path.stem).name}*"):  # the table holds all of it now
        left.unlink()
    return open_table(path, path.stem)


def recorded(
    source: SurrogateSource,
    chosen: Mapping[str, Sequence[tuple[Code, float]]],
    table: Table,
    asked: Retraining,
    *,
    epochs: int,
) -> dict[str, Any]:
    """Say what the records keep: the choice, the predictions, the trainings.

    Args:
        source: The surrogate.
        chosen: As ``chosen_of`` returns it.
        table: The trainings.
        asked: What the suite asks for.
        epochs: Training length that the panel scores.

    Returns:
        Plain data: ``best``, ``replicates``, ``metric``, ``data``, ``recipe``, ``device``, ``table_hash``,
        ``rows`` (by label, a list of [place in ``architectures``, searched error]) and ``architectures``,
        each with ``code``, ``predicted``, ``low``, ``high`` and ``errors``, which are fractions.
    """
    codes = distinct(chosen)
    place = {code: i for i, code in enumerate(codes)}
    behind = training_behind(source.info)
    metric = source.surrogate.metrics[-1]
    return {
        "best": asked.best,
        "replicates": asked.replicates,
        "metric": metric,
        "data": behind.data,
        "recipe": behind.recipe_name,
        "device": table.info.reference_device,
        "table_hash": table.content_hash,
        "rows": {
            label: [[place[code], round(error, _DIGITS)] for code, error in found]
            for label, found in chosen.items()
        },
        "architectures": [
            {**told, "errors": errors_of(table, told["code"], metric, asked.replicates, epochs=epochs)}
            for told in predicted(source, codes, epochs=epochs)
        ],
    }


def distinct(chosen: Mapping[str, Sequence[tuple[Code, float]]]) -> list[Code]:
    """List the chosen architectures of all rows, each once, in the order of the rows."""
    return list(dict.fromkeys(code for found in chosen.values() for code, _ in found))


def predicted(source: SurrogateSource, codes: Sequence[Code], *, epochs: int) -> list[dict[str, Any]]:
    """Predict the mean error of architectures and where one new training should lie; fractions."""
    if not codes:
        return []
    spread = source.surrogate.predict(np.array(codes), epochs=(epochs,)).errors[source.surrogate.metrics[-1]]
    low, high = spread.interval(LEVEL)
    columns = [np.round(values[:, 0], _DIGITS).tolist() for values in (spread.mean, low, high)]
    return [
        {"code": list(code), "predicted": mean, "low": least, "high": most}
        for code, mean, least, most in zip(codes, *columns, strict=True)
    ]


def errors_of(
    table: Table, code: Sequence[int], metric: str, replicates: int, *, epochs: int
) -> list[float | None]:
    """Read the errors of an architecture's trainings from the table, by seed; None where one failed."""
    errors: list[float | None] = []
    for replicate in range(replicates):
        try:
            found = table.query(tuple(code), epochs=epochs, replicate=replicate)
        except NotMeasured:
            errors.append(None)
            continue
        error = getattr(found, metric)
        errors.append(None if error is None else float(error))
    return errors
