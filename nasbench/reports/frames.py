"""Leaderboards as pandas frames, for notebooks: the same numbers as the page, one row each.

Needs a folder that ``nasbench compare``, ``run`` or ``leaderboard build`` made.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from nasbench.reports.assemble import assemble
from nasbench.reports.csvs import curves_csv, final_csv
from nasbench.runs.columns import PURPOSES, STATUSES
from nasbench.runs.packing import read_records
from nasbench.spaces import space_of

if TYPE_CHECKING:
    import pandas as pd

RECORDS = "records.h5"


def final_frame(folder: str | Path) -> pd.DataFrame:
    """Return the final table, one row an entry and reference; errors are fractions.

    Raises:
        FormatError: The folder's records are missing, damaged or edited.
    """
    import pandas as pd

    return pd.read_csv(io.StringIO(final_csv(assemble(read_records(Path(folder) / RECORDS)))))


def curves_frame(folder: str | Path) -> pd.DataFrame:
    """Return the anytime curves in long form, one row a point; errors are fractions.

    Raises:
        FormatError: The folder's records are missing, damaged or edited.
    """
    import pandas as pd

    return pd.read_csv(io.StringIO(curves_csv(assemble(read_records(Path(folder) / RECORDS)))))


def trials_frame(folder: str | Path) -> pd.DataFrame:
    """Return every trial of every run, one row each, in order of finish.

    Columns: ``source``, ``entry``, ``seed``, ``number`` (order of proposal), ``architecture`` (the space's
    own notation), ``epochs``, ``replicate``, ``status``, ``purpose``, ``valid_error`` and ``test_error``
    (fractions, missing where failed or not recorded), ``charged_seconds``, ``finished_seconds``,
    ``spent_seconds`` (charged so far in this run, over all workers).

    Raises:
        FormatError: The folder's records are missing, damaged or edited.
    """
    import pandas as pd

    frames = []
    for panel in read_records(Path(folder) / RECORDS).panels:
        space = space_of(panel.source["space"], panel.source["extra"].get("space_definition", ""))
        for entry in panel.entries:
            for run in entry.runs:
                frames.append(
                    pd.DataFrame(
                        {
                            "source": panel.source["name"],
                            "entry": entry.label,
                            "seed": run.header["seed"],
                            "number": run.number,
                            "architecture": [space.format(code) for code in run.codes.tolist()],
                            "epochs": run.epochs,
                            "replicate": run.replicate,
                            "status": [STATUSES[i] for i in run.status],
                            "purpose": [PURPOSES[i] for i in run.purpose],
                            "valid_error": run.valid_error,
                            "test_error": run.test_error,
                            "charged_seconds": run.charged_seconds,
                            "finished_seconds": run.finished_seconds,
                            "spent_seconds": run.spent_seconds,
                        }
                    )
                )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
