"""Fitting a surrogate on a table.

1. Architectures with a whole training are drawn in random order; three quarters fit the members, a tenth
   weighs them, the rest (15 in 100) calibrates the spread. No part is used twice.
2. Targets are the coefficients of each metric's learning curve in a basis (``curves``), and the logarithm
   of the seconds of the full training; the seconds of shorter ones are its mean shares. All are scaled to
   mean 0 and standard deviation 1.
3. Each member is fitted on another nine tenths of the fitting part. A member's share in a target is
   proportional to the inverse square of its mean squared error on the weighing part.
4. Seed noise comes from architectures trained more than once (``noise``); what the model does not know and
   the intervals from the calibrating part (``calibration``).

Source: our own composition; models and encodings as in Zela et al. 2022 (NAS-Bench-301).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import nasbench
from nasbench.seeds import generator
from nasbench.store.table import Table
from nasbench.surrogates.calibration import Calibration, calibrate
from nasbench.surrogates.card import SurrogateCard
from nasbench.surrogates.curves import CurveBasis, fit_basis
from nasbench.surrogates.inputs import Inputs, kinds_for
from nasbench.surrogates.members import Member, member_class, members_of
from nasbench.surrogates.noise import fit_noise
from nasbench.surrogates.quality import quality
from nasbench.surrogates.rows import Rows, choose, metrics_of, rows_of
from nasbench.surrogates.support import Support, fit_support
from nasbench.surrogates.surrogate import Surrogate, Targets

Floats = npt.NDArray[np.float64]

_FITTING, _WEIGHING = 0.75, 0.10
_PART = 0.9  # of the fitting architectures, for each member
_BEST, _FEWEST_BEST = 0.05, 5  # share of held-out architectures, by prediction, where a search would end


def fit_surrogate(
    table: Table,
    *,
    model: str = "ensemble",
    fraction: float | None = None,
    rows: int | None = None,
    seed: int = 0,
    name: str | None = None,
    among: npt.NDArray[np.bool_] | None = None,
    on_member: Callable[[int, int], None] | None = None,
) -> Surrogate:
    """Fit a surrogate on a table.

    Args:
        table: Recorded trainings.
        model: Name of ``members.MODELS``.
        fraction: Share of the table to use, in (0, 1]; None uses all.
        rows: Number of architectures to use, instead.
        seed: Draws architectures and members.
        name: Name of the surrogate; default: the table's name and the model.
        among: (len(table),) architectures of the table that may be used; None means all.
        on_member: Told how many members are fitted, and of how many.

    Raises:
        BadOption: Too few architectures, a constant target, mixed recipes, or an option out of its range.
        NotMeasured: The table has no whole training.
        UnknownName: No such model.
        MissingExtra: A library of the model is absent.
    """
    kinds_of_members = members_of(model)
    found = rows_of(table)
    if among is not None:
        found = found.take(np.flatnonzero(among[table.rows(found.codes)]))
    rng = generator(seed, "surrogate")
    chosen = found.take(choose(found, fraction=fraction, most=rows, rng=rng))
    n = len(chosen.codes)
    fitting = np.arange(round(_FITTING * n))
    weighing = np.arange(len(fitting), len(fitting) + round(_WEIGHING * n))
    calibrating = np.arange(len(fitting) + len(weighing), n)
    metrics = metrics_of(table)
    kinds = kinds_for(table.space)
    inputs = Inputs(table.space, chosen.codes, kinds)
    bases, targets = _targets(chosen, metrics, fitting)
    middle, scale = targets[fitting].mean(axis=0), targets[fitting].std(axis=0)
    scale[scale == 0.0] = 1.0
    scaled = (targets - middle) / scale
    members: list[Member] = []
    losses = np.empty((len(kinds_of_members), targets.shape[1]))
    for i, kind in enumerate(kinds_of_members):
        own = generator(seed, "surrogate", str(i))
        made = member_class(kind)
        size = min(round(_PART * len(fitting)), made.most_rows)
        part = np.sort(own.permutation(len(fitting))[:size])
        members.append(made.fit(inputs.take(part), scaled[part], rng=own))
        wrong = members[-1].predict(inputs.take(weighing)) - scaled[weighing]
        losses[i] = np.maximum((wrong**2).mean(axis=0), 1e-9)
        if on_member is not None:
            on_member(i + 1, len(kinds_of_members))
    weights = losses**-2 / (losses**-2).sum(axis=0)
    info = table.info
    held = chosen.take(calibrating)

    def surrogate(
        calibrations: dict[str, Calibration], measured: dict[str, dict[str, float]], support: Support
    ) -> Surrogate:
        card = SurrogateCard(
            name=name or f"{table.name}-{model}",
            model=model,
            members=kinds_of_members,
            space=table.space.name,
            dataset=info.dataset,
            device=info.reference_device,
            device_kind=info.device_kind,
            licence=info.licence,
            citation=info.citation,
            recipe_hash=info.recipe_hash,
            answers_for=info.rows_answer_for,
            table=f"{table.name}@{table.content_hash}",
            architectures=n,
            held_out=len(calibrating),
            left_out=chosen.left_out,
            seed=seed,
            replicates=table.replicates,
            quality=measured,
            source=info.source,
            recipe=dict(info.recipe),
            created_by=f"nasbench {nasbench.__version__}",
            space_definition=info.space_definition,
        )
        return Surrogate(
            card,
            table.space,
            kinds=kinds,
            epochs=table.epochs,
            bases=bases,
            shares=_shares(chosen.seconds),
            targets=Targets(middle, scale, weights),
            members=members,
            noise=noise,
            calibrations=calibrations,
            support=support,
            fitted=chosen.codes,
        )

    noise = fit_noise(chosen.trainings)
    support = fit_support(chosen.codes[fitting], held.codes, rng=generator(seed, "surrogate", "support"))
    raw = surrogate({}, {}, support).predict(held.codes, epochs=table.epochs)
    every = np.arange(len(table.epochs))
    calibrations, measured = {}, {}
    for m, metric in enumerate(metrics):
        mean = raw.errors[metric].mean
        spread = None if noise is None else noise.spread(mean, m, every)
        calibrations[metric] = calibrate(held.trainings[m], mean, raw.errors[metric].unknown, spread)
        measured[metric] = quality(held.means[m, :, -1], mean[:, -1])
        unknown = calibrations[metric].unknown(raw.errors[metric].unknown, every)[:, -1]
        best = np.argsort(mean[:, -1], kind="stable")[: max(_FEWEST_BEST, round(_BEST * len(mean)))]
        measured[metric]["unknown_of_best"] = float(np.sqrt((unknown[best] ** 2).mean()))
    return surrogate(calibrations, measured, support)


def _targets(
    rows: Rows, metrics: tuple[str, ...], fitting: npt.NDArray[np.int64]
) -> tuple[dict[str, CurveBasis], Floats]:
    """Describe the curves of all rows in the basis of the fitting ones; the last column is log seconds."""
    means = rows.means
    bases = {metric: fit_basis(means[m, fitting]) for m, metric in enumerate(metrics)}
    columns = [basis.project(means[m]) for m, basis in enumerate(bases.values())]
    return bases, np.concatenate([*columns, np.log(rows.seconds[:, -1:])], axis=1)


def _shares(seconds: Floats) -> Floats:
    """Average which share of its seconds a training has spent at each epoch, (e,), never falling."""
    shares: Floats = np.maximum.accumulate((seconds / seconds[:, -1:]).mean(axis=0))
    last: Floats = shares / shares[-1]
    return last
