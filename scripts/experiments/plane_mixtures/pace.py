"""A pace: how long the steps of a learner take, beside those of another one."""

import statistics
import time
from collections.abc import Callable, Mapping

import tensorflow as tf

from keras_symvae import Learner


class Pace:
    """Steps of two learners take turns, so that what else a machine does meets both alike.

    Seconds are those of the processor, over all threads: on a busy machine the clock on the wall
    tells how busy it is.

    Args:
        learner: a compiled `Learner` that others are compared with.
        batch: {name: [B, ...]} of every step.
        group: steps of a turn, in one call.
        rounds: turns of each.
    """

    def __init__(
        self, learner: Learner, batch: Mapping[str, tf.Tensor], *, group: int, rounds: int
    ):
        self.batch, self.group, self.rounds = dict(batch), group, rounds
        self._own = self._turn(learner)

    def of(self, learner: Learner) -> dict[str, float]:
        """Returns how long a step of another learner takes, which is trained on by it.

        Returns:
            {"milliseconds": median over its turns, "relative": median of the ratios of its turns
            to those of the learner that it is compared with}.
        """
        other = self._turn(learner)
        own, others = zip(*[(self._own(), other()) for _ in range(self.rounds)], strict=True)
        return {
            "milliseconds": 1e3 * statistics.median(others),
            "relative": statistics.median(b / a for a, b in zip(own, others, strict=True)),
        }

    def _turn(self, learner: Learner) -> Callable[[], float]:
        """Returns a function that takes a turn and returns its seconds per step."""

        @tf.function(autograph=False)
        def steps() -> tf.Tensor:
            def one(index: tf.Tensor) -> tuple[tf.Tensor]:
                learner.train_step(self.batch)
                return (index + 1,)

            (index,) = tf.while_loop(lambda index: index < self.group, one, (tf.constant(0),))
            return index

        def turn() -> float:
            begun = time.process_time()
            steps().numpy()
            return (time.process_time() - begun) / self.group

        turn()  # traces
        return turn
