"""matplotlib's SVG made fit for a page: small, deterministic, coloured by the page, ids that do not clash.

matplotlib writes absolute move and line commands with six decimals, black text and ids such as
``figure_1`` that repeat from chart to chart. Nothing drawn is changed here beyond rounding to a tenth of a
point.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

INK = "#010203"  # stand-in that drawings use for text and axes
FAINT = "#040506"  # stand-in for grid lines

_HEAD = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_STYLE = re.compile(r'\s*<defs>\s*<style type="text/css">.*?</style>\s*</defs>', re.DOTALL)
_PATH = re.compile(r'(?<= d=")[^"]*')
_STRAIGHT = re.compile(r"[\sMLz0-9.eE+-]*")
_STEP = re.compile(r"([MLz])(?:\s+(-?[\d.eE+-]+)\s+(-?[\d.eE+-]+))?")
_FONT = re.compile(r"font-family: [^;\"]*(?:;\s*)?")
_ID = re.compile(r'(?<= id=")([^"]*)')
_REFERENCE = re.compile(r"(?<=#)([mp][0-9a-f]{6,})(?=[\")])")
_ANONYMOUS = re.compile(r' id="(?:figure|axes|patch|line2d|text|xtick|ytick|legend|matplotlib\.axis)_\d+"')
_OPEN = re.compile(r"<svg[^>]*>")
_LINES = re.compile(r"\s*\n\s*")


def tidy(text: str, *, key: str) -> str:
    """Strip, round and rename one drawing; what stays is a complete standalone SVG element.

    Args:
        text: What matplotlib wrote, drawn with ``svg.fonttype`` ``"none"``.
        key: Prefix of every id, e.g. ``"p0-days-error"``; ids that already carry it are kept.
    """
    text = _HEAD.sub("", text)
    for pattern in (_METADATA, _COMMENT, _STYLE, _ANONYMOUS):
        text = pattern.sub("", text)
    text = _FONT.sub("", text)
    text = _PATH.sub(lambda match: _shrink(match[0]), text)
    text = _ID.sub(lambda match: match[1] if match[1].startswith(key) else f"{key}-{match[1]}", text)
    text = _REFERENCE.sub(lambda match: f"{key}-{match[1]}", text)
    text = text.replace("xlink:href", "href").replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    return _LINES.sub("\n", text).strip() + "\n"


def inline(text: str, *, title: str, width: float, height: float, colours: Mapping[str, str]) -> str:
    """Turn a tidied drawing into markup for a page: currentColor, page variables, no namespace, a title.

    Args:
        text: A drawing from ``tidy``.
        title: Read out by screen readers; must be escaped already.
        width: Width of the view box, points.
        height: Height of the view box, points.
        colours: Name of the page's variable for each hex colour of a series.
    """
    text = text.replace(INK, "currentColor").replace(FAINT, "var(--grid, #d8d8d8)")
    for colour, variable in colours.items():
        text = text.replace(colour, f"var({variable}, {colour})")
    head = f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{title}">'
    return _OPEN.sub(lambda _: head, text, count=1)


def standalone(text: str, *, ink: str = "#222222", faint: str = "#d8d8d8") -> str:
    """Turn a tidied drawing into a file: fixed colours, a generic font, round joins."""
    text = text.replace(INK, ink).replace(FAINT, faint)
    style = (
        "<style>text{font-family:system-ui,'Helvetica Neue',Arial,sans-serif}*{stroke-linejoin:round}</style>"
    )
    return _OPEN.sub(lambda match: f"{match[0]}\n{style}", text, count=1)


def _shrink(path: str) -> str:
    """Round a path of straight lines to tenths and write its level and upright steps as H and V."""
    if not _STRAIGHT.fullmatch(path):
        return " ".join(path.split())
    written: list[str] = []
    here: tuple[str, str] | None = None
    for command, x_text, y_text in _STEP.findall(path):
        if command == "z":
            written.append("z")
            continue
        point = (_tenths(x_text), _tenths(y_text))
        if command == "M" or here is None:
            written.append(f"M{point[0]} {point[1]}")
        elif point == here:
            continue
        elif point[1] == here[1]:
            written.append(f"H{point[0]}")
        elif point[0] == here[0]:
            written.append(f"V{point[1]}")
        else:
            written.append(f"L{point[0]} {point[1]}")
        here = point
    return "".join(written)


def _tenths(number: str) -> str:
    return f"{round(float(number), 1) + 0.0:g}"
