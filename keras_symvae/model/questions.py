"""The endpoints of a pair: the questions it answers, as graph functions and in batches."""

import functools

import numpy as np
import tensorflow as tf

from keras_symvae import seeds
from keras_symvae.data.intake import typed

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

    def __init__(self, function, *, variables=(), integers=("seed",), batch_size=None):
        self.variables, self.integers = tuple(variables), tuple(integers)
        self.batch_size = batch_size
        self._function = tf.function(function, reduce_retracing=True)

    @tf.autograph.experimental.do_not_convert  # it takes one function for another's
    def __call__(self, values, **options):
        return self._function(values, **options)


class Questions:
    """What is asked of a pair or a team: arrays in, arrays out, in batches."""

    @functools.cached_property
    def endpoints(self):
        """{name: Endpoint}, the ones that `export` saves."""
        return self.common_endpoints() | self.own_endpoints()

    def common_endpoints(self):
        """Returns {name: Endpoint} of what all of this kind answer, each with a method."""
        return {}

    def own_endpoints(self):
        """Returns {name: Endpoint} of what only this architecture answers, each with a method."""
        return {}

    def check(self, data):
        """Returns data as {name: np.ndarray}, or refuses them."""
        raise NotImplementedError

    def ask(self, question, data, *, seed=0, **options):
        """Returns the answer as {name: np.ndarray}, see `asked`."""
        values = self.check(data) if data is not None and len(data) else {}
        return asked(self, question, values, seed=seed, **options)


def of(pair):
    """Returns {name: Endpoint} of the questions that every pair answers, with all variables."""

    def generate(values, *, n, seed, output):
        return pair.dream(n, seed=seeds.make(seed), given=values, output=output)

    def encode(values, *, seed):
        return pair.encoded(values, seed=seeds.make(seed))

    def decode(values, *, seed, output):
        return pair.decoded(values, seed=seeds.make(seed), output=output)

    def reconstruct(values, *, seed, output):
        encoded = pair.encoded(values, seed=seeds.fold(seeds.make(seed), 0))
        return pair.decoded(encoded, seed=seeds.fold(seeds.make(seed), 1), output=output)

    def limiting(values, *, n, steps, seed, output):
        root = seeds.make(seed)
        if not set(pair.observed) <= values.keys():
            values = pair.dream(n, seed=seeds.fold(root, 0), given=values)
        # The last alternation stands apart, because only its x is shown as `output` says.
        values = pair.alternated(values, steps=steps - 1, seed=seeds.fold(root, 1))
        encoded = pair.encoded(values, seed=seeds.fold(root, 2))
        return pair.decoded(encoded, seed=seeds.fold(root, 3), output=output)

    data, latents = (*pair.observed, *pair.context), (*pair.latent, *pair.context)
    return {
        "generate": Endpoint(generate, variables=pair.context, integers=("n", "seed")),
        "encode": Endpoint(encode, variables=data),
        "decode": Endpoint(decode, variables=latents),
        "reconstruct": Endpoint(reconstruct, variables=data),
        "limiting": Endpoint(limiting, variables=pair.context, integers=("n", "steps", "seed")),
    }


def check_output(output):
    """Returns `output`, or raises ValueError where no answer has it."""
    if output not in OUTPUTS:
        raise ValueError(f"output is one of {', '.join(OUTPUTS)}; received {output!r}.")
    return output


def asked(pair, question, values, *, seed, n=None, output=None, **options):
    """Returns the answer as {name: np.ndarray [n, ...]}, in batches of `Endpoint.batch_size`.

    Raises:
        ValueError: n or output are none that this question has an answer for.
    """
    endpoint = pair.endpoints[question]
    if values:
        given = len(next(iter(values.values())))
        if n not in (None, given):
            raise ValueError(f"{question} was asked for n={n}, but given {given} examples.")
        n = given
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{question} needs a positive number of examples n; received {n!r}.")
    if output is not None:
        options["output"] = check_output(output)
    for name in options.keys() & set(endpoint.integers):
        options[name] = tf.constant(options[name])  # or every number would be a graph of its own
    size, chunks = endpoint.batch_size or BATCH_SIZE, []
    for index, start in enumerate(range(0, n, size)):
        rows = slice(start, start + size)
        part = typed(pair, {name: array[rows] for name, array in values.items()})
        if "n" in endpoint.integers:
            options["n"] = tf.constant(min(size, n - start))
        # The first batch draws by the seed itself, as the signatures of an export do.
        fork = tf.cast(seed, tf.int32)
        if index > 0:
            fork = seeds.integer(seeds.fold(seeds.make(seed), index))
        answer = endpoint(part, seed=fork, **options)
        chunks.append({name: value.numpy() for name, value in answer.items()})
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
