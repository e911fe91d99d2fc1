"""Learned sides: the critic of a GAN and the encoder of a WAE, as networks find them by samples."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import keras
import numpy as np
import scipy.stats
import tensorflow as tf
from scipy.spatial.distance import cdist

from keras_symvae import FGAN, WAE, Critic, Factor, ImplicitFactor, Learner, Pair, Player, seeds
from keras_symvae.data.sources import FunctionSource
from keras_symvae.families import Normal
from keras_symvae.learners.adversarial import divergences
from scripts.experiments import training as trainings
from scripts.experiments.primal_dual.finite_spaces import FiniteSpace
from zoo.networks.mlp import MLP

L = TypeVar("L", bound=Learner)
NOISE, DRAWS = 4, 20_000  # per code; codes drawn per point to judge an encoder


@dataclasses.dataclass(frozen=True)
class Line:
    """Points of the plane as data, and a decoder G(z) = start + z way of codes z ~ N(0, 1).

    Both sides of the link are exact where the codes are cut into intervals of equal probability.
    What networks learn of the uncut codes is judged there too, as a critic that was made Lipschitz,
    and as the encoder's shares of the intervals, as drawn or moved on. Each is a candidate of the
    side's own sup or inf, so that, however well or badly they learned,

        learned GAN <= GAN <= WAE <= learned WAE moved on <= learned WAE.

    Args:
        points: [N, 2].
        data: their probabilities [N].
        start, way: [2].
        intervals: number of them.
    """

    points: np.ndarray
    data: np.ndarray
    start: np.ndarray
    way: np.ndarray
    intervals: int

    @property
    def centres(self) -> np.ndarray:
        """The medians [M, 1] of the intervals of codes."""
        share = (np.arange(self.intervals) + 0.5) / self.intervals
        return scipy.stats.norm.ppf(share)[:, None]

    def space(self) -> FiniteSpace:
        """Returns the `FiniteSpace` of the points, and behind them those that G meets."""
        prior = np.full(self.intervals, 1.0 / self.intervals)
        data = np.concatenate([self.data, np.zeros(self.intervals)])
        decoder = len(self.data) + np.arange(self.intervals)
        return FiniteSpace(cdist(self._places, self._places), data, prior, decoder)

    @property
    def _places(self) -> np.ndarray:
        return np.concatenate([self.points, self.start + self.centres * self.way])

    def critic(
        self, f: str, *, weight: float, training: dict[str, Any], penalty: float, seed: int
    ) -> np.ndarray:
        """Returns a learned critic d [N] of the points and of those that G meets.

        Args:
            f: name of the divergence.
            weight: lambda.
            training: {"steps", "batch_size", "width", "rate", "critic_rate", "critic_steps"}.
            penalty: weight of the gradient penalty.
            seed: of weights and draws.
        """
        options = {"divergence": f, "divergence_weight": weight, "gradient_penalty": penalty}
        options |= {"critic_steps": training["critic_steps"], "seed": seed}

        def make() -> FGAN:
            critic = Critic("x", widths=2 * (training["width"],))
            pair = self._pair(Factor("z", given="x", network=keras.layers.Dense(2)))
            return FGAN(pair, critic=critic, **options)

        critic = self._trained(make, training, seed=seed).critic
        score = critic.score({"x": tf.constant(self._places, tf.float32)})
        return weight * np.asarray(divergences.get(f).activation(score), np.float64)

    def encoder(
        self, f: str, *, weight: float, training: dict[str, Any], penalty: float, seed: int
    ) -> np.ndarray:
        """Returns the shares [N, M] of the intervals in the codes of a learned encoder.

        Args: as of `critic`; the penalty is `gradient_penalty` of `WAE`.
        """
        options = {"penalty": f, "penalty_weight": weight, "cost": "l2"}
        options |= {"critic_steps": training["critic_steps"], "seed": seed}
        options |= {"gradient_penalty": penalty, "steepness": float(np.linalg.norm(self.way))}

        def make() -> WAE:
            network = MLP(2 * [training["width"]], 1, activation="elu")
            pair = self._pair(ImplicitFactor("z", given="x", network=network, noise_shape=NOISE))
            critic = Critic("z", widths=2 * (training["width"],))
            return WAE(pair, critic=critic, **options)

        pair = self._trained(make, training, seed=seed).pair
        shares = []
        for index, point in enumerate(self.points.astype("float32")):
            z = pair.encode(np.tile(point, (DRAWS, 1)), seed=index)["z"][:, 0]
            interval = np.int64(scipy.stats.norm.cdf(z) * self.intervals)
            interval = np.minimum(interval, self.intervals - 1)
            shares.append(np.bincount(interval, minlength=self.intervals) / DRAWS)
        return np.stack(shares)

    def _pair(self, recogniser: Factor | ImplicitFactor) -> Pair:
        families = {"x": Normal(2), "z": Normal(1)}
        line = keras.layers.Dense(2)
        sampler = ImplicitFactor("x", given="z", network=line, noise_shape=None)
        decoder = Player([Factor("z"), sampler], families=families, name="decoder")
        line.set_weights([self.way[None], self.start])
        decoder.trainable = False
        return Pair(decoder, Player([recogniser], families=families, name="encoder"))

    def _trained(self, make: Callable[[], L], training: dict[str, Any], *, seed: int) -> L:
        steps = training["steps"]
        optimizer = trainings.optimizers(
            {"encoder": training["rate"]},
            critic_rate=training["critic_rate"],
            steps=steps,
            critic_steps=training["critic_steps"],
        )
        learner = trainings.compiled(make, optimizer=optimizer, seed=seed, group=50)
        source = FunctionSource(self._draws, names=["x"])
        trainings.fit(learner, source, steps=steps, batch_size=training["batch_size"])
        return learner

    def _draws(self, size: int, seed: Any) -> dict[str, tf.Tensor]:
        logits = tf.math.log(tf.constant(self.data[None], tf.float32))
        chosen = tf.random.stateless_categorical(logits, size, seeds.fold(seed, 0))[0]
        return {"x": tf.gather(tf.constant(self.points, tf.float32), chosen)}


def random_line(points: int, *, intervals: int, seed: int) -> Line:
    """Returns a `Line` through the middle of the unit square, and points uniform in it."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0.0, np.pi)
    way = 0.25 * np.array([np.cos(angle), np.sin(angle)])
    places, data = rng.random((points, 2)), rng.dirichlet(np.full(points, 2.0))
    return Line(places, data, np.array([0.5, 0.5]), way, intervals)


def value_of_critic(space: FiniteSpace, d: np.ndarray, f: str, *, weight: float) -> float:
    """Returns E_data d - weight E_model f*(d / weight) of a critic d [N], made Lipschitz.

    Where it rises too steeply, the largest critic below it that does not takes its place.
    """
    d = np.min(d + space.cost, axis=1)
    used = space.model > 0.0
    conjugate = divergences.get(f).conjugate(tf.constant(d[used] / weight)).numpy()
    return float(space.data @ d - weight * space.model[used] @ conjugate)


def value_of_encoder(
    space: FiniteSpace, encoder: np.ndarray, f: str, *, weight: float, onward: bool = False
) -> float:
    """Returns E c(x, G(z)) + weight D_f of an encoder [N, M] of the first N points of a space.

    Args:
        space: the `FiniteSpace`.
        encoder: probabilities of codes, a row per point.
        f: name of the divergence.
        weight: lambda.
        onward: its codes first move on to others, as far as it pays, at the cost c of their images.
            That is an encoder as well, no better than the best. It is to encoders what a Lipschitz
            critic is to critics: such a critic does not see what little ways would mend.
    """
    data = space.data[: len(encoder)]
    moved = data @ np.sum(encoder * space.cost[: len(encoder), space.decoder], axis=1)
    between = space.cost[np.ix_(space.decoder, space.decoder)]
    codes = FiniteSpace(between, data @ encoder, space.prior, np.arange(len(space.prior)))
    rest = codes.wae(f, weight=weight) if onward else weight * codes.divergence(f)
    return float(moved + rest)
