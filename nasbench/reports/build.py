"""Build a leaderboard: a pure function of runs and of what their source knows.

The same input gives the same JSON bytes: sums are exact or rounded, every published number has nine
significant digits, and neither clock nor machine enters.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from nasbench import __version__
from nasbench.comparison.bootstrap import LEVEL, Resampler
from nasbench.comparison.cautions import cautions, failed_trials, stopped_trials
from nasbench.comparison.checklist import Facts, checklist
from nasbench.comparison.curves import Band
from nasbench.comparison.effort import distinct_architectures, elapsed_seconds, full_trainings
from nasbench.comparison.entries import EntryArrays, Scores, entry_arrays
from nasbench.comparison.panel import PanelNumbers, TargetTimes, compare
from nasbench.comparison.verdicts import ALPHA, verdict
from nasbench.reports import leaderboard as model
from nasbench.reports.health import health_of
from nasbench.reports.inputs import EntryRuns, PanelInput
from nasbench.reports.leaderboard import Leaderboard, Published, Reference
from nasbench.reports.surrogate_note import is_within_error, surrogate_sentence
from nasbench.reports.trade_offs import trade_off
from nasbench.runs.columns import RunColumns
from nasbench.units import days, days_label, format_error

__all__ = ["EntryRuns", "PanelInput", "build_leaderboard", "records_hash"]

DIGITS = 9  # significant, of every published number


def build_leaderboard(
    *,
    title: str,
    suite: dict[str, Any],
    panels: Sequence[PanelInput],
    published: Sequence[Published] = (),
    bootstrap_resamples: int = 10_000,
    bootstrap_seed: int = 0,
) -> Leaderboard:
    """Compare all entries of all panels.

    Args:
        title: Title of the page.
        suite: The suite as plain data; ``seeds`` and ``first_seed`` in it say which runs should be there.
        panels: One a source.
        published: Rows that papers report.
        bootstrap_resamples: Resamples of every interval, >= 1.
        bootstrap_seed: Root seed of the resamples.

    Returns:
        The leaderboard, with its id.

    Raises:
        BadOption: Two runs of an entry share a seed, or a panel's scores do not match its codes.
    """
    resampler = Resampler(bootstrap_resamples, bootstrap_seed)
    made = [_panel(panel, suite, resampler) for panel in panels]
    is_newer = any(
        (panel.trade_off or panel.health or panel.surrogate or panel.retraining) is not None for panel in made
    )
    return Leaderboard(
        schema_version=model.NEWER_SCHEMA_VERSION if is_newer else model.SCHEMA_VERSION,
        title=title,
        suite=suite,
        nasbench_version=__version__,
        records_hash=records_hash(
            run
            for panel in panels
            for entry in panel.entries
            for run in sorted(entry.runs, key=lambda run: int(run.header["seed"]))
        ),
        bootstrap={"resamples": bootstrap_resamples, "seed": bootstrap_seed, "level": LEVEL},
        panels=made,
        published=list(published),
        checklist=[
            model.ChecklistItem(item=item, answer=answer, evidence=evidence)
            for item, answer, evidence in checklist(_facts(panels, made))
        ],
    ).with_id()


def records_hash(runs: Iterable[RunColumns]) -> str:
    """Hash the content of runs, SHA-256 in hex: headers, ends and every column, in the order given."""
    digest = hashlib.sha256()
    for run in runs:
        head = [run.header, run.end, run.reason, list(run.codes.shape)]
        digest.update(json.dumps(head, sort_keys=True, separators=(",", ":")).encode() + b"\n")
        for whole in (run.number, run.codes, run.epochs, run.replicate, run.status, run.purpose):
            digest.update(np.ascontiguousarray(whole, dtype="<i4").tobytes())
        for real in (run.valid_error, run.test_error, run.charged_seconds, run.finished_seconds):
            digest.update(np.where(np.isnan(real), np.nan, real).astype("<f8").tobytes())
    return digest.hexdigest()


def _panel(panel: PanelInput, suite: dict[str, Any], resampler: Resampler) -> model.Panel:
    scores = Scores.of(panel.codes, panel.score, from_trial=panel.scored_by == "trial")
    arrays = [
        entry_arrays(
            [run for run in entry.runs if run.end != "failed"],
            scores,
            epochs=panel.epochs,
            budget_seconds=panel.budget_seconds,
            budget_evaluations=panel.budget_evaluations,
        )
        for entry in panel.entries
    ]
    numbers = compare(
        arrays,
        resampler,
        random_search=panel.random_search,
        budget_seconds=panel.budget_seconds,
        budget_evaluations=panel.budget_evaluations,
    )
    trade = trade_off(panel, arrays, scores, resampler)
    return model.Panel(
        name=panel.name,
        source=panel.source,
        kind=panel.kind,
        space=panel.space,
        dataset=panel.dataset,
        device=panel.device,
        axis=days_label(panel.device_kind),
        epochs=panel.epochs,
        budget=panel.budget,
        workers=panel.workers,
        charging=panel.charging,
        cluster=panel.cluster,
        scored_by=panel.scored_by,
        score_note=panel.score_note,
        citation=panel.citation,
        licence=panel.licence,
        grids={
            "days": [_rounded(days(seconds)) for seconds in numbers.seconds.tolist()],
            "evaluations": numbers.evaluations.tolist(),
        },
        reference=Reference.model_validate(_round_all(panel.reference.model_dump())),
        target_error=_number(numbers.target),
        target_note=_target_note(panel, numbers),
        entries=[_entry(panel, i, own, numbers) for i, own in enumerate(arrays)],
        pairs=_pairs(panel, numbers),
        warnings=_warnings(panel, arrays, suite),
        verdicts=_verdicts(panel, numbers),
        trade_off=None if trade is None else model.TradeOff.model_validate(_round_all(trade.model_dump())),
        health=health_of(panel),
        surrogate=panel.surrogate,
        retraining=None
        if panel.retraining is None
        else model.Retraining.model_validate(_round_all(panel.retraining.model_dump())),
    )


def _entry(panel: PanelInput, i: int, own: EntryArrays, numbers: PanelNumbers) -> model.Entry:
    entry, times = panel.entries[i], numbers.times[i]
    against_best = None if numbers.best in (None, i) else numbers.between(i, numbers.best)
    return model.Entry(
        label=entry.label,
        strategy=entry.strategy,
        options=entry.options,
        family=entry.family,
        mode=entry.mode,
        paper=entry.paper,
        seeds=own.seeds,
        failures=[model.Failure(seed=seed, reason=why) for seed, why in entry.all_failures().items()],
        ends=dict(sorted(Counter(run.end for run in entry.runs).items())),
        failed_trials=failed_trials(own),
        stopped_trials=stopped_trials(own),
        evaluations=_average([e[-1] if len(e) else 0.0 for e in own.evaluations]),
        full_trainings=_average([full_trainings(run, epochs=panel.epochs) for run in own.runs]),
        distinct=_average([distinct_architectures(run) for run in own.runs]),
        days=_average([days(float(s[-1])) if len(s) else 0.0 for s in own.seconds]),
        elapsed_days=_average([days(elapsed_seconds(run)) for run in own.runs]),
        curves={
            "days": _curves(panel, numbers.error_over_seconds[i], numbers.rank_over_seconds[i]),
            "evaluations": _curves(
                panel, numbers.error_over_evaluations[i], numbers.rank_over_evaluations[i]
            ),
        },
        final=_final(panel, i, own, numbers),
        to_target=None if times is None else _to_target(times),
        is_best=i == numbers.best,
        not_separated=numbers.means[i] is not None
        and i != numbers.best
        and (
            against_best is None
            or against_best[1] >= ALPHA
            or is_within_error(panel.surrogate, numbers.means[i], _best_mean(numbers))
        ),
    )


def _best_mean(numbers: PanelNumbers) -> float | None:
    return None if numbers.best is None else numbers.means[numbers.best]


def _curves(panel: PanelInput, error: Band, rank: Band) -> model.Curves:
    optimum = panel.reference.optimum_error
    return model.Curves(
        error=_curve(error),
        regret=None if optimum is None else _curve(error.minus(optimum)),
        rank=_curve(rank),
    )


def _curve(band: Band) -> model.Curve:
    return model.Curve(
        mean=_numbers(band.mean),
        low=_numbers(band.low),
        high=_numbers(band.high),
        median=_numbers(band.median),
    )


def _final(panel: PanelInput, i: int, own: EntryArrays, numbers: PanelNumbers) -> model.Final:
    final, band, average = own.final, numbers.finals[i], numbers.means[i]
    found = final[np.isfinite(final)]
    optimum = panel.reference.optimum_error
    deviation = None
    if average is not None and len(final) > 1:
        squares = math.fsum((value - average) ** 2 for value in final.tolist())
        deviation = math.sqrt(squares / (len(final) - 1))
    # A run without a result is worse than all with one: the median may exist where the mean does not.
    middle = float(np.median(np.where(np.isnan(final), np.inf, final))) if len(final) else None
    return model.Final(
        n=len(found),
        mean=_number(average),
        low=_number(float(band.low[0])),
        high=_number(float(band.high[0])),
        std=_number(deviation),
        median=_number(middle),
        best=_number(float(found.min()) if len(found) else None),
        regret=_number(None if average is None or optimum is None else average - optimum),
        rank=_number(numbers.final_ranks[i]),
        architecture=_architecture(panel, own),
    )


def _architecture(panel: PanelInput, own: EntryArrays) -> str | None:
    # The final incumbent of the lowest validation error over all runs, never picked by its score.
    chosen, lowest = None, math.inf
    for run, rows in zip(own.runs, own.rows, strict=True):
        if len(rows) and rows[-1] >= 0 and run.valid_error[rows[-1]] < lowest:
            chosen, lowest = run.codes[rows[-1]], float(run.valid_error[rows[-1]])
    return None if chosen is None else panel.format_code(chosen)


def _to_target(times: TargetTimes) -> model.TimeToTarget:
    ratio, median = times.ratio, times.median_seconds
    return model.TimeToTarget(
        reached=times.reached,
        n=times.n,
        median_days=_number(None if median is None else days(median)),
        ratio=_number(None if ratio is None else ratio.value),
        ratio_low=_number(None if ratio is None else ratio.low),
        ratio_high=_number(None if ratio is None else ratio.high),
    )


def _target_note(panel: PanelInput, numbers: PanelNumbers) -> str:
    if numbers.target is None:
        return "No target: no entry has a result in every run."
    at = panel.random_search
    if numbers.is_target_half_way and at is not None:
        what = f"the mean score of {panel.entries[at].label} at half the budget"
    else:
        what = "the median over entries of their mean final score, for there is no such mean of random search"
    return f"The target is {what} ({format_error(numbers.target)} %)."


def _pairs(panel: PanelInput, numbers: PanelNumbers) -> list[model.Pair]:
    return [
        model.Pair(
            first=panel.entries[i].label,
            second=panel.entries[j].label,
            n=found.n,
            difference=_rounded(found.difference),
            low=_rounded(found.low),
            high=_rounded(found.high),
            a12=_rounded(found.a12),
            p=_rounded(found.p),
            holm_p=_rounded(numbers.holm_p[i, j]),
            test=found.test,
        )
        for (i, j), found in numbers.contrasts.items()
    ]


def _warnings(panel: PanelInput, arrays: Sequence[EntryArrays], suite: dict[str, Any]) -> list[str]:
    failed = [entry.all_failures() for entry in panel.entries]
    expected = {seed for own, gone in zip(arrays, failed, strict=True) for seed in (*own.seeds, *gone)}
    if isinstance(suite.get("seeds"), int):
        first = int(suite.get("first_seed", 0))
        expected |= set(range(first, first + int(suite["seeds"])))
    found = (
        [] if panel.random_search is not None else ["No random search entry: nothing shows what chance does."]
    )
    if panel.surrogate is not None:
        found.append(surrogate_sentence(panel.surrogate))
    for entry, own, gone in zip(panel.entries, arrays, failed, strict=True):
        found += cautions(
            entry.label, own, failed_seeds=sorted(gone), expected_seeds=sorted(expected), epochs=panel.epochs
        )
    return found


def _verdicts(panel: PanelInput, numbers: PanelNumbers) -> list[str]:
    base = panel.random_search if panel.random_search is not None else numbers.best
    if base is None or len(panel.entries) < 2:
        return ["There are no two entries to compare."]
    said = []
    by_mean = sorted((mean is None, mean or 0.0, i) for i, mean in enumerate(numbers.means))
    for _, _, i in by_mean:
        if i == base:
            continue
        entry = panel.entries[i]
        other, found = panel.entries[base].label, numbers.between(i, base)
        if found is None:
            said.append(f"{entry.label} cannot be compared with {other}: both need two runs with a result.")
        else:
            mean, other_mean = numbers.means[i], numbers.means[base]
            sentence = verdict(entry.label, other, *found, mean=mean, other_mean=other_mean)
            if is_within_error(panel.surrogate, mean, other_mean):
                sentence += (
                    " That is closer than the surrogate's own error: it says nothing of real trainings."
                )
            said.append(sentence)
    return said


def _facts(panels: Sequence[PanelInput], made: Sequence[model.Panel]) -> Facts:
    entries = [entry for panel in made for entry in panel.entries]
    at = [panel.random_search for panel in panels]
    return Facts(
        sources=[panel.source for panel in made],
        kinds=[panel.kind for panel in made],
        spaces=[panel.space for panel in made],
        devices=[panel.device for panel in made],
        own_code=[entry.label for entry in entries if ":" in entry.strategy],
        fewest_runs=min((len(entry.seeds) for entry in entries), default=0),
        has_curves=any(entry.final.mean is not None for entry in entries),
        has_random_search=len(made) > 0
        and all(i is not None and panel.entries[i].final.n > 0 for i, panel in zip(at, made, strict=True)),
        is_final_charged=len(made) > 0 and all(panel.charging.get("final") == "charged" for panel in made),
    )


def _average(values: Sequence[float]) -> float | None:
    return _rounded(math.fsum(values) / len(values)) if values else None


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") + 0.0  # no negative zero


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else _rounded(value)


def _numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    return [_number(value) for value in values.tolist()]


def _round_all(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _round_all(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_round_all(value) for value in content]
    return _rounded(content) if isinstance(content, float) else content
