"""Error against a cost for readers: a chart of the median fronts, rows, sentences, and CSV lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nasbench.reports.leaderboard import Front, Leaderboard, Panel, TradeOff
from nasbench.reports.looks import Look
from nasbench.reports.plots import open_axes
from nasbench.reports.trade_offs import cost_name
from nasbench.units import format_error, percent

FRONT_COLUMNS = ("panel", "label", "cost_name", "cost", "error")
HYPERVOLUME_COLUMNS = (
    "panel",
    "label",
    "cost_name",
    "reference_cost",
    "reference_error",
    "n",
    "hypervolume_mean",
    "hypervolume_low",
    "hypervolume_high",
    "hypervolume_median",
    "front_size",
)


def ranked(trade: TradeOff) -> list[Front]:
    """Order entries by their mean hypervolume, the largest first; those without one last."""
    return sorted(trade.fronts, key=lambda front: (front.mean is None, -(front.mean or 0.0)))


def share_text(share: float | None) -> str:
    """Write a share of the rectangle."""
    return "–" if share is None else f"{share:.4f}"


def cost_text(cost: float) -> str:
    """Write a cost plainly: with thousands, or with four significant digits below 1,000."""
    return f"{cost:,.0f}" if cost >= 1_000 else f"{cost:.4g}"


def explained(trade: TradeOff) -> str:
    """Say in words what the numbers are."""
    return (
        f"The front of a run is what no other of its architectures beats in both validation error and "
        f"{cost_name(trade.cost)}; each is then scored like an incumbent. Hypervolume: the share of the "
        f"rectangle from nothing to {cost_text(trade.reference_cost)} {_unit(trade.cost)} and "
        f"{format_error(trade.reference_error)} % error that the scored front dominates, mean over runs with "
        f"its 95 % bootstrap interval over seeds; higher is better. Curves: the lowest error that at least "
        f"half of the runs reached at no more than this cost."
    )


def _unit(cost: str) -> str:
    return {"latency_seconds": "seconds of latency"}.get(cost, cost_name(cost))


def draw_fronts(panel: Panel, index: int, looks: Mapping[str, Look]) -> str:
    """Draw the median front of every entry; markup for a page, ``""`` where there is nothing to draw."""
    trade = panel.trade_off
    if trade is None or not any(front.attained for front in trade.fronts):
        return ""
    title = f"Median fronts of error against {cost_name(trade.cost)} on {panel.name}"
    key = f"p{index}-front"
    with open_axes(key, title, cost_name(trade.cost), "error (%)") as (axes, out):
        for front in trade.fronts:
            if not front.attained:
                continue
            look = looks[front.label]
            costs = [cost for cost, _ in front.attained]
            errors = [percent(error) for _, error in front.attained]
            axes.plot(
                [*costs, max(trade.reference_cost, costs[-1])],
                [*errors, errors[-1]],
                color=look.colour,
                linewidth=1.4,
                linestyle=(0, look.dash) if look.dash else "-",
                marker=look.marker,
                markevery=range(len(costs)),
                markersize=3.0,
                drawstyle="steps-post",
                label=front.label,
            )
        axes.set_xlim(0.0, trade.reference_cost)
        axes.ticklabel_format(style="plain")
        axes.xaxis.set_major_formatter(lambda value, _at: cost_text(value) if value else "0")
        axes.locator_params(axis="x", nbins=5)
        axes.legend(frameon=False, fontsize=9.0)
    return out[0]


def front_lines(leaderboard: Leaderboard) -> Iterator[list[Any]]:
    """Yield the steps of every median front, in the order of ``FRONT_COLUMNS``; errors are fractions."""
    for panel, trade in with_trade_off(leaderboard):
        for front in trade.fronts:
            for cost, error in front.attained:
                yield [panel.name, front.label, trade.cost, cost, error]


def hypervolume_lines(leaderboard: Leaderboard) -> Iterator[list[Any]]:
    """Yield one line an entry, in the order of ``HYPERVOLUME_COLUMNS``."""
    for panel, trade in with_trade_off(leaderboard):
        for front in ranked(trade):
            head = [panel.name, front.label, trade.cost, trade.reference_cost, trade.reference_error, front.n]
            yield [*head, front.mean, front.low, front.high, front.median, front.size]


def with_trade_off(leaderboard: Leaderboard) -> list[tuple[Panel, TradeOff]]:
    """List the panels that compare error with a cost."""
    return [(panel, panel.trade_off) for panel in leaderboard.panels if panel.trade_off is not None]
