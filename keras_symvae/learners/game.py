"""The symmetric game, as one pair and the members of a team play it."""

import abc
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.learners import utilities
from keras_symvae.learners.completion import MEASURES, Completion
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.levels import Window
from keras_symvae.learners.resampling import Resampling, checked_wake
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.model.pair import Pair


class SymmetricGame(Learner, abc.ABC):
    """What symmetric games of one pair and of several have in common.

    Args:
        pair: the `Pair` or `Team`.
        weights: {term: weight} of "decoder/paired", "decoder/observed", "decoder/latent",
            "encoder/paired" and "encoder/dreams"; 1 where none is given.
        draws: K, of the encoder for every example.
        wake: a, the share of taken codes in what the encoder learns, from 0 to 1; None: 0.5 where
            K > 1, else 0.
        resampling, window: how codes are taken, see `Resampling`.
        remember: probability with which one of the K codes is that of the example's last visit, see
            `Resampling`; the learner then keeps a code of every example, and data have to be arrays
            or `Batches`.
        near: share of the dreams whose latents are codes taken for data, so that the encoder
            practises on pictures that data are like; their law is the prior's where the players
            agree. It helps grids of codes and harms others, see docs/recipes.
        others: see `Learner`.
    """

    kept: ClassVar = {
        "weights": lambda learner: learner.weights_of_terms,
        # A file keeps windows that were found: with other weights others would be.
        "window": lambda learner: learner.windows or learner.window,
    }

    def __init__(
        self,
        pair: Any,
        *,
        weights: Mapping[str, float] | None = None,
        draws: int = 1,
        wake: float | None = None,
        resampling: str | None = None,
        window: Window = None,
        remember: float = 0.0,
        near: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(pair, **kwargs)
        self.draws, self.wake, self.resampling, self.window = draws, wake, resampling, window
        self.remember, self.near = remember, arguments.number("near", near, least=0, most=1)
        self.weights_of_terms = utilities.checked_terms(weights)
        options = {"resampling": resampling, "window": window, "remember": remember}
        self._codes = {
            name: Resampling(each, draws=draws, **options) for name, each in self._pairs.items()
        }
        self._share = checked_wake(wake, draws=draws)
        self.memories = {n: c.memory for n, c in self._codes.items() if c.memory is not None}
        encoders = [name for name in self.cost_names if "encoder/" in name]
        self.optional_cost_names = tuple(
            f"{name}/{kind}" for name in encoders for kind in ("paired", "wake")
        )
        measured = self._prefixes if draws > 1 else ()
        self.measure_names = tuple(f"{prefix}{name}" for prefix in measured for name in MEASURES)
        self.may_lack = tuple(pair.families)

    @property
    def windows(self) -> dict[str, tuple[int, int]]:
        """{latent: (rows, columns)} of cells, of the latents that are grids, see `Resampling`."""
        return {n: window for codes in self._codes.values() for n, window in codes.windows.items()}

    @property
    def _prefixes(self) -> Sequence[str]:
        """What comes before the names of measures: nothing, or "member/"."""
        return [name.removesuffix("decoder") for name in self.pair.players if "decoder" in name]

    @property
    @abc.abstractmethod
    def _pairs(self) -> Mapping[str, Pair]:
        """{member: Pair}."""

    @property
    def cost_names(self) -> Sequence[str]:
        return [f"{name}/{v}" for name, player in self.pair.players.items() for v in player.names]

    def _learnt(self, pair: Pair, completion: Completion, *, seed: tf.Tensor) -> Outcome:
        """(1 - a) of L_q on dreams, a of it on taken codes, and on the latents that data hold."""
        batch, a, weights = completion.batch, self._share, self.weights_of_terms
        dreams = {"seed": seed, "taken": completion.taken, "near": self.near}
        dreamt = utilities.sleep(pair, batch, weights=weights, **dreams).times(1.0 - a)
        taken = utilities.posterior(pair, completion, weight=a)
        return dreamt.plus(taken).plus(utilities.labels(pair, batch, weights=weights))
