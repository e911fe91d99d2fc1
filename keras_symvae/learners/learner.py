"""A learner: a Keras model that trains a pair by a game."""

import abc
import contextlib
import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.config import Configured
from keras_symvae.data import feed, streams
from keras_symvae.data.gate import Gate
from keras_symvae.data.variables import unwrapped
from keras_symvae.environment import keep_models_of_saving, refuse_legacy
from keras_symvae.learners.answers import Answers
from keras_symvae.learners.memory import Memory
from keras_symvae.learners.step import optimizers, replicas
from keras_symvae.learners.step.guard import POLICIES, Guard, NonFiniteError
from keras_symvae.learners.step.meters import Meters
from keras_symvae.learners.step.moves import REGULARIZATION, Move, Played, opened, outcome_of, play
from keras_symvae.model.factors import NOT_QUANTIZED
from keras_symvae.model.practice import Practice, states
from keras_symvae.model.requirements import Requirement, check

__all__ = ["Learner", "NonFiniteError"]

TRAINING, TESTING = "train_function", "test_function"  # where Keras keeps its compiled steps
REFUSED = {  # arguments of Keras that a game has no use for, and what to do instead
    "loss": "the game is the loss; choose another learner, or its arguments",
    "loss_weights": "terms are weighted by arguments of the learner, such as weights",
    "metrics": "costs are the metrics; measure more with keras_symvae.evaluation or a callback",
    "weighted_metrics": "costs are the metrics; measure more with keras_symvae.evaluation",
    "sample_weight": "draw examples as often as they should count, with a Source or tf.data",
    "class_weight": "draw examples as often as they should count, with a Source or tf.data",
}


class Learner(Configured, Answers, keras.Model, abc.ABC):
    """Trains a pair by a game: one utility per player, one GradientTape per utility.

    A subclass declares the game in `moves` and the names of its costs in `cost_names`; this class
    owns the step: all gradients are taken at the same point (the simultaneous game), then applied
    in one update, which is skipped as a whole where anything is not finite.

    Metrics are costs, negative utilities in nats per example: one per factor ("decoder/x"), their
    sums per player ("decoder", "encoder"), "loss", the sum of both, and for discrete data
    "decoder/x/bits_per_dim" and, of several draws, "iw_bound/bits_per_dim".

    Args:
        pair: the `Pair` to train; some games train a `Team`.
        seed: integer; every draw of training is a function of (seed, step).
        nonfinite: "skip" leaves out a step whose costs or gradients are not finite, "raise" stops
            at the first. Neither touches a weight.
        patience: after this many skipped steps in a row training stops with `NonFiniteError`.

    Raises:
        ValueError: the pair cannot play this game; says why and what to do.
    """

    # What a game is, beside its moves; subclasses say where they differ.
    requirements: Sequence[Requirement] = ()
    optional_cost_names: Collection[str] = ()  # costs that appear only for some data sets
    measure_names: Collection[str] = ()  # what utilities tell beside their costs
    memories: Mapping[Any, Memory] = {}  # of the examples; of a team {member: Memory}
    may_lack: Collection[str] = ()  # variables that some examples may lack
    takes_codes: bool = True  # whether data may hold latents
    critics: Mapping[str, Any] = {}  # further players, {name: Critic}
    apart: bool = False  # whether players get an optimizer each, also out of one for all

    def __init__(
        self,
        pair: Any,
        *,
        seed: int = 0,
        nonfinite: str = "skip",
        patience: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.autocast = False  # data keep their precision
        self.nonfinite = arguments.one_of("nonfinite", nonfinite, POLICIES)
        self.patience = arguments.integer("patience", patience, least=1)
        check(pair, self.requirements, asker=type(self).__name__)
        self.pair, self.seed = pair, seeds.checked(seed)
        self._lacking = {TRAINING: frozenset[str](), TESTING: frozenset[str]()}
        self.steps = self.add_weight(
            name="steps", shape=(), dtype="int32", initializer="zeros", trainable=False
        )
        self._test_steps = tf.Variable(  # in no file: every evaluation starts at 0
            tf.constant(0), trainable=False, aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA
        )
        self.built = True

    @abc.abstractmethod
    def moves(self) -> Sequence[Move]:
        """Returns the game: who ascends what, all at the same point."""

    @property
    @abc.abstractmethod
    def cost_names(self) -> Sequence[str]:
        """Names of the costs of every step, "player/variable"."""

    @property
    def players(self) -> dict[str, Any]:
        """{name: Player or Critic}."""
        return {**self.pair.players, **self.critics}

    @property
    def parts(self) -> list[tuple[str, keras.Layer]]:
        """[("decoder/x", factor, trunk or critic)]: the owners of all weights."""
        return [*self.pair.parts, *self.critics.items()]

    @property
    def metric_names(self) -> list[str]:
        """Names of all metrics, as in `fit`'s logs; none before the learner is compiled."""
        return [metric.name for metric in self.metrics]

    def compile(
        self,
        optimizer: Any = "adam",
        *,
        steps_per_execution: int = 1,
        jit_compile: bool = False,
        optimized: Collection[int] | None = None,
        **options: Any,
    ) -> None:
        """Chooses the optimizer: anything Keras takes, or one per player.

        In games with critics every player gets an optimizer of its own, also out of one for all.

        Args:
            optimizer: a name, an optimizer, or {"decoder": ..., "encoder": ...}; keys may also
                name one factor, as "decoder/z1", and the longest key that fits wins.
            steps_per_execution: as in Keras; where an epoch is no multiple of it, `fit`
                makes fewer in a call, so that no epoch goes beyond its end.
            jit_compile: as in Keras.
            optimized: of a file: places, among all weights, of those that the optimizer knows;
                None: all that are not frozen.
            options: run_eagerly, auto_scale_loss, as in Keras.

        Raises:
            ValueError: an optimizer is missing or has no weights; a loss or metrics were given.
        """
        refuse(options)
        steps_per_execution = arguments.integer("steps_per_execution", steps_per_execution, least=1)
        if not isinstance(jit_compile, str) or jit_compile != "auto":
            jit_compile = arguments.flag("jit_compile", jit_compile)
        if optimizer is None:
            raise ValueError("A learner needs an optimizer to be trained; received None.")
        refuse_legacy(optimizer, "The optimizer")
        if self.apart and not isinstance(optimizer, (dict, keras.optimizers.MultiOptimizer)):
            optimizer = optimizers.copied(optimizer, players=self.players)
        learning = list(optimizers.named_variables(self))
        if optimized is not None:
            weights = optimizers.all_weights(self)
            known = range(len(weights))
            places = optimized if isinstance(optimized, (tuple, list)) else [None]
            if not all(isinstance(n, int) and n in known for n in places):
                raise ValueError(
                    f"optimized are places among {len(weights)} weights; received "
                    f"{arguments.told(optimized)}."
                )
            learning = [weights[place] for place in optimized]
        replicas.check(self, optimizers.all_weights(self), jit_compile=jit_compile)
        optimizer = optimizers.bound(optimizer, self, learning)
        self.guard = Guard(
            self.cost_names,
            learning,
            policy=self.nonfinite,
            patience=self.patience,
        )
        self._meters = Meters(
            self.cost_names,
            [*self.optional_cost_names, *(f"{name}/{REGULARIZATION}" for name in self.players)],
            measures=self.measure_names,
            players=self.players,
            judged=self.pair.players,
            likelihoods=self.pair.likelihoods,
        )
        super().compile(
            optimizer=optimizer,
            steps_per_execution=steps_per_execution,
            jit_compile=jit_compile,
            **options,
        )
        optimizers.keep_slots_once(self.optimizer)
        self._asked = steps_per_execution
        self.optimizer.build([weight for _, weight in learning])
        self._optimized = frozenset(id(weight) for _, weight in learning)
        self._learning = self._learnable()

    def _learnable(self) -> dict[int, str]:
        """Returns {id of a weight: "player/part"} of all weights that are not frozen."""
        return {id(weight): name for name, weight in optimizers.named_variables(self)}

    def _notice_freezing(self) -> None:
        """Makes the step anew where weights were frozen; refuses those that no optimizer knows."""
        now = self._learnable()
        if not self.compiled or now == self._learning:
            return
        strange = sorted({name for key, name in now.items() if key not in self._optimized})
        if strange:
            raise ValueError(f"Weights of {strange} were unfrozen after compile; compile again.")
        self.train_function, self._learning = None, now

    def quantize(self, *args: Any, **kwargs: Any) -> None:
        """Refuses: raises ValueError, which says how a network is quantised."""
        raise ValueError(NOT_QUANTIZED)

    def save(self, *args: Any, **options: Any) -> None:
        """Writes the learner with its optimizer, as `keras.Model.save`."""
        keep_models_of_saving()
        super().save(*args, **options)

    def save_weights(self, *args: Any, **options: Any) -> None:
        """Writes all weights and the optimizer's state, as `keras.Model.save_weights`."""
        keep_models_of_saving()
        super().save_weights(*args, **options)

    def get_compile_config(self) -> dict[str, Any]:
        """Returns what a file says of `compile`."""
        config = super().get_compile_config()
        if not config or self._optimized == self._learnable().keys():
            return config
        weights = enumerate(optimizers.all_weights(self))
        places = [place for place, (_, weight) in weights if id(weight) in self._optimized]
        return {**config, "optimized": places}  # weights were frozen since

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as the learner of a file was."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        batch_size: int | None = None,
        epochs: int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_split: float = 0.0,
        validation_steps: int | None = None,
        shuffle: bool | None = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        **options: Any,
    ) -> Any:
        """Trains, as `keras.Model.fit`.

        Args:
            x: `Minibatches`; arrays (x, or {name: array}; shuffled as a function of seed and step);
                a `Source`, which draws every batch and has no end; or what brings its own batches,
                in its own order: a `tf.data.Dataset`, a `PyDataset`, a generator.
            y: labels, where the pair has a variable "y"; x once more changes nothing.
            callbacks: one, several, or a Keras `CallbackList`; a `Backup` among them is restored
                first, and training goes on from there.
            validation_split: share of arrays, the last ones, that is held out.
            shuffle: False takes arrays in their own order.
            batch_size, epochs, validation_data, validation_steps, initial_epoch, steps_per_epoch:
                as in Keras.
            options: as in Keras.

        Raises:
            ValueError: the data are not what the variables can hold, or a `Backup` is that of
                another training: nothing was trained, or, where a later batch is the first that is
                faulty, nothing with that one.
            NonFiniteError: see `patience`; weights are those before the first faulty step.
        """
        refuse(options)
        self._notice_freezing()
        epochs = arguments.integer("epochs", epochs, least=0)
        initial_epoch = arguments.integer("initial_epoch", initial_epoch, least=0)
        if shuffle is not None:
            shuffle = arguments.flag("shuffle", shuffle)
        callbacks = listed(callbacks)
        for callback in callbacks:
            if getattr(callback, "mode", None) == "auto" and self.compiled:
                callback.mode = self._meters.mode(callback.monitor)
        data = {
            "batch_size": batch_size,
            "steps_per_epoch": steps_per_epoch,
            "shuffle": shuffle,
            "validation_split": validation_split,
        }
        with contextlib.ExitStack() as stack:
            for callback in callbacks:
                if hasattr(callback, "alive"):  # a `Backup`
                    examples = x if y is None else (x, y)
                    state = callback.alive(self, epochs=epochs, data=examples, **data)
                    initial_epoch = max(initial_epoch, stack.enter_context(state))
            return self._fit(
                x,
                y,
                epochs=epochs,
                callbacks=callbacks,
                validation_data=validation_data,
                validation_steps=validation_steps,
                initial_epoch=initial_epoch,
                **data,
                **options,
            )

    def _fit(
        self,
        x: Any,
        y: Any,
        *,
        batch_size: int | None,
        epochs: int,
        callbacks: Sequence[Any],
        validation_data: Any,
        validation_steps: int | None,
        validation_split: float,
        shuffle: bool | None,
        initial_epoch: int,
        steps_per_epoch: int | None,
        **options: Any,
    ) -> Any:
        """Trains from the step that the learner stands at."""
        arguments.size("validation_batch_size", options.get("validation_batch_size"))
        if not isinstance(options.get("validation_freq"), (tuple, list)):  # epochs, as in Keras
            arguments.size("validation_freq", options.get("validation_freq"))
        arguments.size("validation_steps", validation_steps)
        gate = self._gate()
        if validation_data is not None:  # before anything is taken from data that can be read once
            steps = {"validation_steps": validation_steps}
            validation_data = self._judged(validation_data, gate=gate, steps=steps, epochs=epochs)
        found = feed.of(
            x if y is None else (x, y),
            gate=gate,
            families=self.pair.families,
            batch_size=batch_size,
            seed=self.seed,
            start=int(self.steps.numpy()),
            steps_per_epoch=steps_per_epoch,
            epochs=epochs - initial_epoch,
            shuffle=shuffle,
            validation_split=validation_split,
            numbered=bool(self.memories),
        )
        self._remember(found.examples)
        self._expect(found.lacking, step=TRAINING)
        if found.held_out is not None and validation_data is None:
            validation_data = found.held_out
            self._expect(self.pair.lacking(validation_data), step=TESTING)
        self._group(found.steps_per_epoch)
        options["shuffle"] = feed.is_shuffled_by_keras(found.data, shuffle=shuffle)
        with gate.told():
            return super().fit(
                found.data,
                batch_size=None if found.endless else batch_size,
                epochs=epochs,
                callbacks=callbacks,
                validation_data=validation_data,
                validation_steps=validation_steps,
                initial_epoch=initial_epoch,
                steps_per_epoch=found.steps_per_epoch,
                **options,
            )

    def _group(self, steps: int | None) -> None:
        """Chooses how many steps a call of the compiled step holds, of so many in an epoch.

        Data without an end do not tell Keras where an epoch ends: its last call would go on.
        """
        if not self.compiled:  # Keras says so
            return
        group = self._asked
        if steps is not None:
            group = next(n for n in range(group, 0, -1) if steps % n == 0)
        if group != self.steps_per_execution:
            self.steps_per_execution = group
            self.train_function = self.test_function = None

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        *,
        batch_size: int | None = None,
        steps: int | None = None,
        **options: Any,
    ) -> Any:
        """Returns the mean costs of held-out data, as `keras.Model.evaluate`; repeatable."""
        refuse(options)
        options |= {"batch_size": batch_size, "steps": steps}
        if "_use_cached_eval_dataset" in options:  # Keras asks from inside of `fit`
            return super().evaluate(x, y, **options)
        gate = self._gate()
        data = x if y is None else (x, y)
        for name in ("batch_size", "steps"):
            options[name] = arguments.size(name, options[name])
        data = self._judged(data, gate=gate, steps={"steps": steps})
        with gate.told():
            return super().evaluate(data, **options)

    def train_on_batch(self, x: Any, y: Any = None, **options: Any) -> Any:
        """Makes one update, as `keras.Model.train_on_batch`."""
        refuse(options)
        self._notice_freezing()
        return super().train_on_batch(self._one_batch(x, y, step=TRAINING), **options)

    def test_on_batch(self, x: Any, y: Any = None, **options: Any) -> Any:
        """Returns the costs of one batch, as `keras.Model.test_on_batch`."""
        refuse(options)
        return super().test_on_batch(self._one_batch(x, y, step=TESTING), **options)

    def _remember(self, examples: Any) -> None:
        """Makes room for what is remembered of so many examples, of a team {member: number}."""
        for member, memory in self.memories.items():
            memory.prepare(examples[member] if isinstance(examples, Mapping) else examples)

    def _check(self, data: Any, *, full: bool = True) -> Any:
        learner = type(self).__name__
        checked = self.pair.check_training(data, may_lack=self.may_lack, full=full, learner=learner)
        self._refuse_codes(checked)
        return checked

    def _refuse_codes(self, values: Any) -> None:
        held = [] if self.takes_codes else [name for name in self.pair.latent if name in values]
        if held:
            raise ValueError(
                f"{type(self).__name__} compares codes that the players draw, but the data hold "
                f"{held}. Leave these out, or use SymmetricEquilibrium."
            )

    def _gate(self) -> Gate:
        return Gate(self.pair, check=self._check, may_lack=self.may_lack)

    def _judged(self, data: Any, *, gate: Gate, **options: Any) -> Any:
        """Returns checked held-out data, and prepares the step for what they lack."""
        data = unwrapped(data)
        if feed.holds_arrays(data):
            checked = self._check(data)
            self._expect(self.pair.lacking(checked), step=TESTING)
            return checked
        self._expect(None, step=TESTING)
        return streams.checked(data, gate=gate, **options)

    def _one_batch(self, x: Any, y: Any, *, step: str) -> Any:
        """Returns one checked batch of arrays, and prepares a step for what it lacks."""
        data = x if y is None else (x, y)
        if not feed.holds_arrays(data):
            received = type(x).__name__ + ("" if y is None else f" and {type(y).__name__}")
            raise ValueError(f"One batch is of arrays; received {received}. Use fit.")
        checked = self._check(data, full=False)
        self._expect(self.pair.lacking(checked), step=step)
        return checked

    def _expect(self, lacking: frozenset[str] | None, *, step: str) -> None:
        """Prepares a step for data in which some examples lack these variables.

        What no example lacks costs the step nothing, so a step is made anew when more is lacking.

        Args:
            lacking: names of variables; None: nobody can tell.
            step: `TRAINING` or `TESTING`.
        """
        names = frozenset(self.may_lack) if lacking is None else lacking
        if not names <= self._lacking[step]:
            self._lacking[step] |= names
            setattr(self, step, None)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One update of all players; returns all metrics so far."""
        batch = self.pair.batch(data, lacking=self._lacking[TRAINING])
        self._refuse_codes(batch)
        moves = [Move.of(move) for move in self.moves()]
        seed = self._seed(seeds.TRAIN, self.steps)
        kept, faults = states(self.parts), 0
        for index in range(max(move.rehearsals for move in moves)):
            rehearsed = [move for move in moves if move.rehearsals > index]
            played = self._play(rehearsed, batch, seeds.fold(seed, seeds.REHEARSAL, index))
            faults += self.guard.faults_of(played, self.optimizer)
            optimizers.apply_if(self.guard.bears(faults), self.optimizer, played)
        played = self._play(moves, batch, seed)
        faults += self.guard.faults_of(played, self.optimizer)
        with tf.control_dependencies([faults]):  # data that are refused on their way are no step
            self.steps.assign_add(1)
        finite = self.guard.count(faults)
        optimizers.apply_if(finite, self.optimizer, played)
        for variable, value in kept:
            variable.assign(tf.where(finite, variable, value))
        return self._meters.update({**played.costs, **played.measures}, played.present, finite)

    def _play(self, moves: Sequence[Move], batch: Any, seed: tf.Tensor) -> Played:
        options = {"players": self.players, "optimizer": self.optimizer, "seed": seed}
        practice = Practice(self.parts, self.players).seed(seed)
        played = play(moves, batch, practice=practice, **options)
        self._meters.check([*played.costs, *played.measures])
        return played

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The costs of one batch of held-out data; returns all metrics so far."""
        batch = self.pair.batch(data, lacking=self._lacking[TESTING])
        seed = self._seed(seeds.TEST, self._test_steps)
        self._test_steps.assign_add(1)
        moves = [Move.of(move) for move in self.moves()]
        costs, present = {}, {}
        options = {"seed": seed, "practice": Practice(self.parts, self.players, training=False)}
        for move, position in zip(moves, opened(moves, batch, **options), strict=True):
            outcome = outcome_of(move, position, players=self.players, **options)
            costs |= {**outcome.costs, **outcome.measures}
            present |= outcome.present
        self._meters.check(costs)
        return self._meters.update(costs, present, True)

    def _seed(self, stream: int, step: Any) -> tf.Tensor:
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        return seeds.fold(seeds.make(self.seed), stream, step, replica)

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """All metrics; none before the learner is compiled."""
        return list(self._meters.metrics.values()) if "_meters" in self.__dict__ else []

    def reset_metrics(self) -> None:
        """Sets all metrics back, as Keras does before an epoch and an evaluation."""
        super().reset_metrics()
        self._test_steps.assign(0)  # so that every evaluation makes the same draws

    def _maybe_symbolic_build(self, iterator: Any = None, data_batch: Any = None) -> None:
        """Does nothing for Keras, which would build on a batch: `compile` has made all state."""

    def _make_function(self, step_function: Any) -> Any:
        """Returns what Keras calls with an iterator over batches."""
        if self.distribute_strategy.num_replicas_in_sync == 1:
            return super()._make_function(step_function)
        replicas.check(self, optimizers.all_weights(self))  # the scope may be that of `fit` alone
        return replicas.function(self, step_function)

    def make_train_function(self, force: bool = False) -> None:
        """Wraps Keras's step, so that a run that cannot go on stops with the name of the fault."""
        if self.train_function is not None and not force:
            return
        super().make_train_function(force=force)
        step: Any = self.train_function

        def guarded(iterator):
            logs = step(iterator)
            self.guard.check()
            return logs

        self.train_function = guarded


def listed(callbacks: Any) -> list[Any]:
    """Returns one callback, several, or those of Keras's `CallbackList`, as a list."""
    found = getattr(callbacks, "callbacks", callbacks)
    if found is None:
        return []
    found = [found] if isinstance(found, keras.callbacks.Callback) else found
    if not isinstance(found, (tuple, list)):
        raise ValueError(f"callbacks are a list of them; received {arguments.told(found)}.")
    found = [arguments.instance("Each of callbacks", c, keras.callbacks.Callback) for c in found]
    kept = any(hasattr(each, "alive") for each in found)
    if not kept and any(isinstance(each, keras.callbacks.BackupAndRestore) for each in found):
        warnings.warn(
            "BackupAndRestore resumes with weights that differ a little from those of an "
            "uninterrupted run; keras_symvae.Backup resumes exactly.",
            stacklevel=3,
        )
    return found


def refuse(options: dict[str, Any]) -> None:
    """Raises ValueError for arguments of Keras that a game has no use for, or Keras none."""
    for name, remedy in REFUSED.items():
        if options.get(name) is not None:
            raise ValueError(f"A learner takes no {name}: {remedy}.")
    for name in options.keys() & {"return_dict", "run_eagerly", "auto_scale_loss"}:
        arguments.flag(name, options[name])
    verbose = options.get("verbose", 0)
    if not isinstance(verbose, (str, int)) or verbose not in ("auto", 0, 1, 2):
        raise ValueError(f"verbose is 'auto', 0, 1 or 2; received {arguments.told(verbose)}.")
