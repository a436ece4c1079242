"""Make ``data/digits-nb201-oneshot.h5``: how the trainings of ``digits-nb201`` end, to be scored one-shot.

The table ``digits-nb201`` keeps its content, and with it every leaderboard that names it. This smaller one
holds the errors and seconds of its trainings at full length only, without losses, and is then scored by

    python scripts/build_digits_oneshot.py data/digits-nb201-oneshot.h5
    nasbench populate nb201 --data digits --recipe digits-nb201 --table data/digits-nb201-oneshot.h5 \
        --oneshot --mixed-devices
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from nasbench.store.bundled import find_table
from nasbench.store.data import Scalar
from nasbench.store.writer import write_tables

CURVES = ("valid_error", "test_error", "train_seconds")


def main() -> None:
    path = Path(sys.argv[1])
    table = find_table("digits-nb201")
    data = table.data()
    kept = {name: Scalar(s.values, s.unit, s.device) for name, s in data.scalars.items()}
    write_tables(
        path,
        [
            replace(
                data,
                name=path.stem,
                epochs=data.epochs[-1:],
                curves={name: data.curves[name][:, :, -1:] for name in CURVES},
                scalars=kept,
                info=replace(
                    data.info,
                    notes=f"{data.info.notes} The ends of the trainings of table {table.name}, content "
                    f"{table.content_hash[:12]}.".strip(),
                    created_by="",
                ),
            )
        ],
    )


if __name__ == "__main__":
    main()
