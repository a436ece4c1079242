r"""The final table as LaTeX: booktabs rules, siunitx columns, a tabular a panel, ready for ``\input``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from nasbench.reports.finals import FinalRow, amount_text, error_text, final_rows, ratio_text, short_id
from nasbench.reports.leaderboard import Leaderboard, Panel
from nasbench.units import format_error

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "–": "--",
    "×": r"$\times$",
    "±": r"$\pm$",
    "\n": " ",
    "\r": " ",
}
_BLANK = "{--}"


def final_table(leaderboard: Leaderboard) -> str:
    """Write one tabular a panel, with a comment that says where it comes from and what it needs."""
    head = [
        f"% {_comment(leaderboard.title)}",
        f"% leaderboard {short_id(leaderboard)}, nasbench {leaderboard.nasbench_version}",
        r"% Needs \usepackage{booktabs,siunitx} and \sisetup{detect-all,separate-uncertainty}.",
        "% Errors in percent, mean +- standard deviation; bold: best and those not separated from it.",
    ]
    return "\n".join([*head, *(_tabular(panel) for panel in leaderboard.panels)]) + "\n"


def escape_latex(text: str) -> str:
    """Escape what LaTeX would take for markup; a line break becomes a space."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _tabular(panel: Panel) -> str:
    rows = final_rows(panel)
    spreads = [row.std for row in rows if row.mean is not None and row.std is not None]
    error_format = _format([row.mean for row in rows])
    if spreads:
        digits = max(len(format_error(spread).replace(".", "").lstrip("0")) or 1 for spread in spreads)
        error_format += f"({digits})"
    plain = [_format([getattr(row, name) for row in rows]) for name in ("median", "best", "regret")]
    columns = "".join(f"\n  S[table-format={style}]" for style in (error_format, *plain))
    axis = escape_latex(panel.axis)
    names = [
        "Strategy",
        "Mode",
        "{Error (\\%)}",
        "{Median}",
        "{Best}",
        "{Regret}",
        axis,
        "Evaluations",
        "Cost to target",
        "Runs",
    ]
    body = [_line(row) for row in rows if not row.is_reference]
    references = [_line(row) for row in rows if row.is_reference]
    if body and references:
        body.append(r"\midrule")
    return "\n".join(
        [
            f"% {_comment(panel.name)}: {_comment(panel.source)}",
            f"% budget {_comment(panel.budget)} a run, {_comment(panel.device)}",
            f"\\begin{{tabular}}{{\n  ll{columns}\n  rrrr\n}}",
            r"\toprule",
            " & ".join(names) + r" \\",
            r"\midrule",
            *body,
            *references,
            r"\bottomrule",
            r"\end{tabular}",
        ]
    )


def _line(row: FinalRow) -> str:
    weight = r"\bfseries " if row.strong else ""
    name = escape_latex(row.label)
    error = _number(row.mean, weight) + (
        f" +- {format_error(row.std)}" if row.mean is not None and row.std is not None else ""
    )
    if row.has_failed:
        error = f"{{{error_text(row)}}}"
    cells = [
        f"\\textbf{{{name}}}" if row.strong else (f"\\emph{{{name}}}" if row.is_reference else name),
        escape_latex(row.entry.mode) if row.entry else "reference",
        error,
        _number(row.median),
        _number(row.best),
        _number(row.regret),
        escape_latex(amount_text(row.days)),
        escape_latex(amount_text(row.evaluations)),
        escape_latex(ratio_text(row)),
        "--" if row.n is None else str(row.n),
    ]
    return " & ".join(cells) + r" \\"


def _number(error: float | None, weight: str = "") -> str:
    return _BLANK if error is None else weight + format_error(error)


def _format(errors: Sequence[float | None]) -> str:
    """Say how many digits a column needs before its two decimals."""
    widest = max(
        (len(format_error(error).lstrip("-").split(".")[0]) for error in errors if error is not None),
        default=1,
    )
    sign = "-" if any(error is not None and format_error(error).startswith("-") for error in errors) else ""
    return f"{sign}{widest}.2"


def _comment(text: str) -> str:
    return re.sub(r"\s+", " ", text)
