"""Turns a proposal into an answer and its price: picks the replicate, applies the charging policies.

The evaluator keeps no clock; the run owns that. Its only randomness is the choice of replicates, drawn by
address (architecture, visit) under the run's seed, so that under one seed every strategy that asks for an
architecture the k-th time meets the same training of it (common random numbers).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import index
from typing import get_args

import numpy as np

from nasbench.errors import BadOption, NotMeasured
from nasbench.evaluation.charging import Charging
from nasbench.evaluation.source import Source
from nasbench.records import Code, Measurement, Proposal, Purpose, Verdict
from nasbench.seeds import Addressed, generator

_REMEMBERED = 200_000
_NAN = float("nan")
_PURPOSES = get_args(Purpose)
_addresses: weakref.WeakKeyDictionary[Source, dict[Code, tuple[int, int]]] = weakref.WeakKeyDictionary()


Answer = tuple[Measurement, int, int, float]
"""What the run gets back for a proposal: measurement, epochs, replicate, charged seconds.

A plain tuple because a search makes millions; only the run sees the measurement's test error.
"""


_Training = tuple[Code, Code, int, int, float]
"""A trial as a later one may carry it on: the code asked for, the code trained (an isomorph's where cached),
epochs, replicate, seconds of the whole training (nan where it failed or was stopped). Flat, and so cheap to
keep."""

Follow = Callable[..., tuple[Measurement, int]]
Curve = Callable[..., Iterable[tuple[int, Measurement]]]

OnReport = Callable[[int, float, float, int], Verdict]
"""Asked after an epoch of a live training: epochs trained, validation error, charged seconds, replicate."""

Milestone = tuple[int, Measurement, float]
"""An epoch that a trial passes: epochs trained, what was recorded there, charged seconds of training."""


class Evaluator:
    """Answers the proposals of one run.

    Args:
        source: Where answers come from.
        seed: The run's root seed.
        charging: What answers cost.
        epochs: Training length for proposals that name none; None means the source's longest.

    Raises:
        BadOption: The source does not hold this training length.
    """

    def __init__(
        self, source: Source, *, seed: int, charging: Charging | None = None, epochs: int | None = None
    ) -> None:
        self.source = source
        self.seed = seed
        self.charging = charging if charging is not None else Charging()
        if epochs is not None and epochs not in source.epochs:
            held = ", ".join(str(e) for e in source.epochs)
            raise BadOption(f"epochs: source {source.info.name} answers for {held} epochs, got {epochs}.")
        self.epochs = epochs if epochs is not None else source.epochs[-1]
        self._replicate = Addressed(generator(seed, "replicates"))
        self._visits: dict[Code, int] = {}
        self._first: dict[Code, tuple[Answer, _Training]] = {}
        self._trainings: list[_Training] = []
        self._reports: dict[tuple[Code, int, int], Measurement] = {}
        self._known = _addresses.setdefault(source, {})
        self._cached = self.charging.repeat == "cached"
        self._canonical = self.charging.isomorph == "canonical"
        self._goes_on = self.charging.promotion == "continue" and not getattr(source, "restarts", False)

    def _address(self, code: Code) -> tuple[int, int]:
        """Find the (rank, number of repeats) of an architecture seen for the first time.

        Raises:
            NotInSpace: Not an architecture of the space.
            NotMeasured: The source holds no training of it.
        """
        checked = self.source.space.check(code)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        address = (self.source.space.rank_one(checked), self.source.replicates_of(checked))
        if address[1] < 1:
            raise NotMeasured(
                f"code: source {self.source.info.name} holds no training of "
                f"{self.source.space.format(checked)}."
            )
        self._known[checked] = address
        return address

    def answer(
        self, proposal: Proposal, recorded: Answer | None = None, on_report: OnReport | None = None
    ) -> Answer:
        """Answer one proposal; call once for each, in order of proposal.

        Args:
            proposal: What the strategy asked for.
            recorded: The answer that a record of this very run already holds: it is returned instead of
                measuring again (live training is never done twice), with the same bookkeeping.
            on_report: For a live source: asked after each epoch what becomes of the training.

        Raises:
            NotInSpace: The architecture is not in the space.
            NotMeasured: Nothing was recorded for (architecture, epochs, replicate).
            BadOption: ``continues`` names a trial that does not exist, failed, trained another architecture
                or trained as long already; or there is no such purpose.
            TypeError: A number of the proposal is not a whole number.
        """
        code = proposal.code
        address = self._known.get(code)
        if address is None:
            address = self._address(code)
        bytes(code)  # refuses 1.0, which equals 1 and would be written as another thing
        if proposal.purpose != "search":
            if proposal.purpose not in _PURPOSES:
                raise BadOption(f"purpose: expected {' or '.join(_PURPOSES)}, got {proposal.purpose!r}.")
            if proposal.search_seconds is not None:
                return self._looked_up(proposal, address, recorded)
        key = code
        if self._canonical:
            key = tuple(self.source.space.canonical(np.array([code]))[0].tolist())
        epochs = proposal.epochs
        if epochs is None:
            epochs = self.epochs
        else:
            epochs = index(epochs)
            if epochs != self.epochs:
                key = (*key, -epochs)  # codes are never negative, so this is no architecture's own key
        visits = self._visits
        visit = visits.get(key, 0)
        visits[key] = visit + 1
        if proposal.continues is not None:
            return self._continued(proposal, key, epochs, recorded, on_report)
        replicate = proposal.replicate
        if replicate is not None:
            replicate = index(replicate)
        elif self._cached and key in self._first:
            first, training = self._first[key]
            self._trainings.append((code, *training[1:]))
            return (*first[:3], 0.0)
        else:
            replicate = self._replicate.below(address[1], address[0], visit)
        if recorded is not None:
            answer = recorded
            measurement, epochs = recorded[:2]
        else:
            if on_report is None:
                measurement = self.source.answer(code, epochs=epochs, replicate=replicate)
            else:
                measurement, epochs = self._watched(code, epochs, replicate, on_report, 0, 0.0)
            charged = measurement.train_seconds
            if measurement.status == "failed" and self.charging.failed == "free":
                charged = 0.0
            answer = (measurement, epochs, replicate, charged)
        seconds = measurement.train_seconds if measurement.status == "ok" else _NAN
        training = (code, code, epochs, replicate, seconds)
        self._trainings.append(training)
        if self._cached:
            self._first.setdefault(key, (answer, training))
        return answer

    def _looked_up(self, proposal: Proposal, address: tuple[int, int], recorded: Answer | None) -> Answer:
        """Answer a report that pays for the search behind it, not for the training that answers.

        The same architecture gets the same training each time, and live it is trained once.

        Raises:
            BadOption: ``search_seconds`` is no number of seconds.
            NotMeasured: Nothing was recorded.
        """
        code, charged = proposal.code, proposal.search_seconds
        if charged is None or not 0.0 <= charged < float("inf"):
            raise BadOption(f"search_seconds: expected a number of seconds >= 0, got {charged!r}.")
        epochs = self.epochs if proposal.epochs is None else index(proposal.epochs)
        replicate = proposal.replicate
        if replicate is None:
            replicate = self._replicate.below(address[1], address[0], 0)
        if recorded is not None:
            answer = recorded
            self._reports[code, epochs, replicate] = replace(recorded[0], health=None)
        else:
            found = self._reports.get((code, epochs, replicate))
            if found is None:
                found = self.source.answer(code, epochs=epochs, replicate=replicate)
                self._reports[code, epochs, replicate] = found
            if proposal.health is not None:
                found = replace(found, health=proposal.health)
            answer = (found, epochs, replicate, float(charged))
        self._trainings.append((code, code, epochs, replicate, _NAN))
        return answer

    def _watched(
        self, code: Code, epochs: int, replicate: int, on_report: OnReport, before: int, paid: float
    ) -> tuple[Measurement, int]:
        """Train live and ask after each epoch beyond ``before``; return the end and its epochs.

        Raises:
            BadOption: The source trains, but cannot be watched.
        """
        follow: Follow | None = getattr(self.source, "follow", None)
        if follow is None:
            raise BadOption(
                f"report: source {self.source.info.name} cannot be watched while it trains. Use a strategy "
                "without report."
            )
        shown = []

        def ask(epoch: int, valid_error: float, seconds: float) -> Verdict:
            if epoch <= before:
                return Verdict.CONTINUE
            charged = max(0.0, seconds - paid)
            shown.append((epoch, valid_error, charged))
            return on_report(epoch, valid_error, charged, replicate)

        measurement, reached = follow(code, epochs=epochs, replicate=replicate, on_epoch=ask)
        return replace(measurement, reported=tuple(shown)), reached

    def milestones(self, number: int, continues: int | None) -> list[Milestone]:
        """List the measured epochs that a trial of a table passes before its last, in order.

        Args:
            number: Its number of proposal.
            continues: As it was proposed: it begins where that trial ended.
        """
        _, trained, epochs, replicate, seconds = self._trainings[number]
        curve: Curve | None = getattr(self.source, "curve", None)
        if seconds != seconds or curve is None:
            return []
        before, paid = 0, 0.0
        if continues is not None:
            before = self._trainings[continues][2]
            paid = self._trainings[continues][4] if self._goes_on else 0.0
        return [
            (epoch, found, max(0.0, found.train_seconds - paid))
            for epoch, found in curve(trained, epochs=epochs, replicate=replicate)
            if epoch > before and found.valid_error is not None
        ]

    def cut(self, number: int, *, epochs: int, seconds: float) -> None:
        """Note that a trial ended before its time.

        Args:
            number: Its number of proposal.
            epochs: Epochs it trained.
            seconds: Length of its training so far; nan where it cannot be continued.
        """
        old = self._trainings[number]
        self._trainings[number] = (*old[:2], epochs, old[3], seconds)
        for key, (_, training) in list(self._first.items()):
            if training is old:  # whoever asks for it again trains it anew
                del self._first[key]

    def _continued(
        self,
        proposal: Proposal,
        key: Code,
        epochs: int,
        recorded: Answer | None,
        on_report: OnReport | None,
    ) -> Answer:
        """Answer a proposal that carries an earlier training on: the same replicate, further.

        Raises:
            BadOption: There is nothing to carry on, or no further to go.
        """
        number = proposal.continues
        earlier = None
        if number is not None and 0 <= number < len(self._trainings):
            earlier = self._trainings[number]
        if earlier is None or earlier[0] != proposal.code:
            raise BadOption(
                f"continues: expected the number of an earlier trial of the same architecture, got {number}."
            )
        _, trained, done, replicate, seconds = earlier
        if seconds != seconds:
            raise BadOption(
                f"continues: expected a trial that trained and may go on, got {number}, which failed or was "
                "stopped."
            )
        if epochs <= done:
            raise BadOption(
                f"epochs: expected more than the {done} that trial {number} trained, got {epochs}. "
                "Propose it without continues to train it anew."
            )
        paid = seconds if self._goes_on else 0.0
        if recorded is not None:
            answer = recorded
            # A record holds what was charged; with what had been paid it makes up the whole training.
            measurement, total = recorded[0], recorded[3] + paid
            epochs = recorded[1]
        else:
            if on_report is None:
                measurement = self.source.answer(trained, epochs=epochs, replicate=replicate)
            else:
                measurement, epochs = self._watched(trained, epochs, replicate, on_report, done, paid)
            total = measurement.train_seconds
            # A live training repeated from its start may by chance be faster than its first part was.
            charged = max(0.0, total - paid)
            if measurement.status == "failed" and self.charging.failed == "free":
                charged = 0.0
            answer = (measurement, epochs, replicate, charged)
        training = (
            proposal.code,
            trained,
            epochs,
            replicate,
            total if measurement.status == "ok" else _NAN,
        )
        self._trainings.append(training)
        if self._cached:
            self._first.setdefault(key, (answer, training))
        return answer
