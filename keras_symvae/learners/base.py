"""A learner: a Keras model that trains a pair by a game."""

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import export, seeds
from keras_symvae.batches import Batches
from keras_symvae.evaluation.likelihood import log_likelihood
from keras_symvae.learners import optimizers
from keras_symvae.learners.guard import Guard, NonFiniteError

__all__ = ["Learner", "NonFiniteError"]


class Learner(keras.Model):
    """Trains a pair by a game: one utility per player, one GradientTape per utility.

    A subclass declares the game in `moves` and the names of its costs in `cost_names`; this class
    owns the step: all gradients are taken at the same point (the simultaneous game), then applied
    in one update, which is skipped as a whole where anything is not finite.

    Metrics are costs, negative utilities in nats per example: one per factor ("decoder/x"), their
    sums per player ("decoder", "encoder"), "loss", the sum of both, and for discrete data
    "decoder/x/bits_per_dim".

    Args:
        pair: the `Pair` to train.
        seed: integer; every draw of training is a function of (seed, step).
        nonfinite: "skip" leaves out a step whose costs or gradients are not finite, "raise" stops
            at the first. Neither touches a weight.
        patience: after this many skipped steps in a row training stops with `NonFiniteError`.
    """

    def __init__(self, pair, *, seed=0, nonfinite="skip", patience=10, **kwargs):
        super().__init__(**kwargs)
        self.pair, self.seed = pair, seed
        self.guard = Guard(self._fault_names(), policy=nonfinite, patience=patience)
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self._test_steps = tf.Variable(0, trainable=False, name="test_steps")
        self._means = {name: keras.metrics.Mean(name) for name in self.metric_names}
        self.built = True

    def moves(self):
        """Returns the game: a list of (player names, utility).

        `utility(values, seed, training=True)` -> (utility [B], costs {name: [B]}), nats; the
        named players ascend its mean.
        """
        raise NotImplementedError

    @property
    def cost_names(self):
        """Names of all costs, "player/variable"."""
        raise NotImplementedError

    @property
    def metric_names(self):
        """Names of all metrics, as in `fit`'s logs."""
        bits = [f"{name}/bits_per_dim" for name in self.cost_names if self._dimensions(name)]
        return ["loss", "decoder", "encoder", *self.cost_names, *bits]

    def _dimensions(self, cost):
        """Number of dimensions of a discrete observed variable, else 0."""
        player, name = cost.split("/")
        family = self.pair.families[name]
        return family.size if family.discrete and name in self.pair.observed else 0

    def _fault_names(self):
        parts = [
            f"gradient of {player.name}/{part.name}"
            for player in (self.pair.decoder, self.pair.encoder)
            for part in (*player.factors, player.trunk)
            if part is not None
        ]
        return [*self.cost_names, *parts]

    def compile(self, optimizer="adam", *, steps_per_execution=1, jit_compile=False, **kwargs):
        """Chooses the optimizer: anything Keras takes, or one per player.

        Args:
            optimizer: a name, an optimizer, or {"decoder": ..., "encoder": ...}; keys may also
                name one factor, as "decoder/z1", and the longest key that fits wins.
            steps_per_execution, jit_compile, run_eagerly, auto_scale_loss: as in Keras.
        """
        if isinstance(optimizer, dict) and "class_name" not in optimizer:
            optimizer = optimizers.per_player(optimizer, self.pair)
        super().compile(
            optimizer=optimizer,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            **kwargs,
        )
        self.optimizer.build(self.trainable_variables)

    def compile_from_config(self, config):
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(
        self,
        x=None,
        y=None,
        *,
        batch_size=None,
        epochs=1,
        callbacks=None,
        validation_data=None,
        initial_epoch=0,
        steps_per_epoch=None,
        **kwargs,
    ):
        """Trains, as `keras.Model.fit`.

        Args:
            x: `Batches`, arrays (x, or {name: array}; shuffled as a function of seed and step), or
                a `tf.data.Dataset`, which is taken as it comes.
            y: labels, where the pair has a variable "y".
            callbacks: a `Backup` among them is restored first, and training goes on from there.
            others: as in Keras.

        Raises:
            ValueError: the data are none that the variables can hold; nothing was trained.
            NonFiniteError: see `patience`; weights are those before the first faulty step.
        """
        for callback in callbacks or ():
            if hasattr(callback, "restore"):
                initial_epoch = max(initial_epoch, callback.restore(self))
        if _holds_arrays(x):
            data = (x, y) if y is not None else x
            x = Batches(self.pair.check(data), batch_size=batch_size or 32, seed=self.seed)
            batch_size = None
            y = None
        if isinstance(x, Batches):
            steps_per_epoch = steps_per_epoch or x.steps_per_epoch
            x = x.dataset(start=int(self.steps.numpy()))
            kwargs["shuffle"] = False  # Batches shuffle themselves
        if _holds_arrays(validation_data):
            self.pair.check(validation_data)
        return super().fit(
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            callbacks=callbacks,
            validation_data=validation_data,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            **kwargs,
        )

    def evaluate(self, x=None, y=None, **kwargs):
        """Returns the mean costs of held-out data, as `keras.Model.evaluate`; repeatable."""
        if _holds_arrays(x):
            self.pair.check((x, y) if y is not None else x)
        return super().evaluate(x, y, **kwargs)

    def train_step(self, data):
        values = self.pair.values(_unwrap(data))
        seed = self._seed(seeds.TRAIN, self.steps)
        costs, gradients, variables = {}, [], []
        for players, utility in self.moves():
            owned = [v for name in players for v in getattr(self.pair, name).trainable_variables]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch([variable.value for variable in owned])
                gain, terms = utility(values, seed)
                loss = self.optimizer.scale_loss(-tf.reduce_mean(gain) / _num_replicas())
            gradients += tape.gradient(
                loss,
                [variable.value for variable in owned],
                unconnected_gradients=tf.UnconnectedGradients.ZERO,
            )
            variables += owned
            costs |= terms
        self.steps.assign_add(1)
        finite = self.guard.inspect(costs, gradients, variables, self.optimizer)
        self._apply_if(finite, gradients, variables)
        return self._update_means(costs, finite)

    def test_step(self, data):
        values = self.pair.values(_unwrap(data))
        seed = self._seed(seeds.TEST, self._test_steps)
        self._test_steps.assign_add(1)
        costs = {}
        for _, utility in self.moves():
            costs |= utility(values, seed, training=False)[1]
        return self._update_means(costs, True)

    def _seed(self, stream, step):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return seeds.fold(seeds.make(self.seed), stream, step, replica)

    def _apply_if(self, finite, gradients, variables):
        """One update of all players, or none: the optimizer's state stays untouched as well."""

        def across_replicas(strategy, finite, gradients):
            def apply():
                strategy.extended.call_for_each_replica(
                    self.optimizer.apply, args=(gradients, variables)
                )

            # Keras's optimizers merge replicas themselves, so the condition has to stand outside.
            verdicts = strategy.experimental_local_results(finite)
            tf.cond(tf.reduce_all(tf.stack(verdicts)), apply, lambda: None)

        context = tf.distribute.get_replica_context()
        context.merge_call(across_replicas, args=(finite, gradients))

    def _update_means(self, costs, finite):
        means = {name: tf.reduce_mean(cost) for name, cost in costs.items()}
        for player in ("decoder", "encoder"):
            parts = [mean for name, mean in means.items() if name.startswith(player + "/")]
            means[player] = tf.add_n(parts) if parts else tf.constant(0.0)
        means["loss"] = means["decoder"] + means["encoder"]
        for name in self.cost_names:
            if self._dimensions(name):
                nats_per_bit_per_dim = self._dimensions(name) * np.log(2.0)
                means[f"{name}/bits_per_dim"] = means[name] / nats_per_bit_per_dim
        size = tf.cast(tf.shape(next(iter(costs.values())))[0], tf.float32)
        for name, metric in self._means.items():
            kept = tf.where(finite, means[name], 0.0)
            metric.update_state(kept, sample_weight=tf.where(finite, size, 0.0))
        return {name: metric.result() for name, metric in self._means.items()}

    @property
    def metrics(self):
        return list(self._means.values())

    def reset_metrics(self):
        super().reset_metrics()
        self._test_steps.assign(0)  # so that every evaluation makes the same draws

    def make_train_function(self, force=False):
        """Wraps Keras's step, so that a run that cannot go on stops with the name of the fault."""
        if self.train_function is not None and not force:
            return
        super().make_train_function(force=force)
        step = self.train_function

        def guarded(iterator):
            logs = step(iterator)
            self.guard.check()
            return logs

        self.train_function = guarded

    # The pair's questions, so that a trained model answers them itself.

    def generate(self, n, **kwargs):
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

    def log_likelihood(self, data, **kwargs):
        """Returns the log-likelihood [N], nats; see `keras_symvae.evaluation.log_likelihood`."""
        return log_likelihood(self.pair, data, **kwargs)

    def call(self, data):
        return self.pair(data)

    def export(self, filepath, **kwargs):
        """Writes a SavedModel of the pair; see `keras_symvae.export.save`."""
        return export.save(self.pair, filepath, **kwargs)

    def get_config(self):
        return {
            "pair": keras.saving.serialize_keras_object(self.pair),
            "seed": self.seed,
            "nonfinite": self.guard.policy,
            "patience": self.guard.patience,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "pair": keras.saving.deserialize_keras_object(config["pair"])})


def _holds_arrays(data):
    """True for arrays and nests of arrays; False for datasets, generators and None."""
    leaves = tf.nest.flatten(data)
    return data is not None and all(
        isinstance(leaf, (np.ndarray, tf.Tensor)) for leaf in leaves if leaf is not None
    )


def _unwrap(data):
    """Keras hands a dict of inputs over as a tuple of one."""
    return data[0] if isinstance(data, tuple) and len(data) == 1 else data


def _num_replicas():
    return tf.distribute.get_strategy().num_replicas_in_sync
