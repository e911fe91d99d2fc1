"""Answers: the questions of a pair, asked of the learner that trained it."""

from keras_symvae.evaluation.likelihood import log_likelihood
from keras_symvae.model import export
from keras_symvae.model.pair import Pair


class Answers:
    """Hands every question to `self.pair`."""

    pair: Pair

    def generate(self, n=None, **kwargs):
        """See `Pair.generate`."""
        return self.pair.generate(n, **kwargs)

    def encode(self, data, **kwargs):
        """See `Pair.encode`."""
        return self.pair.encode(data, **kwargs)

    def decode(self, latents, **kwargs):
        """See `Pair.decode`."""
        return self.pair.decode(latents, **kwargs)

    def reconstruct(self, data, **kwargs):
        """See `Pair.reconstruct`."""
        return self.pair.reconstruct(data, **kwargs)

    def limiting(self, n=None, **kwargs):
        """See `Pair.limiting`."""
        return self.pair.limiting(n, **kwargs)

    def __getattr__(self, name):
        """What only this architecture answers, such as `classify`."""
        pair = self.__dict__.get("pair")
        if not name.startswith("_") and callable(getattr(type(pair), name, None)):
            return getattr(pair, name)
        raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}.")

    def log_likelihood(self, data, **kwargs):
        """Returns the log-likelihood [N], nats; see `keras_symvae.evaluation.log_likelihood`."""
        return log_likelihood(self.pair, data, **kwargs)

    def call(self, data):
        return self.pair(data)

    def export(self, filepath, **kwargs):
        """Writes a SavedModel of the pair; see `keras_symvae.export.save`."""
        return export.save(self.pair, filepath, **kwargs)
