"""The leaderboard as data: what ``leaderboard.json`` holds, and nothing that is not in the records.

A leaderboard is a pure function of its suite and its records. Its id is the SHA-256 of its canonical
JSON with the id itself left empty; pages, tables and downloads are all made from it alone.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SerializerFunctionWrapHandler, model_serializer

SCHEMA_VERSION = "1.0"
NEWER_SCHEMA_VERSION = "1.1"
"""Of leaderboards with a trade-off, health, a surrogate or retraining; the others are as they were."""

Axis = Literal["days", "evaluations"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Curve(_Part):
    """One quantity over a grid; every list has the grid's length, None = not every run had a result yet.

    ``low`` and ``high`` bound the mean: 95 % percentile bootstrap over seeds.
    """

    mean: list[float | None]
    low: list[float | None]
    high: list[float | None]
    median: list[float | None]


class Curves(_Part):
    """The anytime curves of one entry over one axis."""

    error: Curve
    regret: Curve | None
    rank: Curve


class Final(_Part):
    """Where the runs of an entry stood when the budget was spent; errors are fractions."""

    n: int
    mean: float | None
    low: float | None
    high: float | None
    std: float | None
    median: float | None
    best: float | None
    regret: float | None
    rank: float | None
    architecture: str | None


class TimeToTarget(_Part):
    """Charged days until the incumbent's score reached the panel's target.

    ``ratio`` is the median days of random search divided into this entry's median days (0.5 = half the
    cost), over the runs as they are, with a paired bootstrap interval; None where less than half the runs
    of either side reached the target.
    """

    reached: int
    n: int
    median_days: float | None
    ratio: float | None
    ratio_low: float | None
    ratio_high: float | None


class Failure(_Part):
    """A run that did not finish as it should."""

    seed: int
    reason: str


class Entry(_Part):
    """One row: a strategy with its options.

    ``evaluations``, ``full_trainings``, ``distinct``, ``days`` and ``elapsed_days`` are means over runs:
    trials told, those of them that trained to the length that the panel scores, different architectures,
    days charged over all workers, and days on the run's clock. ``stopped_trials`` and ``failed_trials`` are
    sums.
    """

    label: str
    strategy: str
    options: dict[str, Any]
    family: str
    mode: str
    paper: str
    seeds: list[int]
    failures: list[Failure]
    ends: dict[str, int]
    failed_trials: int
    stopped_trials: int
    evaluations: float | None
    full_trainings: float | None
    distinct: float | None
    days: float | None
    elapsed_days: float | None
    curves: dict[Axis, Curves]
    final: Final
    to_target: TimeToTarget | None
    is_best: bool
    not_separated: bool


class Pair(_Part):
    """A paired comparison of two entries at the end of the budget.

    ``difference`` is mean(first) - mean(second) in error fraction with its paired bootstrap interval;
    ``a12`` is Vargha and Delaney's probability that a run of the first ends with the lower error (ties
    count half); ``p`` is two-sided Wilcoxon signed-rank over seeds, ``holm_p`` corrected over all pairs of
    the panel.
    """

    first: str
    second: str
    n: int
    difference: float
    low: float
    high: float
    a12: float
    p: float
    holm_p: float
    test: str


class RandomExpectation(_Part):
    """Exact expectation of random search, by order statistics over every recorded training."""

    evaluations: list[int]
    days: list[float]
    error: list[float]


class Reference(_Part):
    """What is known of the source apart from any strategy; None where a source cannot say."""

    optimum_error: float | None
    optimum_architecture: str | None
    architectures: int | None
    mean_seconds: float | None
    replicate_std: float | None
    random: RandomExpectation | None


class Front(_Part):
    """What the runs of one entry found of error against a cost.

    ``mean``, ``low``, ``high`` and ``median`` are of the hypervolume over runs, as a share of the rectangle
    up to the reference point, with the 95 % percentile bootstrap over seeds of the mean; ``size`` is the mean
    number of architectures in a run's front; ``attained`` lists [cost, error] of each step of the median
    attainment: the lowest error that at least half of the runs reached at no more than this cost.
    """

    label: str
    n: int
    size: float | None
    mean: float | None
    low: float | None
    high: float | None
    median: float | None
    attained: list[list[float]]


class TradeOff(_Part):
    """Error against a cost that is known without training, up to a declared reference point."""

    cost: str
    reference_cost: float
    reference_error: float
    fronts: list[Front]


class HealthCurve(_Part):
    """One quantity over the reports of a search: mean, lowest and highest over the runs that have it."""

    reports: list[int]
    mean: list[float]
    low: list[float]
    high: list[float]


class EntryHealth(_Part):
    """What became of one weight-sharing row's searches, report by report; None = nothing was noted.

    ``error`` is the looked-up error of the architecture that the search would hand over, fraction;
    ``skip_share`` the share of its edges with ``skip_connect``; ``tau`` Kendall's tau between the one-shot
    scores and the recorded errors of the sample; ``eigenvalue`` the Hessian's dominant one.
    """

    label: str
    error: HealthCurve | None
    skip_share: HealthCurve | None
    tau: HealthCurve | None
    eigenvalue: HealthCurve | None


class Health(_Part):
    """The health of the searches of a panel that share weights; ``architectures`` is the sample's size."""

    architectures: int | None
    entries: list[EntryHealth]

    @property
    def has_eigenvalue(self) -> bool:
        """Whether any row's eigenvalues were noted."""
        return any(entry.eigenvalue is not None for entry in self.entries)


class SurrogateNote(_Part):
    """How good the surrogate behind a panel is, by its own card; errors are fractions.

    ``error`` is the typical standard deviation of what it does not know of the architectures that it predicts
    best. Entries whose means lie closer to the best than that are not separated from it, whatever their
    seeds say.
    """

    fitted_on: str
    architectures: int
    metric: str
    error: float
    mae: float
    r2: float
    kendall_tau: float


class RetrainedArchitecture(_Part):
    """One of a row's best architectures: what was predicted, and what training it gave; errors are fractions.

    ``searched`` is the validation error that the search was told. All others are of the retraining's metric:
    ``predicted`` is the predicted mean, ``low`` and ``high`` bound one new training with probability 0.9, and
    ``errors`` lists the trainings made, None where one failed.
    """

    architecture: str
    searched: float
    predicted: float
    low: float
    high: float
    errors: list[float | None]


class RetrainedRow(_Part):
    """A row's best architectures; ``predicted`` and ``live`` are means over those that were trained."""

    label: str
    predicted: float | None
    live: float | None
    architectures: list[RetrainedArchitecture]


class Retraining(_Part):
    """What a surrogate predicted of each row's best architectures, beside what training them gave.

    ``difference`` is the mean of live minus predicted error over all different architectures, ``mae`` the
    mean of its size, ``kendall_tau`` how both rank them, ``row_kendall_tau`` how both rank the rows.
    ``inside`` of ``trainings`` lie in the 0.9 interval; ``failed`` trainings gave no error. Errors are
    fractions.
    """

    best: int
    replicates: int
    metric: str
    data: str
    recipe: str
    device: str
    trainings: int
    failed: int
    inside: int
    difference: float | None
    mae: float | None
    kendall_tau: float | None
    row_kendall_tau: float | None
    rows: list[RetrainedRow]


class Panel(_Part):
    """One source: its reference lines, its entries and how they compare."""

    name: str
    source: str
    kind: str
    space: str
    dataset: str
    device: str
    axis: str
    epochs: int
    budget: str
    workers: int
    charging: dict[str, str]
    cluster: dict[str, Any]
    scored_by: str
    score_note: str
    citation: str
    licence: str
    grids: dict[Axis, list[float]]
    reference: Reference
    target_error: float | None
    target_note: str
    entries: list[Entry]
    pairs: list[Pair]
    warnings: list[str]
    verdicts: list[str]
    trade_off: TradeOff | None = None
    health: Health | None = None
    surrogate: SurrogateNote | None = None
    retraining: Retraining | None = None

    @model_serializer(mode="wrap")
    def _without_what_is_absent(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave the keys out where there is none, so that older leaderboards stay what they are."""
        content: dict[str, Any] = write(self)
        for key in ("trade_off", "health", "surrogate", "retraining"):
            if getattr(self, key) is None:
                del content[key]
        return content


class Published(_Part):
    """A row that a paper reports: never measured here, always labelled."""

    method: str
    error_percent: float | None
    error_std_percent: float | None
    gpu_days: float | None
    parameters_millions: float | None
    reference: str
    note: str


class ChecklistItem(_Part):
    """One line of the NAS best-practice checklist (Lindauer and Hutter 2020), answered by the machine."""

    item: str
    answer: Literal["yes", "no", "not applicable", "author to answer"]
    evidence: str


class Leaderboard(_Part):
    """Everything a page shows."""

    schema_version: str = SCHEMA_VERSION
    id: str = ""
    title: str
    suite: dict[str, Any]
    nasbench_version: str
    records_hash: str
    bootstrap: dict[str, int | float]
    panels: list[Panel]
    published: list[Published]
    checklist: list[ChecklistItem]

    def canonical_json(self) -> str:
        """Write the one JSON text of this content: sorted keys, no spaces to spare, shortest floats."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, indent=1, allow_nan=False) + "\n"

    def with_id(self) -> Leaderboard:
        """Return a copy whose id is the hash of its own canonical JSON with an empty id."""
        blank = self.model_copy(update={"id": ""})
        digest = hashlib.sha256(blank.canonical_json().encode()).hexdigest()
        return blank.model_copy(update={"id": digest})
