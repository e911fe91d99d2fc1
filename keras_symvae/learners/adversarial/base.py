"""An adversarial learner: a game in which critics play beside the pair."""

import abc
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import keras
import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.data.batch import Batch, of_values
from keras_symvae.learners.adversarial.critic import Critic
from keras_symvae.learners.learner import Learner
from keras_symvae.learners.step.cost import Outcome
from keras_symvae.learners.step.moves import Move
from keras_symvae.model.pair import Pair
from keras_symvae.model.requirements import check


class AdversarialLearner(Learner):
    """A learner whose critics are players too, with tapes, costs and optimizers of their own.

    A subclass declares the game in `moves`, with `critic_moves` among them, and what its critics
    ascend in `critic_utility`; of one step's `critic_steps` the last is made at the same point as
    the moves of the pair.

    Args:
        pair: the `Pair`.
        critics: function that returns {name: Critic}, once it is known that the pair can play;
            "critic" where there is one, "critic_..." where there are more.
        critic_steps: updates of the critics per step.
        others: see `Learner`.
    """

    takes_codes = False  # they compare codes that the players draw
    apart = True
    kept: ClassVar = {"critic": lambda learner: learner.critics.get("critic")}
    given_by_subclasses = ("critics",)

    def __init__(
        self,
        pair: Pair,
        *,
        critics: Callable[[], dict[str, Critic]],
        critic_steps: int = 1,
        **kwargs: Any,
    ) -> None:
        self.critic_steps = arguments.integer("critic_steps", critic_steps, least=1)
        check(pair, self.requirements, asker=type(self).__name__)
        self.critics = critics()
        for name, critic in self.critics.items():
            arguments.instance(name, critic, Critic)
            with keras.name_scope(name):
                critic.bind(pair.families)
        super().__init__(pair, **kwargs)

    @abc.abstractmethod
    def critic_utility(self, batch: Batch, seed: tf.Tensor, training: bool = True) -> Outcome:
        """Returns the `Outcome` that all critics ascend."""

    @property
    def critic(self) -> Critic:
        """The one `Critic`, of games that have one."""
        return self.critics["critic"]

    def critic_moves(self) -> Sequence[Move]:
        """Returns the move of the critics, if there are any."""
        if not self.critics:
            return []
        return [Move(tuple(self.critics), self.critic_utility, rehearsals=self.critic_steps - 1)]


def contrasted(for_true: tf.Tensor, for_false: tf.Tensor) -> tf.Tensor:
    """Returns the logistic loss [B], nats, of logits of two classes [B]."""
    return tf.nn.softplus(-for_true) + tf.nn.softplus(for_false)


def drawn_prior(pair: Pair, batch: Batch, *, seed: tf.Tensor) -> Batch:
    """Returns codes of the prior {name: [B, ...]}, constants, one for each example of the batch.

    Where the pair has context, the codes are those of the context in the batch.
    """
    batch = of_values(batch)
    context = batch.where({name: batch.known(name) for name in pair.context})
    return pair.chain.codes(batch.size, seed=seed, given=context)
