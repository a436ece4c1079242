"""``populate --from-run``: what runs handed over is trained from scratch and said beside its search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasbench.cli.output import say
from nasbench.units import format_error

if TYPE_CHECKING:
    from nasbench.comparison.answers import FinalAnswer
    from nasbench.records import Code
    from nasbench.spaces import Space

_METRICS = {"valid_error": "validation error", "test_error": "test error"}


class Derived:
    """The answers of runs.

    Args:
        path: As ``runs.folder.read_runs`` takes it.
        space: The space to train.
        strategies: Rows to take; all if empty.
    """

    def __init__(self, path: Path, space: Space, strategies: Sequence[str]) -> None:
        from nasbench.comparison.answers import final_answers
        from nasbench.runs.folder import read_runs

        self._space = space
        self._answers: list[FinalAnswer] = final_answers(
            read_runs(path), space=space.name, strategies=strategies
        )
        for answer in self._answers:
            where = f"derived: {answer.entry}, seed {answer.seed}, {answer.source}: "
            if answer.code is None or answer.valid_error is None:
                say(f"{where}no architecture: {answer.reason}")
            else:
                error = format_error(answer.valid_error)
                say(f"{where}{space.format(answer.code)} (validation error there {error} %)")

    @property
    def codes(self) -> list[Code]:
        """Each architecture once, in the order of the runs."""
        return list(dict.fromkeys(answer.code for answer in self._answers if answer.code is not None))

    def recorded(self, table: Path, name: str, *, epochs: int) -> list[dict[str, Any]]:
        """Say what the table holds of each answer, and return it as data; errors are fractions in [0, 1]."""
        from nasbench.errors import NotMeasured
        from nasbench.store.table import open_table

        opened = open_table(table, name) if table.exists() else None
        rows = []
        for answer in self._answers:
            found: dict[str, list[float]] = {metric: [] for metric in _METRICS}
            failed = 0
            if answer.code is not None and opened is not None:
                try:
                    repeats = range(opened.replicates_of(opened.row(answer.code)))
                    measured = [opened.query(answer.code, epochs=epochs, replicate=r) for r in repeats]
                except NotMeasured:
                    measured = []
                failed = sum(one.status == "failed" for one in measured)
                for one in measured:
                    if one.valid_error is not None:
                        found["valid_error"].append(one.valid_error)
                    if one.test_error is not None:
                        found["test_error"].append(one.test_error)
            text = None if answer.code is None else self._space.format(answer.code)
            rows.append(
                {
                    "entry": answer.entry,
                    "seed": answer.seed,
                    "source": answer.source,
                    "architecture": text,
                    "reason": answer.reason,
                    "search_valid_error": answer.valid_error,
                    "failed": failed,
                    **found,
                }
            )
            if answer.code is not None:
                trained = f"{len(found['valid_error'])} trainings" + (f", {failed} failed" if failed else "")
                said = [f"{words} {_words(found[metric])}" for metric, words in _METRICS.items()]
                say(f"recorded: {answer.entry}, seed {answer.seed}: {trained}; {'; '.join(said)}")
        return rows


def _words(errors: list[float]) -> str:
    """Write the mean of some errors, and their range."""
    if not errors:
        return "none"
    spread = f" ({format_error(min(errors))} to {format_error(max(errors))} %)" if len(errors) > 1 else ""
    return f"{format_error(float(np.mean(errors)))} %{spread}"
