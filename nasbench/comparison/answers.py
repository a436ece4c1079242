"""What runs hand over in the end: the last incumbent of each, to be trained from scratch elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasbench.comparison.incumbents import incumbent_rows
from nasbench.errors import BadOption, UnknownName
from nasbench.records import Code
from nasbench.runs.columns import RunColumns


@dataclass(frozen=True, slots=True)
class FinalAnswer:
    """What one run handed over.

    Attributes:
        entry: Label of its row.
        strategy: Name of its strategy.
        source: Label of what it searched.
        seed: Its root seed.
        code: The architecture; None where the run has no answer.
        valid_error: Of the trial that answered it in the run, fraction in [0, 1]; None as above.
        reason: Why there is no answer, or ``""``.
    """

    entry: str
    strategy: str
    source: str
    seed: int
    code: Code | None
    valid_error: float | None
    reason: str = ""


def final_answers(
    runs: Sequence[RunColumns], *, space: str, strategies: Sequence[str] = ()
) -> list[FinalAnswer]:
    """Find what each run handed over: its last incumbent, which for weight sharing is the last report.

    Args:
        runs: Finished runs.
        space: Name of the space that they are to be of.
        strategies: Rows to take, each by its label or by the name of its strategy; all if empty.

    Raises:
        UnknownName: No run is of such a row.
        BadOption: A run is of another space, or none has an answer.
    """
    known = {name for run in runs for name in (run.header["entry"], run.header["strategy"])}
    for name in strategies:
        if name not in known:
            raise UnknownName.among("strategy of these runs", name, known)
    answers = []
    for run in runs:
        header = run.header
        if strategies and not {header["entry"], header["strategy"]} & set(strategies):
            continue
        if header["space"] != space:
            raise BadOption(
                f"space: expected that of the runs, {header['space']}, got {space}. Name that space and a "
                "recipe that trains it: nasbench list recipes"
            )
        rows = incumbent_rows(run, epochs=header["epochs"])
        row = int(rows[-1]) if len(rows) else -1
        about = header["entry"], header["strategy"], header["source"], header["seed"]
        if row < 0:
            answers.append(FinalAnswer(*about, None, None, run.reason or f"it ended ({run.end}) without one"))
        else:
            code = tuple(np.asarray(run.codes[row], dtype=int).tolist())
            answers.append(FinalAnswer(*about, code, float(run.valid_error[row])))
    if all(answer.code is None for answer in answers):
        raise BadOption(
            f"from-run: expected runs with an answer, got none in {len(answers)}. The first: "
            f"{answers[0].entry}, seed {answers[0].seed}: {answers[0].reason}."
        )
    return answers
