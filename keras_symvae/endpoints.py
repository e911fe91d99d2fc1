"""The endpoints of a pair: the questions it answers, as graph functions and in batches."""

import numpy as np
import tensorflow as tf

from keras_symvae import seeds

BATCH_SIZE = 1000  # examples in memory at once; part of what a seed means
OUTPUTS = ("sample", "mean", "mode")


def functions(pair):
    """Returns {endpoint: tf.function} of values {name: [B, ...]} and an integer seed.

    Each returns all variables {name: [B, ...]}. `n` and `steps` are int32 tensors.
    """

    def generate(values, *, n, seed, output):
        return pair.dream(n, seed=seeds.make(seed), context=values, output=output)

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
            values = pair.dream(n, seed=seeds.fold(root, 0), context=values)
        # The last alternation stands apart, because only its x is shown as `output` says.
        values = pair.alternated(values, steps=steps - 1, seed=seeds.fold(root, 1))
        encoded = pair.encoded(values, seed=seeds.fold(root, 2))
        return pair.decoded(encoded, seed=seeds.fold(root, 3), output=output)

    answers = (generate, encode, decode, reconstruct, limiting)
    return {answer.__name__: tf.function(answer, reduce_retracing=True) for answer in answers}


def check_output(output):
    """Returns `output`, or raises ValueError where no answer has it."""
    if output not in OUTPUTS:
        raise ValueError(f"output is one of {', '.join(OUTPUTS)}; received {output!r}.")
    return output


def ask(pair, question, values, *, seed, n=None, output=None, **options):
    """Returns the answer as {name: np.ndarray [n, ...]}, computed in batches of `BATCH_SIZE`.

    Raises:
        ValueError: n, steps or output are none that this question has an answer for.
    """
    if values:
        given = len(next(iter(values.values())))
        if n not in (None, given):
            raise ValueError(f"{question} was asked for n={n}, but given {given} examples.")
        n = given
    if not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"{question} needs a positive number of examples n; received {n!r}.")
    if output is not None:
        options["output"] = check_output(output)
    if "steps" in options:
        if options["steps"] < 1:
            raise ValueError(f"{question} needs steps >= 1; received {options['steps']!r}.")
        options["steps"] = tf.constant(options["steps"])
    chunks = []
    for index, start in enumerate(range(0, n, BATCH_SIZE)):
        part = pair.values(
            {name: array[start : start + BATCH_SIZE] for name, array in values.items()}
        )
        if question in ("generate", "limiting"):
            options["n"] = tf.constant(min(BATCH_SIZE, n - start))
        # The first batch draws by the seed itself, as the signatures of an export do.
        fork = tf.cast(seed, tf.int32)
        if index > 0:
            fork = seeds.integer(seeds.fold(seeds.make(seed), index))
        answer = pair.endpoints[question](part, seed=fork, **options)
        chunks.append({name: value.numpy() for name, value in answer.items()})
    return {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
