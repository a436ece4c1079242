"""A surrogate as a source: answers are drawn trainings of a model, seconds are predicted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from nasbench.errors import NotMeasured
from nasbench.evaluation.source import label_of
from nasbench.records import Code, Measurement, Measurements, SourceInfo
from nasbench.surrogates.names import MEAN
from nasbench.surrogates.surrogate import Surrogate

_DIGITS = 9  # of what is answered: other processors round the last bits otherwise


class SurrogateSource:
    """Answers from a fitted surrogate.

    The error of a training is the predicted mean plus noise drawn for (architecture, replicate), correlated
    over
    the epochs: the same question has the same answer in every run, and a shorter training is a prefix of a
    longer one. Where the table could not tell the noise, or without it (``is_noisy`` False), every repeat
    would be the same, so there is one.

    Args:
        surrogate: What predicts.
        content_hash: Of its file.
        is_noisy: Whether single trainings are drawn.
    """

    is_live = False

    def __init__(self, surrogate: Surrogate, content_hash: str, *, is_noisy: bool = True) -> None:
        card = surrogate.card
        self.surrogate = surrogate
        self.space = surrogate.space
        self.epochs = surrogate.epochs
        self.is_noisy = is_noisy and surrogate.noise is not None
        self.replicates = max(1, card.replicates) if self.is_noisy else 1
        self._key = content_hash
        self.info = SourceInfo(
            label=label_of("surrogate", card.name + ("" if self.is_noisy else MEAN), content_hash),
            kind="surrogate",
            name=card.name + ("" if self.is_noisy else MEAN),
            dataset=card.dataset,
            device=card.device,
            device_kind=card.device_kind,
            extra={
                "licence": card.licence,
                "citation": card.citation,
                "content_hash": content_hash,
                "recipe": dict(card.recipe),
                "fitted_on": card.table,
                "architectures": card.architectures,
                "quality": {metric: dict(values) for metric, values in card.quality.items()},
                **({"space_definition": card.space_definition} if card.space_definition else {}),
            },
        )
        self._curves: dict[Code, tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], bool]] = {}
        self._drawn: dict[tuple[Code, int], npt.NDArray[np.float64]] = {}

    def replicates_of(self, code: Code) -> int:
        """Count the repeats, the same for all architectures."""
        return self.replicates

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Draw one training.

        Raises:
            NotInSpace: Not an architecture of the space.
            NotMeasured: Not a length that was fitted, or no such repeat.
        """
        if epochs not in self.epochs or not 0 <= replicate < self.replicates:
            held = ", ".join(map(str, self.epochs))
            raise NotMeasured(
                f"epochs, replicate: surrogate {self.info.name} answers for {held} epochs and "
                f"{self.replicates} "
                f"repeats, got {epochs} epochs, replicate {replicate}."
            )
        at = self.epochs.index(epochs)
        errors = self._training(code, replicate)[:, at]
        test = float(errors[1]) if len(errors) > 1 else None
        return Measurement(float(errors[0]), test, float(self._curve(code)[1][at]))

    def curve(self, code: Code, *, epochs: int, replicate: int) -> Iterator[tuple[int, Measurement]]:
        """Yield what a drawn training would have shown after each epoch before ``epochs``, in order."""
        for epoch in self.epochs:
            if epoch >= epochs:
                return
            yield epoch, self.answer(code, epochs=epoch, replicate=replicate)

    def measure(self, codes: npt.ArrayLike, *, epochs: int, replicate: int) -> Measurements:
        """Answer (n, L) codes one by one; a training is drawn for each."""
        answers = [
            self.answer(self.space.check(code), epochs=epochs, replicate=replicate)
            for code in np.asarray(codes)
        ]
        nan = float("nan")
        return Measurements(
            valid_error=np.array([nan if a.valid_error is None else a.valid_error for a in answers]),
            test_error=np.array([nan if a.test_error is None else a.test_error for a in answers]),
            train_seconds=np.array([a.train_seconds for a in answers]),
        )

    @property
    def scored_by(self) -> str:
        """``"mean test error"`` or ``"mean validation error"``: here both are predicted."""
        return "mean test error" if len(self.surrogate.metrics) > 1 else "mean validation error"

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> npt.NDArray[np.float64]:
        """Predict the mean test error, or validation error, of (n, L) codes; (n,)."""
        metric = self.surrogate.metrics[-1]
        predicted = self.surrogate.predict(codes, epochs=(epochs,)).errors[metric].mean[:, 0]
        return np.round(predicted, _DIGITS)

    def draw(self, code: Code, number: int) -> float:
        """Draw the validation error of a full training, the ``number``-th of this architecture, from 0.

        Beyond ``replicates`` too, for who wants more of them.

        Raises:
            NotInSpace: Not an architecture of the space.
        """
        return float(self._training(code, number)[0, -1])

    def is_far(self, code: Code) -> bool:
        """Say whether an architecture lies far from those the surrogate was fitted on."""
        self._curve(code)
        return self._curves[code][2]

    def _curve(self, code: Code) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Predict the mean errors (m, e) and seconds (e,) of an architecture; kept."""
        if code not in self._curves:
            predicted = self.surrogate.predict(np.array([self.space.check(code)]), epochs=self.epochs)
            means = np.stack([spread.mean[0] for spread in predicted.errors.values()])
            seconds = np.round(predicted.train_seconds[0], _DIGITS)
            self._curves[code] = np.round(means, _DIGITS), seconds, bool(predicted.is_far[0])
        return self._curves[code][:2]

    def _training(self, code: Code, replicate: int) -> npt.NDArray[np.float64]:
        """Draw the errors of one training, (m, e); kept."""
        means = self._curve(code)[0]
        noise = self.surrogate.noise
        if not self.is_noisy or noise is None:
            return means
        key = (code, replicate)
        if key not in self._drawn:
            every = np.arange(len(self.epochs))
            spread = np.stack([noise.spread(means[m : m + 1], m, every)[0] for m in range(len(means))])
            normal = noise.draw(self._key, code, replicate)
            errors: npt.NDArray[np.float64] = np.clip(means + spread * normal, 0.0, 1.0)
            self._drawn[key] = np.round(errors, _DIGITS)
        return self._drawn[key]


def open_surrogate(text: str) -> SurrogateSource:
    """Open a surrogate by file or by name, with ``:mean`` at its end for predictions without noise.

    Raises:
        MissingExtra: No such file.
        UnknownName: No surrogate of this name comes with the program.
        FormatError: Not a surrogate file, or an edited one.
    """
    from nasbench.surrogates.bundled import find_surrogate
    from nasbench.surrogates.files import load

    surrogate, content = load(find_surrogate(text.removesuffix(MEAN)))
    return SurrogateSource(surrogate, content, is_noisy=not text.endswith(MEAN))
