"""Replicas: several devices, each with a part of every batch, that make one step together."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

SUMMING = "_all_reduce_sum_gradients"  # of Keras's optimizers


def count() -> int:
    """Returns how many replicas make a step here; 1 where there is no `tf.distribute.Strategy`."""
    return tf.distribute.get_strategy().num_replicas_in_sync


def summed(gradients: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Returns the sums of gradients over all replicas.

    Those of all players are summed at once: optimizers that did it one by one would meet in
    different orders on different devices, and clip what each device found alone.
    """
    if count() == 1:
        return list(gradients)
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, list(gradients))


@contextlib.contextmanager
def taking_sums(optimizer: Any) -> Iterator[None]:
    """Lets an optimizer of Keras, and those inside, take gradients that were `summed` before."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    every = [inner, *getattr(inner, "optimizers", ())] if count() > 1 else []
    for each in every:
        setattr(each, SUMMING, list)
    try:
        yield
    finally:
        for each in every:
            delattr(each, SUMMING)


def function(learner: Any, step: Callable[[Any], Any]) -> Callable[[Iterator[Any]], dict[str, Any]]:
    """Returns what makes `steps_per_execution` steps of all replicas, in place of Keras's own.

    Keras's loop cannot hold optimizers that merge replicas, and it reduces metrics of several
    workers along an axis that they do not have. Here the metrics are read across all replicas.

    Args:
        learner: the `Learner`.
        step: its `train_step` or `test_step`.

    Returns:
        A function of an iterator over batches, which returns the metrics so far, {name: value}.
    """
    strategy = learner.distribute_strategy

    @tf.autograph.experimental.do_not_convert
    def once(data):
        strategy.run(step, args=(data,))
        return {metric.name: metric.result() for metric in learner.metrics}

    once = once if learner.run_eagerly else tf.function(once, reduce_retracing=True)

    def several(iterator):
        logs = None
        for _, data in zip(range(learner.steps_per_execution), iterator, strict=False):
            logs = once(data)
        if logs is None:
            raise StopIteration
        return logs

    return several


def check(learner: Any, weights: Sequence[tuple[str, Any]], *, jit_compile: Any = False) -> None:
    """Refuses what several replicas cannot train.

    Args:
        learner: the `Learner`.
        weights: [("player/part", weight)] of all its weights.
        jit_compile: of `compile`.

    Raises:
        ValueError: weights lie on one device, or the step shall be compiled by XLA.
    """
    strategy = learner.distribute_strategy
    if strategy.num_replicas_in_sync == 1:
        return
    kind = type(strategy).__name__
    alone = [
        name
        for name, weight in weights
        if not isinstance(weight.value, tf.distribute.DistributedValues)
    ]
    if alone:
        raise ValueError(
            f"The weights of {alone[0]} lie on one device; make pair and learner in the scope of "
            f"the {kind}: `with strategy.scope(): ...`."
        )
    if jit_compile is True:
        raise ValueError(
            f"XLA cannot compile a step of the {kind}; received jit_compile=True. Leave it out."
        )
