"""All files of a report, written beside the records they were made from.

``index.html``, ``README.md``, ``curves.svg`` (``curves-<panel>.svg`` where there are several),
``leaderboard.csv``, ``curves.csv``, ``table.tex``, ``leaderboard.json``, where the suite sets a cost against
the error ``fronts.csv`` and ``hypervolumes.csv``, where searches share weights ``health.csv``, where
architectures were trained again ``retrained.csv``, and where rows are given ``runs.csv``. Same leaderboard,
same bytes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nasbench.reports.csvs import curves_csv, final_csv, health_csv, retrained_csv, rows_csv, trade_off_csvs
from nasbench.reports.figures import charts_of, draw_chart
from nasbench.reports.html import render_html
from nasbench.reports.latex import final_table
from nasbench.reports.leaderboard import Leaderboard
from nasbench.reports.looks import leaderboard_looks
from nasbench.reports.markdown import render_markdown


def write_report(
    leaderboard: Leaderboard,
    folder: str | os.PathLike[str],
    *,
    runs_csv_rows: Iterable[Mapping[str, Any]] | None = None,
) -> list[Path]:
    """Write every page and file of a leaderboard.

    Each file is written aside and renamed, so none is ever half there. Other files in the folder stay.

    Args:
        leaderboard: What to show; one without an id gets it here.
        folder: Made where it does not exist.
        runs_csv_rows: One row a run, all with the same columns, for ``runs.csv``.

    Returns:
        The paths written, ``index.html`` first.

    Raises:
        BadOption: A row of ``runs_csv_rows`` has other columns than the first.
    """
    board = leaderboard if leaderboard.id else leaderboard.with_id()
    texts = {"index.html": render_html(board)}
    pictures = curve_pictures(board)
    named = [(name, file) for name, file, _ in pictures]
    texts["README.md"] = render_markdown(board, pictures=named)
    texts.update({file: svg for _, file, svg in pictures})
    texts["leaderboard.csv"] = final_csv(board)
    texts["curves.csv"] = curves_csv(board)
    texts.update(trade_off_csvs(board))
    if health := health_csv(board):
        texts["health.csv"] = health
    if retrained := retrained_csv(board):
        texts["retrained.csv"] = retrained
    texts["table.tex"] = final_table(board)
    texts["leaderboard.json"] = board.canonical_json()
    if runs_csv_rows is not None:
        texts["runs.csv"] = rows_csv(runs_csv_rows)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    return [_write(place / name, text) for name, text in texts.items()]


def curve_pictures(leaderboard: Leaderboard) -> list[tuple[str, str, str]]:
    """Draw the main chart of every panel that has one.

    Returns:
        Panel name, file name and SVG of each.
    """
    looks = leaderboard_looks(leaderboard)
    several = len(leaderboard.panels) > 1
    pictures, taken = [], set[str]()
    for index, panel in enumerate(leaderboard.panels):
        drawable = charts_of(panel)
        if not drawable:
            continue
        axis, metric = drawable[0]
        chart = draw_chart(panel, index, axis=axis, metric=metric, looks=looks, alone=True)
        file = f"curves-{_file_name(panel.name)}.svg" if several else "curves.svg"
        if file in taken:
            file = f"curves-{_file_name(panel.name)}-{index}.svg"
        taken.add(file)
        pictures.append((panel.name, file, chart.svg))
    return pictures


def _file_name(name: str) -> str:
    """Keep letters, digits, dots and hyphens of a panel's name."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "panel"


def _write(path: Path, text: str) -> Path:
    aside = path.with_name(path.name + ".tmp")
    aside.write_bytes(text.encode())
    os.replace(aside, path)
    return path
