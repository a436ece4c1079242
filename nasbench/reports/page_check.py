"""Whether the pages of a folder say what its leaderboard says: written again and compared as text.

The drawn curves are left out where they differ: matplotlib draws the same numbers in other strokes from one
version to the next. Every number beside them, in the tables, the CSV files, the LaTeX table and the data
inside the page, is compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from nasbench import __version__
from nasbench.errors import Mismatch
from nasbench.reports.csvs import curves_csv, final_csv, health_csv, retrained_csv, trade_off_csvs
from nasbench.reports.html import embedded_json, render_html
from nasbench.reports.latex import final_table
from nasbench.reports.leaderboard import Leaderboard
from nasbench.reports.markdown import render_markdown
from nasbench.reports.write import curve_pictures

_DRAWING = re.compile(r'(?<=<div class="canvas">)\s*<svg\b.*?</svg>\s*(?=</div>)', re.DOTALL)
# Where the drawing area ends: sums of logarithms, whose last digit is another on another processor.
_EXTENT = re.compile(r'(?<=data-extent=")[0-9e. +-]*(?=")')
_DATA = re.compile(r'(?<=<script type="application/json" id="board">).*?(?=</script>)', re.DOTALL)
_REMEDY = " Was it edited, or is it another leaderboard's? Make it again with: nasbench report DIR"


def check_pages(board: Leaderboard, folder: Path) -> Iterator[str]:
    """Compare every page of a folder with what the leaderboard makes.

    Args:
        board: The leaderboard that the folder states.
        folder: Holds the pages.

    Yields:
        What was checked, a line at a time.

    Raises:
        Mismatch: A page is missing or says something else; the message names the file and the line.
    """
    if board.nasbench_version != __version__:
        # Another version may lay its pages out in another way; the data inside must be the same in any.
        page = _read(folder / "index.html")
        if embedded_json(board) not in page:
            raise Mismatch(f"{folder / 'index.html'}: the data inside differ from leaderboard.json.")
        yield (
            f"index.html: its data equal leaderboard.json; its layout is of nasbench "
            f"{board.nasbench_version}, this is {__version__}, so the texts around them are not compared"
        )
        return
    pictures = curve_pictures(board)
    page, wanted = _read(folder / "index.html"), render_html(board)
    is_drawn_alike = page == wanted
    _require_data(page, wanted, folder / "index.html")
    _require_equal(
        _without_drawings(page), _without_drawings(wanted), folder / "index.html", lines=page.split("\n")
    )
    texts = {
        "README.md": render_markdown(board, pictures=[(name, file) for name, file, _ in pictures]),
        "leaderboard.csv": final_csv(board),
        "curves.csv": curves_csv(board),
        "table.tex": final_table(board),
        **trade_off_csvs(board),
    }
    if health := health_csv(board):
        texts["health.csv"] = health
    if retrained := retrained_csv(board):
        texts["retrained.csv"] = retrained
    for name, text in texts.items():
        _require_equal(_read(folder / name), text, folder / name)
    yield f"index.html, {', '.join(texts)}: say what leaderboard.json says"
    for _, file, svg in pictures:
        is_drawn_alike &= _read(folder / file) == svg
    if pictures and is_drawn_alike:
        yield "drawn curves: the same strokes as drawn here"
    elif pictures:
        yield (
            "drawn curves: not compared: their strokes are not those drawn here (another matplotlib, or an "
            "edit); the numbers behind them in curves.csv hold"
        )


def _read(path: Path) -> str:
    if not path.is_file():
        raise Mismatch(f"{path}: no such file. Make it with: nasbench report {path.parent}")
    return path.read_bytes().decode(errors="replace")


def _without_drawings(page: str) -> str:
    return _EXTENT.sub("", _DRAWING.sub("", page))


def _require_data(page: str, wanted: str, path: Path) -> None:
    """Check the data inside the page first: the sooner said, the plainer."""
    here, there = _DATA.search(page), _DATA.search(wanted)
    if here is None or there is None or here.group() != there.group():
        raise Mismatch(f"{path}: the data inside differ from leaderboard.json.{_REMEDY}")


def _require_equal(found: str, wanted: str, path: Path, *, lines: Sequence[str] = ()) -> None:
    """Compare two texts; ``lines`` are those of the file, where ``found`` is not the whole of it."""
    if found == wanted:
        return
    here, there = found.split("\n"), wanted.split("\n")
    pairs = enumerate(zip(here, there, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(here), len(there)))
    number = lines.index(here[at], at) if lines and at < len(here) else at
    stated = _around(here, there, at)
    expected = _around(there, here, at)
    raise Mismatch(
        f"{path}: line {number + 1}: stated {stated!r}, leaderboard.json says {expected!r}.{_REMEDY}"
    )


def _around(lines: list[str], others: list[str], at: int) -> str:
    """Cut a line short around the first place at which it differs from the other."""
    line = lines[at] if at < len(lines) else ""
    other = others[at] if at < len(others) else ""
    place = next((i for i, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), 0)
    return line[max(0, place - 30) : place + 30]
