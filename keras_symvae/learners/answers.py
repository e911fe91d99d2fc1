"""Answers: the questions of a pair or team, asked of the learner that trained it."""

import inspect
import os
from typing import Any

from keras_symvae.evaluation.likelihood import log_likelihood
from keras_symvae.model.pair import Pair
from keras_symvae.model.team import Team


class Answers:
    """Hands every question to `self.pair`."""

    pair: Pair | Team

    def generate(self, n: int | None = None, **options: Any) -> dict[str, Any]:
        """See `Pair.generate`."""
        return self.pair.generate(n, **options)

    def encode(self, data: Any, **options: Any) -> dict[str, Any]:
        """See `Pair.encode`."""
        return self.pair.encode(data, **options)

    def decode(self, latents: Any, **options: Any) -> dict[str, Any]:
        """See `Pair.decode`."""
        return self.pair.decode(latents, **options)

    def reconstruct(self, data: Any, **options: Any) -> dict[str, Any]:
        """See `Pair.reconstruct`."""
        return self.pair.reconstruct(data, **options)

    def limiting(self, n: int | None = None, **options: Any) -> dict[str, Any]:
        """See `Pair.limiting`."""
        return self.pair.limiting(n, **options)

    def log_likelihood(self, data: Any, **options: Any) -> Any:
        """Returns the log-likelihood [N], nats; see `keras_symvae.evaluation.log_likelihood`."""
        return log_likelihood(self.pair.single("log_likelihood"), data, **options)

    def __getattr__(self, name: str) -> Any:
        """What only this architecture answers, such as `classify`."""
        if hasattr(type(self), name):
            # A property of this class failed by an AttributeError of its own: that one is told.
            return object.__getattribute__(self, name)
        pair = self.__dict__.get("pair")
        if pair is not None and name in answered(type(pair)):
            return getattr(pair, name)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}.")

    def predict(self, x: Any, **options: Any) -> dict[str, Any]:
        """See `Questions.predict`."""
        return self.pair.predict(x, **options)

    def predict_on_batch(self, x: Any) -> dict[str, Any]:
        """See `Questions.predict`."""
        return self.pair.predict_on_batch(x)

    def call(self, data: Any) -> dict[str, Any]:
        """Reconstructs tensors; see `Pair.call`."""
        return self.pair(data)

    def export(self, filepath: str | os.PathLike, **options: Any) -> None:
        """Writes a SavedModel of the pair; see `keras_symvae.model.export.save`."""
        self.pair.export(filepath, **options)


def answered(kind: type) -> set[str]:
    """Returns the names of the public methods that an architecture adds to a `Pair` or `Team`."""
    names: set[str] = set()
    for parent in kind.__mro__:
        if parent in (Pair, Team):
            return names
        methods = {name for name, part in vars(parent).items() if inspect.isfunction(part)}
        names |= {name for name in methods if not name.startswith("_")}
    return set()
