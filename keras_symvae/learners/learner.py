"""A learner: a Keras model that trains a pair by a game."""

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data import batches
from keras_symvae.data.batches import Minibatches, holds_arrays
from keras_symvae.learners.answers import Answers
from keras_symvae.learners.step import optimizers
from keras_symvae.learners.step.guard import Guard, NonFiniteError
from keras_symvae.learners.step.meters import Meters
from keras_symvae.learners.step.moves import play

__all__ = ["Learner", "NonFiniteError"]


class Learner(Answers, keras.Model):
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
        self.autocast = False  # data keep their precision
        self.pair, self.seed = pair, seed
        weights = optimizers.named_variables(self)
        self.guard = Guard(self.cost_names, weights, policy=nonfinite, patience=patience)
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self._test_steps = tf.Variable(  # in no file: every evaluation starts at 0
            tf.constant(0), trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )
        self._meters = Meters(
            self.cost_names,
            self.optional_cost_names,
            players=self.players,
            judged=pair.players,
            likelihoods=pair.likelihoods,
        )
        self.built = True

    def moves(self):
        """Returns the game: a list of (player names, utility).

        `utility(values, seed, training=True)` -> `Outcome`; the named players ascend its mean.
        """
        raise NotImplementedError

    def rehearsals(self):
        """Returns lists of moves; each is played, with an update, before the game itself."""
        return []

    @property
    def players(self):
        """{name: Player or Critic}."""
        return self.pair.players

    @property
    def parts(self):
        """[("decoder/x", factor, trunk or critic)]: the owners of all weights."""
        return self.pair.parts

    @property
    def cost_names(self):
        """Names of the costs of every step, "player/variable"."""
        raise NotImplementedError

    @property
    def optional_cost_names(self):
        """Names of the costs that only some data have, below others: "player/variable/kind"."""
        return ()

    @property
    def may_lack(self):
        """Names of the variables that some examples may lack."""
        return ()

    @property
    def metric_names(self):
        """Names of all metrics, as in `fit`'s logs."""
        return list(self._meters.metrics)

    def compile(self, optimizer="adam", *, steps_per_execution=1, jit_compile=False, **kwargs):
        """Chooses the optimizer: anything Keras takes, or one per player.

        Args:
            optimizer: a name, an optimizer, or {"decoder": ..., "encoder": ...}; keys may also
                name one factor, as "decoder/z1", and the longest key that fits wins.
            steps_per_execution, jit_compile, run_eagerly, auto_scale_loss: as in Keras.
        """
        if isinstance(optimizer, dict) and "class_name" not in optimizer:
            optimizer = optimizers.Optimizers(optimizer)
        optimizers.bind(optimizer, self)
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
            x: `Minibatches`; arrays (x, or {name: array}; shuffled as a function of seed and step);
                a `Source`, which draws every batch and has no end; or a `tf.data.Dataset`, which
                is taken as it comes.
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
        if holds_arrays(x):
            x, y = self._check((x, y) if y is not None else x), None
        x = batches.of(x, batch_size=batch_size or 32, seed=self.seed)
        if isinstance(x, Minibatches):
            batch_size = None
            steps_per_epoch = steps_per_epoch or x.steps_per_epoch
            if steps_per_epoch is None:
                raise ValueError("A source has no end; say how many steps_per_epoch to take.")
            self._check(tf.nest.map_structure(np.asarray, x.at(0)), whole=False)
            x = x.dataset(start=int(self.steps.numpy()))
        if isinstance(x, tf.data.Dataset):
            kwargs.setdefault("shuffle", False)  # Keras warns that it cannot
        if holds_arrays(validation_data):
            self._check(validation_data)
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
        if holds_arrays(x):
            self._check(x if y is None else (x, y))
        return super().evaluate(x, y, **kwargs)

    def _check(self, data, *, whole=True):
        options = {"may_lack": self.may_lack, "learner": type(self).__name__}
        return self.pair.check_training(data, whole=whole, **options)

    def train_step(self, data):
        values = self.pair.values(data)
        seed = self._seed(seeds.TRAIN, self.steps)
        faults = 0
        for index, moves in enumerate(self.rehearsals()):
            played = play(moves, self, values, seeds.fold(seed, seeds.REHEARSAL, index))
            faults += self.guard.faults_of(played, self.optimizer)
            optimizers.apply_if(self.guard.bears(faults), self.optimizer, played)
        played = play(self.moves(), self, values, seed)
        faults += self.guard.faults_of(played, self.optimizer)
        self.steps.assign_add(1)
        finite = self.guard.count(faults)
        optimizers.apply_if(finite, self.optimizer, played)
        return self._meters.update(played.costs, played.present, finite)

    def test_step(self, data):
        values = self.pair.values(data)
        seed = self._seed(seeds.TEST, self._test_steps)
        self._test_steps.assign_add(1)
        costs, present = {}, {}
        for _, utility in self.moves():
            outcome = utility(values, seed, training=False)
            costs |= outcome.costs
            present |= outcome.present
        return self._meters.update(costs, present, True)

    def _seed(self, stream, step):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return seeds.fold(seeds.make(self.seed), stream, step, replica)

    @property
    def metrics(self):
        return list(self._meters.metrics.values())

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
