"""Questions: arrays in, arrays out, answered by graph functions in batches of bounded size."""

import abc
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data import feed, intake, streams
from keras_symvae.data.variables import Variables, unwrapped

BATCH_SIZE = 1000
OUTPUTS = ("sample", "mean", "mode")


class Endpoint:
    """One question as a graph function (values, **options) -> {name: [B, ...]}.

    Args:
        function: what it computes.
        variables: names of the values that it is asked with.
        integers: names of the options that are int32 scalars.
        batch_size: examples in memory at once, part of what a seed means; None: `BATCH_SIZE`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        variables: Sequence[str] = (),
        integers: Sequence[str] = ("seed",),
        batch_size: int | None = None,
    ) -> None:
        self.variables, self.integers = tuple(variables), tuple(integers)
        self.batch_size = batch_size

        def answer(values, **options):
            return dict(function(values, **options))

        # Nothing in it is for AutoGraph, which would bury what the library says in a traceback.
        self._function = tf.function(answer, reduce_retracing=True, autograph=False)

    @tf.autograph.experimental.do_not_convert  # it takes one function for another's
    def __call__(self, values: Any, **options: Any) -> dict[str, tf.Tensor]:
        return self._function(values, **options)


class Questions(keras.Model, abc.ABC):
    """A Keras model that is asked questions: what a user meets of a pair or a team."""

    @property
    @abc.abstractmethod
    def schema(self) -> Variables:
        """The variables of the model."""

    @functools.cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """{name: Endpoint}, the ones that `export` saves."""
        return self.common_endpoints()

    @abc.abstractmethod
    def common_endpoints(self) -> dict[str, Endpoint]:
        """Returns {name: Endpoint} of what all models of this kind answer, each with a method."""

    def add_questions(self, **endpoints: Endpoint) -> None:
        """Adds what only this architecture answers; each question is a method of the same name.

        An architecture calls it at the end of its constructor.
        """
        self.endpoints.update(endpoints)

    def check(self, data: Any) -> intake.Arrays:
        """Returns data as {name: np.ndarray [N, ...]}, or refuses them, see `intake.checked`."""
        return intake.checked(self.schema, data)

    def predict(
        self,
        x: Any,
        *,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Reconstructs data by the decoder's means, as `reconstruct` does, but for all variables.

        Draws depend on the place of an example in the data, and neither on `batch_size` nor on how
        a data set divides them. There is no progress bar.

        Args:
            x: as in `ask`; or a `tf.data.Dataset`, `PyDataset` or generator of batches. What a
                tuple of these holds beside x, such as labels, is not read, as in Keras.
            batch_size: of arrays, where only some `steps` are taken.
            verbose: ignored.
            steps: number of batches to take; None for all.
            callbacks: none.

        Returns:
            {name: np.ndarray [N, ...]}, of a team {member: {name: [N, ...]}}.

        Raises:
            ValueError: the data cannot be values of the variables, or never end; callbacks.
        """
        del verbose
        if callbacks is not None and (not isinstance(callbacks, list) or callbacks):
            raise ValueError("predict takes no callbacks: it is one question; see `reconstruct`.")
        batch_size = arguments.size("batch_size", batch_size)
        steps = arguments.size("steps", steps)
        x = unwrapped(x)
        if not feed.holds_arrays(x):
            x = streams.read(x, model=self, steps=steps)
        elif steps is not None:
            rows = steps * (batch_size or 32)
            x = tf.nest.map_structure(lambda array: np.asarray(array)[:rows], self.named(x))
        return self._predicted(x)

    def predict_on_batch(self, x: Any) -> Any:
        """Reconstructs arrays, as `predict` does."""
        return self.predict(x)

    @abc.abstractmethod
    def _predicted(self, data: Any) -> Any:
        """Returns what `predict` does of arrays."""

    def ask(
        self,
        question: str,
        data: Any,
        *,
        seed: int = 0,
        n: int | None = None,
        output: str | None = None,
        **options: Any,
    ) -> intake.Arrays:
        """Returns the answer as {name: np.ndarray [n, ...]}, in batches of `Endpoint.batch_size`.

        Args:
            question: name of an endpoint.
            data: {name: [n, ...]}, x [n, ...] or a tuple; None or {} where nothing is given.
            seed: integer.
            n: number of examples, where nothing is given.
            output: how observed variables are shown, one of `OUTPUTS`.
            options: integers of the endpoint.

        Raises:
            ValueError: the data cannot be values of the variables, or n or output do not fit.
        """
        endpoint, seed = self.endpoints[question], seeds.checked(seed)
        values = {}
        nothing = data is None or (isinstance(data, (Mapping, tuple)) and not data)
        if "n" not in endpoint.integers or not nothing:
            if data is None:
                raise ValueError(f"{question} is asked about data; received None.")
            values = self.check(data)
            given = len(next(iter(values.values())))
            if n is not None and arguments.integer("n", n) != given:
                raise ValueError(f"{question} was asked for n={n}, but given {given} examples.")
            n = given
        says = f"{question} needs a positive number of examples n"
        n = arguments.integer("n", n, least=1, says=says)
        if output is not None:
            options["output"] = check_output(output)
        for name in options.keys() & set(endpoint.integers):
            number = arguments.integer(name, options[name])
            options[name] = tf.constant(number)  # or every number would be its own graph
        size, chunks = endpoint.batch_size or BATCH_SIZE, []
        for index, start in enumerate(range(0, n, size)):
            rows = slice(start, start + size)
            part = self.schema.typed({name: array[rows] for name, array in values.items()})
            if "n" in endpoint.integers:
                options["n"] = tf.constant(min(size, n - start))
            # The first batch draws by the seed itself, as the signatures of an export do.
            fork = tf.cast(seed, tf.int32)
            if index > 0:
                fork = seeds.integer(seeds.fold(seeds.make(seed), index))
            answer = endpoint(part, seed=fork, **options)
            chunks.append({name: value.numpy() for name, value in answer.items()})
        return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}


def check_output(output: str) -> str:
    """Returns `output`, or raises ValueError where no answer has it."""
    return arguments.one_of("output", output, OUTPUTS)
