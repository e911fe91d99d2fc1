"""Learned sides: the critic of a GAN and the encoder of a WAE, as networks find them by samples."""

import dataclasses

import keras
import numpy as np
import scipy.stats
import tensorflow as tf
from scipy.spatial.distance import cdist

from keras_symvae import FGAN, WAE, Critic, Factor, ImplicitFactor, Pair, Player, divergences, seeds
from keras_symvae.families import Normal
from keras_symvae.sources import FunctionSource
from scripts.finite_spaces import FiniteSpace
from zoo.blocks import MLP
from zoo.presets import Recipe

NOISE, DRAWS = 4, 20_000  # per code; codes drawn per point to judge an encoder


@dataclasses.dataclass(frozen=True)
class Line:
    """Points of the plane as data, and a decoder G(z) = start + z way of codes z ~ N(0, 1).

    Both sides of the link are exact where the codes are cut into intervals of equal probability.
    What networks learn of the uncut codes is judged there too, as a critic that was made Lipschitz,
    and as the encoder's shares of the intervals. Each then is a candidate of the side's own sup or
    inf, so that learned GAN <= GAN <= WAE <= learned WAE, however well or badly they learned.

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
    def centres(self):
        """The medians [M, 1] of the intervals of codes."""
        share = (np.arange(self.intervals) + 0.5) / self.intervals
        return scipy.stats.norm.ppf(share)[:, None]

    def space(self):
        """Returns the `FiniteSpace` of the points, and behind them those that G meets."""
        prior = np.full(self.intervals, 1.0 / self.intervals)
        data = np.concatenate([self.data, np.zeros(self.intervals)])
        decoder = len(self.data) + np.arange(self.intervals)
        return FiniteSpace(cdist(self._places, self._places), data, prior, decoder)

    @property
    def _places(self):
        return np.concatenate([self.points, self.start + self.centres * self.way])

    def gan(self, f, *, weight, training, penalty, seed):
        """Returns the value of a learned critic, at most `FiniteSpace.gan`.

        Args:
            f: name of the divergence.
            weight: lambda.
            training: {"steps", "batch_size", "width", "rate", "critic_rate", "critic_steps"}.
            penalty: weight of the gradient penalty.
            seed: of weights and draws.
        """
        keras.utils.set_random_seed(seed)
        critic = Critic("x", widths=2 * (training["width"],))
        pair = self._pair(Factor("z", given="x", network=keras.layers.Dense(2)))
        options = {"divergence": f, "divergence_weight": weight, "gradient_penalty": penalty}
        options |= {"critic_steps": training["critic_steps"], "seed": seed}
        self._train(FGAN(pair, critic=critic, **options), training)
        score = critic.score({"x": tf.constant(self._places, tf.float32)})
        d = weight * np.float64(divergences.get(f).activation(score))
        return value_of_critic(self.space(), d, f, weight=weight)

    def wae(self, f, *, weight, training, seed):
        """Returns the value of a learned encoder, at least `FiniteSpace.wae`."""
        keras.utils.set_random_seed(seed)
        network = MLP(2 * [training["width"]], 1, activation="elu")
        pair = self._pair(ImplicitFactor("z", given="x", network=network, noise_shape=NOISE))
        critic = Critic("z", widths=2 * (training["width"],))
        options = {"penalty": f, "penalty_weight": weight, "cost": "l2"}
        options |= {"critic_steps": training["critic_steps"], "seed": seed}
        self._train(WAE(pair, critic=critic, **options), training)
        shares = []
        for index, point in enumerate(self.points.astype("float32")):
            z = pair.encode(np.tile(point, (DRAWS, 1)), seed=index)["z"][:, 0]
            interval = np.int64(scipy.stats.norm.cdf(z) * self.intervals)
            interval = np.minimum(interval, self.intervals - 1)
            shares.append(np.bincount(interval, minlength=self.intervals) / DRAWS)
        return value_of_encoder(self.space(), np.stack(shares), f, weight=weight)

    def _pair(self, recogniser):
        families = {"x": Normal(2), "z": Normal(1)}
        line = keras.layers.Dense(2)
        sampler = ImplicitFactor("x", given="z", network=line, noise_shape=None)
        decoder = Player([Factor("z"), sampler], families=families, name="decoder")
        line.set_weights([self.way[None], self.start])
        decoder.trainable = False
        return Pair(decoder, Player([recogniser], families=families, name="encoder"))

    def _train(self, learner, training):
        steps = training["steps"]
        recipe = Recipe({"encoder": training["rate"]}, beta_1=0.5).optimizer(steps=steps)
        more = training["critic_steps"] * steps
        recipe |= Recipe({"critic": training["critic_rate"]}, beta_1=0.5).optimizer(steps=more)
        learner.compile(recipe, steps_per_execution=50)
        options = {"batch_size": training["batch_size"], "steps_per_epoch": steps, "verbose": 0}
        learner.fit(FunctionSource(self._draws, names=["x"]), **options)

    def _draws(self, size, seed):
        logits = tf.math.log(tf.constant(self.data[None], tf.float32))
        chosen = tf.random.stateless_categorical(logits, size, seeds.fold(seed, 0))[0]
        return {"x": tf.gather(tf.constant(self.points, tf.float32), chosen)}


def random_line(points, *, intervals, seed):
    """Returns a `Line` through the middle of the unit square, and points uniform in it."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0.0, np.pi)
    way = 0.25 * np.array([np.cos(angle), np.sin(angle)])
    places, data = rng.random((points, 2)), rng.dirichlet(np.full(points, 2.0))
    return Line(places, data, np.array([0.5, 0.5]), way, intervals)


def value_of_critic(space, d, f, *, weight):
    """Returns E_data d - weight E_model f*(d / weight) of a critic d [N], made Lipschitz.

    Where it rises too steeply, the largest critic below it that does not takes its place.
    """
    d = np.min(d + space.cost, axis=1)
    used = space.model > 0.0
    conjugate = divergences.get(f).conjugate(tf.constant(d[used] / weight)).numpy()
    return float(space.data @ d - weight * space.model[used] @ conjugate)


def value_of_encoder(space, encoder, f, *, weight):
    """Returns E c(x, G(z)) + weight D_f of an encoder [N, M] of the first N points of a space."""
    data = space.data[: len(encoder)]
    moved = data @ np.sum(encoder * space.cost[: len(encoder), space.decoder], axis=1)
    codes = FiniteSpace(space.cost, data @ encoder, space.prior, np.arange(len(space.prior)))
    return float(moved + weight * codes.divergence(f))
