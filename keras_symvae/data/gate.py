"""A gate: batches that data bring themselves pass it one by one, checked as arrays are."""

import contextlib
import itertools
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from keras_symvae.data import intake
from keras_symvae.data.variables import Variables, unwrapped
from keras_symvae.families import Family


class Schemas(Protocol):
    """What a gate knows of a model: how data are named, and what its variables are."""

    @property
    def schema(self) -> Variables:
        """The variables of the model."""
        ...

    def named(self, data: Any) -> dict[str, Any]:
        """Returns data as {name: value}, of a team {member: {name: value}}, in new dicts."""
        ...

    def schemas(self, named: dict[str, Any]) -> list[tuple[Variables, dict[str, Any]]]:
        """Returns [(variables, {name: value})] of a pair, or of every member of a team."""
        ...


class Gate:
    """Lets batches pass that values of a model's variables may be, and refuses others by name.

    Names, types and shapes are checked before anything is traced, and the values of every batch in
    the pipeline, before a step meets them: by a test in the graph that costs next to nothing, and
    where that is in doubt by the check of arrays, whose words a refusal has.

    Args:
        model: the `Schemas`, a pair or a team.
        check: `check(data, full=False)` returns data as arrays, or raises ValueError.
        may_lack: names of the variables that some examples may lack.
    """

    def __init__(
        self, model: Schemas, *, check: Callable[..., Any], may_lack: Collection[str] = ()
    ) -> None:
        self.model, self.check, self.may_lack = model, check, may_lack
        self._refusal: ValueError | None = None
        self._number, self._forms = next(_NUMBERS), []  # forms of the data that are checked
        _ALIVE[self._number] = self

    @contextlib.contextmanager
    def told(self) -> Iterator[None]:
        """Raises what was refused within a pipeline as it was, not as TensorFlow wraps it."""
        self._refusal = None
        try:
            yield
        except tf.errors.OpError:
            if self._refusal is None:
                raise
            raise self._refusal from None

    def dataset(self, data: tf.data.Dataset) -> tf.data.Dataset:
        """Returns a data set of named batches, each of which is checked.

        Raises:
            ValueError: names, types or shapes are not those of the variables.
        """
        self._check_specs(unwrapped(_without_nones(data.element_spec)))

        def shaped(value: tf.Tensor, family: Family) -> tf.Tensor:
            value.set_shape((None, *family.shape))  # which was checked, where the spec did not say
            return value

        @tf.autograph.experimental.do_not_convert
        def checked(*parts: Any) -> Any:
            batch = unwrapped(parts)
            return self._mapped(self._passed(batch, self._named(batch)), shaped)

        return data.map(checked)

    def minibatch(self, values: Any) -> Any:
        """Returns values of one batch in their own form, checked when the graph runs."""
        return self._passed(values, values)

    def sequence(self, data: keras.utils.PyDataset) -> keras.utils.PyDataset:
        """Returns a `PyDataset` of named batches, each of which is checked."""
        return _Sequence(data, self.arrays)

    def iterable(self, data: Iterable[Any]) -> tf.data.Dataset:
        """Returns a data set of what is iterated over; an iterator loses nothing by it.

        Raises:
            ValueError: there is no batch, or the first one is not what the variables can hold.
        """
        batches = iter(data)
        try:
            first = self.arrays(next(batches))
        except StopIteration:
            raise ValueError(f"The {type(data).__name__} holds no batch.") from None
        once = [first] if batches is data else []

        def rest() -> Iterator[Any]:
            taken = (once.pop() for _ in once[:])
            return itertools.chain(taken, map(self.arrays, data))

        signature = tf.nest.map_structure(
            lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), first
        )
        return tf.data.Dataset.from_generator(rest, output_signature=signature).prefetch(
            tf.data.AUTOTUNE
        )

    def arrays(self, batch: Any) -> Any:
        """Returns a batch as arrays by name in the types of the variables, or refuses it."""
        try:
            checked = self.check(batch, full=False)
        except ValueError as refusal:
            self._refusal = refusal
            raise
        return self._mapped(checked, lambda value, family: value.astype(_numpy(family.dtype)))

    def _check_specs(self, spec: Any) -> None:
        named = self._named(spec)
        for variables, specs in self.model.schemas(named):
            intake.check_specs(variables, specs)
        # What is refused for its names alone is refused of neutral values, too.

        def neutral(spec: tf.TensorSpec, family: Family) -> np.ndarray:
            return family.neutral.numpy().astype(_numpy(spec.dtype))

        self.check(self._mapped(named, neutral), full=False)

    def _mapped(self, data: Any, function: Callable[[Any, Family], Any]) -> Any:
        """Returns named data in which `function` has made something of every value."""
        named = self.model.named(data)
        for variables, values in self.model.schemas(named):
            for name, value in values.items():
                values[name] = function(value, variables.families[name])
        return named

    def _named(self, data: Any) -> Any:
        """Returns tensors or their specs by name, without a target, which `_passed` looks at."""
        return self.model.named(data if self._target(data) is None else data[0])

    def _target(self, data: Any) -> Any:
        return self.model.schema.target(data)

    def _passed(self, data: Any, returned: Any) -> Any:
        """Returns tensors that nobody can have before the data are checked."""
        named = self._named(data)
        tests = [
            intake.plausible(variables, values, may_lack=self.may_lack)
            for variables, values in self.model.schemas(named)
        ]
        target = self._target(data)
        if target is not None:
            known = target.shape[1:].is_fully_defined()
            tests.append(tf.reduce_all(data[0] == target) if known else tf.constant(False))

        self._forms.append(tf.nest.map_structure(lambda _: None, data))
        about = (self._number, len(self._forms) - 1)
        passed = tf.cond(
            tf.reduce_all(tests),
            lambda: tf.constant(True),
            lambda: tf.numpy_function(_refuse, [*about, *tf.nest.flatten(data)], tf.bool),
        )
        with tf.control_dependencies([passed]):
            return tf.nest.map_structure(tf.identity, returned)


_NUMBERS: Iterator[int] = itertools.count()
_ALIVE: weakref.WeakValueDictionary[int, Gate] = weakref.WeakValueDictionary()


# TensorFlow never lets go of a NumPy function: there is one for all gates, and it holds none.
def _refuse(number: np.ndarray, form: np.ndarray, *leaves: np.ndarray) -> bool:
    """Checks the leaves of a batch by the gate of this number; raises what it says."""
    gate = _ALIVE.get(int(number))
    if gate is None:
        raise ValueError("These batches outlived the call that checks them; call it again.")
    gate.arrays(tf.nest.pack_sequence_as(gate._forms[int(form)], leaves))
    return True


class _Sequence(keras.utils.PyDataset):
    """Another `PyDataset`, whose batches go through a function."""

    def __init__(self, data: keras.utils.PyDataset, function: Callable[[Any], Any]) -> None:
        super().__init__(
            workers=data.workers,
            use_multiprocessing=data.use_multiprocessing,
            max_queue_size=data.max_queue_size,
        )
        self.data, self.function = data, function

    def __getitem__(self, index: int) -> Any:
        return self.function(self.data[index])

    @property
    def num_batches(self) -> int | None:
        return self.data.num_batches

    def on_epoch_begin(self) -> None:
        self.data.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.data.on_epoch_end()


def _without_nones(spec: Any) -> Any:
    """Returns the spec of an element, in which None stands for nothing."""
    if isinstance(spec, tf.NoneTensorSpec):
        return None
    if isinstance(spec, (tuple, list)):
        return tuple(map(_without_nones, spec))
    return {n: _without_nones(s) for n, s in spec.items()} if isinstance(spec, Mapping) else spec


def _numpy(dtype: tf.DType) -> Any:
    """Returns NumPy's type, single precision for a half that NumPy does not know."""
    return np.float32 if dtype == tf.bfloat16 else dtype.as_numpy_dtype
