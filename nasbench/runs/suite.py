"""The suite: which strategies run against which sources, with what seeds, budget and charging.

A suite is data (``suite.toml``), checked on reading with the reason and the place of what is wrong.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from nasbench.errors import BadOption, FormatError
from nasbench.evaluation.charging import Charging
from nasbench.runs.cluster import Cluster
from nasbench.runs.execute import RunSpec
from nasbench.strategies.health import Watch
from nasbench.units import parse_budget


class SuiteStrategy(BaseModel):
    """One row of a suite.

    Attributes:
        name: As ``load_strategy`` takes it.
        label: What the page calls it; made from name and options if not given.
        options: Options of the strategy.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    label: str = ""
    options: dict[str, Any] = Field(default_factory=dict)

    @field_validator("options")
    @classmethod
    def _plain(cls, options: dict[str, Any]) -> dict[str, Any]:
        for key, value in options.items():
            if not _is_plain(value):
                raise ValueError(
                    f"{key}: expected text, a finite number, true, false, or a list or table of these, "
                    f"got {value!r}"
                )
        return options

    @model_validator(mode="before")
    @classmethod
    def _label(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("label") and isinstance(data.get("name"), str):
            options = data.get("options") or {}
            shown = ", ".join(f"{k}={v}" for k, v in sorted(options.items()))
            name = data["name"]
            if ".py:" not in name and name == name.lower().replace("_", "-"):
                name = name.strip()
            return {**data, "label": f"{name} ({shown})" if shown else name}
        return data


def _is_plain(value: Any) -> bool:
    """Say whether a value is the same in TOML and in JSON: no date, no null, nothing infinite."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(inner) for key, inner in value.items())
    return isinstance(value, str | int)


class TradeOff(BaseModel):
    """A cost that the page sets against the error, up to a reference point.

    Attributes:
        cost: Name of a cost that every source of the suite knows without training, e.g. ``"parameters"``.
        reference_cost: Cost of the reference point of the hypervolume, > 0.
        reference_error: Its error, fraction in (0, 1].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cost: str
    reference_cost: float = Field(gt=0, allow_inf_nan=False)
    reference_error: float = Field(gt=0, le=1, allow_inf_nan=False)


class Retraining(BaseModel):
    """Live trainings of what rows on a surrogate found, shown beside what it predicted.

    Attributes:
        best: Architectures of each row, those of the lowest validation errors over all its runs.
        replicates: Trainings of each, with the seeds 0, 1, ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    best: int = Field(default=5, ge=1)
    replicates: int = Field(default=2, ge=1)


class Suite(BaseModel):
    """A named grid of runs.

    Attributes:
        name: Short name, used in records.
        title: Headline of the page.
        sources: One panel each, as ``open_source`` takes them.
        strategies: One row each.
        seeds: Number of seeds; they are ``first_seed``, ``first_seed + 1``, ...
        first_seed: The first root seed.
        budget: What one run may spend, e.g. ``"2gpu-days"``.
        workers: Simulated workers a run.
        epochs: Training length of proposals that name none; None means each source's longest.
        charging: Charging policies that differ from the defaults.
        cluster: Settings of the simulated cluster, as in ``nasbench.runs.cluster``.
        trade_off: A cost to set against the error, or None.
        health: How weight-sharing searches are watched, as in ``nasbench.strategies.health``.
        retraining: What is trained live after searches on a surrogate, or None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = ""
    sources: list[str] = Field(min_length=1)
    strategies: list[SuiteStrategy] = Field(min_length=1)
    seeds: int = Field(ge=1)
    first_seed: int = Field(default=0, ge=0)
    budget: str
    workers: int = Field(default=1, ge=1)
    epochs: int | None = Field(default=None, ge=1)
    charging: dict[str, str] = Field(default_factory=dict)
    cluster: dict[str, Any] = Field(default_factory=dict)
    trade_off: TradeOff | None = None
    health: dict[str, Any] = Field(default_factory=dict)
    retraining: Retraining | None = None

    @field_validator("budget")
    @classmethod
    def _budget(cls, text: str) -> str:
        parse_budget(text)
        return text

    @field_validator("charging")
    @classmethod
    def _charging(cls, policies: dict[str, str]) -> dict[str, str]:
        Charging.of(policies)
        return policies

    @field_validator("cluster")
    @classmethod
    def _cluster(cls, settings: dict[str, Any]) -> dict[str, Any]:
        return Cluster.of(settings).as_dict()

    @field_validator("health")
    @classmethod
    def _health(cls, settings: dict[str, Any]) -> dict[str, Any]:
        watch = Watch.of(settings)
        return {} if watch is None else watch.as_dict()

    @model_validator(mode="after")
    def _distinct(self) -> Suite:
        for what, names in (("sources", self.sources), ("labels", [s.label for s in self.strategies])):
            twice = sorted({n for n in names if names.count(n) > 1})
            if twice:
                raise ValueError(f"{what}: {', '.join(twice)} given more than once")
        return self

    def seed_list(self) -> list[int]:
        """List the root seeds."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def spec(self, row: SuiteStrategy) -> RunSpec:
        """Describe the runs of one row."""
        return RunSpec(
            suite=self.name,
            entry=row.label,
            strategy=row.name,
            options=row.options,
            budget=self.budget,
            workers=self.workers,
            epochs=self.epochs,
            charging=self.charging,
            cluster=self.cluster,
            health=self.health,
        )

    def content(self) -> dict[str, Any]:
        """Return the suite as plain data, with every charging policy spelled out."""
        content = {**self.model_dump(mode="json"), "charging": Charging.of(self.charging).as_dict()}
        if not self.cluster:
            del content["cluster"]
        if self.trade_off is None:
            del content["trade_off"]
        if not self.health:
            del content["health"]
        if self.retraining is None:
            del content["retraining"]
        return content


def parse_suite(data: dict[str, Any], *, where: str) -> Suite:
    """Check plain data as a suite.

    Raises:
        BadOption: A field is missing, unknown or out of range; the message names it.
    """
    try:
        return Suite.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "suite"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        said = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise BadOption(f"{where}: {place}: {said}.{more}") from error


def read_suite(path: Path) -> Suite:
    """Read ``suite.toml``.

    Raises:
        FormatError: Not a TOML file.
        BadOption: A field is missing, unknown or out of range.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: not TOML: {error}") from error
    return parse_suite(data, where=str(path))


_TABLES = ("charging", "cluster", "health", "trade_off", "retraining")


def write_suite(suite: Suite, path: Path) -> None:
    """Write a suite as TOML that ``read_suite`` reads back equal."""
    data = suite.model_dump(mode="json", exclude_none=True)
    rows = data.pop("strategies")
    tables = {name: data.pop(name) for name in _TABLES if name in data}
    lines = [f"{key} = {_toml(value)}" for key, value in data.items()]
    for name, table in tables.items():
        if table:
            lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in table.items())]
    for row in rows:
        options = row.pop("options")
        lines += ["", "[[strategies]]", *(f"{key} = {_toml(value)}" for key, value in row.items())]
        if options:
            lines.append(f"options = {_toml(options)}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: Any) -> str:
    """Write one TOML value; strings, numbers, booleans and lists are written as JSON writes them."""
    if isinstance(value, dict):
        inside = ", ".join(
            f"{k if re.fullmatch(r'[A-Za-z0-9_-]+', k) else _toml(k)} = {_toml(v)}" for k, v in value.items()
        )
        return "{ " + inside + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, float):
        return repr(value)
    # JSON leaves the delete character as it is, TOML does not.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
