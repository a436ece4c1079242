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

Floats = npt.NDArray[np.float64]

_DIGITS = 9  # of what is answered: other processors round the last bits otherwise


class SurrogateSource:
    """Answers from a fitted surrogate.

    The error of a training is the predicted mean and noise drawn for (architecture, replicate), in log-odds
    and correlated over the epochs: the same question has the same answer in every run, and a shorter training
    is a prefix of a longer one. Where the table could not tell the noise, or without it (``is_noisy`` False),
    every repeat would be the same, so there is one.

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
        self._curves: dict[Code, tuple[Floats, Floats, bool]] = {}
        self._drawn: dict[tuple[Code, int], Floats] = {}

    def replicates_of(self, code: Code) -> int:
        """Count the repeats, the same for all architectures."""
        return self.replicates

    def answer(self, code: Code, *, epochs: int, replicate: int) -> Measurement:
        """Draw one training.

        Raises:
            NotInSpace: Not an architecture of the space.
            NotMeasured: Not a length that was fitted, or no such repeat.
        """
        self._require(epochs, replicate)
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
        """Answer (n, L) codes, predicted together: as ``answer``, but perhaps for the last decimal.

        Raises:
            NotInSpace: One of them is not an architecture of the space.
            NotMeasured: Not a length that was fitted, or no such repeat.
        """
        self._require(epochs, replicate)
        checked = [self.space.check(code) for code in np.asarray(codes)]
        at = self.epochs.index(epochs)
        curves = self._predict(list(dict.fromkeys(checked)))
        errors = np.array([self._drawn_from(curves[code][0], code, replicate)[:, at] for code in checked])
        errors = errors.reshape(len(checked), len(self.surrogate.metrics))
        return Measurements(
            valid_error=errors[:, 0],
            test_error=errors[:, 1] if errors.shape[1] > 1 else np.full(len(checked), np.nan),
            train_seconds=np.array([curves[code][1][at] for code in checked]),
        )

    def _require(self, epochs: int, replicate: int) -> None:
        """Refuse what this surrogate does not answer."""
        if epochs not in self.epochs or not 0 <= replicate < self.replicates:
            held = ", ".join(map(str, self.epochs))
            raise NotMeasured(
                f"epochs, replicate: surrogate {self.info.name} answers for {held} epochs and "
                f"{self.replicates} repeats, got {epochs} epochs, replicate {replicate}."
            )

    @property
    def scored_by(self) -> str:
        """``"mean test error"`` or ``"mean validation error"``: here both are predicted."""
        return "mean test error" if len(self.surrogate.metrics) > 1 else "mean validation error"

    def score(self, codes: npt.ArrayLike, *, epochs: int) -> Floats:
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

    def _curve(self, code: Code) -> tuple[Floats, Floats]:
        """Predict the mean errors (m, e) and seconds (e,) of an architecture; kept."""
        if code not in self._curves:
            self._curves.update(self._predict([self.space.check(code)]))
        return self._curves[code][:2]

    def _predict(self, codes: list[Code]) -> dict[Code, tuple[Floats, Floats, bool]]:
        """Predict the mean errors (m, e), the seconds (e,) and whether it is far, of each architecture."""
        if not codes:
            return {}
        predicted = self.surrogate.predict(np.array(codes), epochs=self.epochs)
        means = np.stack([spread.mean for spread in predicted.errors.values()], axis=1)
        means, seconds = np.round(means, _DIGITS), np.round(predicted.train_seconds, _DIGITS)
        return dict(zip(codes, zip(means, seconds, predicted.is_far.tolist(), strict=True), strict=True))

    def _training(self, code: Code, replicate: int) -> Floats:
        """Draw the errors of one training, (m, e); kept."""
        key = (code, replicate)
        if key not in self._drawn:
            self._drawn[key] = self._drawn_from(self._curve(code)[0], code, replicate)
        return self._drawn[key]

    def _drawn_from(self, means: Floats, code: Code, replicate: int) -> Floats:
        """Draw the errors of one training around its mean errors, (m, e)."""
        noise = self.surrogate.noise
        if not self.is_noisy or noise is None:
            return means
        return np.round(noise.around(means, noise.draw(self._key, code, replicate)), _DIGITS)


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
