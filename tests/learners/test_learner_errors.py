"""Tests of mistakes in a learner: the one that was made is told, and not another one."""

import keras
import numpy as np
import pytest

from keras_symvae import ELBO, Factor, Learner, Pair, Player, SymmetricEquilibrium, families
from keras_symvae.learners import Outcome
from keras_symvae.learners.step.moves import Move

X = np.zeros((4, 2), "float32")


def pair():
    """Returns a small pair of Gaussians."""
    known = {"x": families.Normal(2), "z": families.Normal(1)}
    return Pair(
        Player(
            [Factor("z"), Factor("x", given="z", network=keras.layers.Dense(4))],
            families=known,
            name="decoder",
        ),
        Player(
            [Factor("z", given="x", network=keras.layers.Dense(2))], families=known, name="encoder"
        ),
    )


class Likelihood(Learner):
    """The decoder ascends log p(x | z) at codes of the encoder."""

    cost_names = ("decoder/x",)
    players_of_the_move = ("decoder",)

    def moves(self):
        return [(self.players_of_the_move, self.utility)]

    def utility(self, batch, seed, training=True):
        completed = self.pair.encoder.complete(batch, seed=seed)
        score = self.pair.decoder.log_prob(completed)["x"]
        return Outcome(score, {name: -score for name in self.cost_names})


def trained(kind, **options):
    learner = kind(pair(), **options)
    learner.compile("sgd", run_eagerly=True)
    learner.fit(X, batch_size=4, verbose=0)
    return learner


def test_a_typo_inside_of_a_property_is_told_as_it_is():
    class Typo(Likelihood):
        @property
        def cost_names(self):
            return [f"decoder/{name}" for name in self.pair.obsreved]

    learner = Typo(pair())
    for ask in (lambda: learner.cost_names, lambda: learner.compile("sgd")):
        with pytest.raises(AttributeError, match="'Pair' object has no attribute 'obsreved'"):
            ask()


def test_a_missing_attribute_of_a_property_of_a_learner_is_told():
    class Forgetful(Likelihood):
        @property
        def cost_names(self):
            return self.named_elsewhere

    with pytest.raises(AttributeError, match="'Forgetful' has no attribute 'named_elsewhere'"):
        Forgetful(pair()).compile("sgd")


def test_an_attribute_may_be_set_after_the_parents_constructor():
    class Late(Likelihood):
        def __init__(self, pair, *, variable, **kwargs):
            super().__init__(pair, **kwargs)
            self.variable = variable

        @property
        def cost_names(self):
            return [f"decoder/{self.variable}"]

    learner = trained(Late, variable="x")
    assert "decoder/x" in learner.metric_names and learner.get_config()["variable"] == "x"
    assert "decoder/x" in learner.guard.names


@pytest.mark.parametrize("players", ["decoder", ("decoder",), ["decoder"]])
def test_one_player_may_be_a_plain_string(players):
    class Plain(Likelihood):
        players_of_the_move = players

    learner = Plain(pair())
    learner.compile("sgd", run_eagerly=True)
    before = [weight.numpy() for weight in learner.pair.decoder.trainable_weights]
    learner.fit(X, batch_size=4, verbose=0)
    after = learner.pair.decoder.trainable_weights
    assert any(np.any(old != new.numpy()) for old, new in zip(before, after, strict=True))
    assert Move(players, learner.utility).players == ("decoder",)
    assert Move.of((players, learner.utility)) == Move(("decoder",), learner.utility)


def test_a_move_of_an_unknown_player_is_refused_by_name():
    class Stranger(Likelihood):
        players_of_the_move = ("decoder", "critic")

    with pytest.raises(
        ValueError, match=r"players \['critic'\]; known are \['decoder', 'encoder'\]"
    ):
        trained(Stranger)


def test_an_undeclared_cost_is_refused_by_name():
    class Undeclared(Likelihood):
        def utility(self, batch, seed, training=True):
            outcome = super().utility(batch, seed, training)
            return outcome.plus(Outcome(0.0, {"decoder/w": outcome.gain}))

    with pytest.raises(
        ValueError, match=r"returned the cost 'decoder/w', which .*cost_names are \['decoder/x'\]"
    ):
        trained(Undeclared)


@pytest.mark.parametrize("name", ["decoder/w", "decoder/x/part"])
def test_an_undeclared_cost_is_refused_in_evaluation_too(name):
    class Undeclared(Likelihood):
        def utility(self, batch, seed, training=True):
            outcome = super().utility(batch, seed, training)
            return outcome.plus(Outcome(0.0, {} if training else {name: outcome.gain}))

    learner = trained(Undeclared)
    with pytest.raises(ValueError, match=rf"returned the cost '{name}'.*\['decoder/x'\]"):
        learner.evaluate(X, verbose=0)


def test_a_part_of_a_declared_cost_is_declared_too():
    """The guard counts it under the cost that it is part of; the metrics have no place for it."""

    class Undeclared(Likelihood):
        def utility(self, batch, seed, training=True):
            outcome = super().utility(batch, seed, training)
            return outcome.plus(Outcome(0.0, {"decoder/x/part": outcome.gain}))

    with pytest.raises(ValueError, match=r"the cost 'decoder/x/part'.*\['decoder/x'\]"):
        trained(Undeclared)


@pytest.mark.parametrize("name", ["classify", "no_such_thing"])
def test_a_question_that_this_pair_does_not_answer_is_an_attribute_error(name):
    learner = SymmetricEquilibrium(pair())
    with pytest.raises(AttributeError, match=f"'SymmetricEquilibrium' has no attribute '{name}'"):
        getattr(learner, name)
    assert not hasattr(learner, name)


def test_a_pairs_own_question_is_answered_and_nothing_else_of_it():
    class Told(Pair):
        """A pair with a question of its own."""

        secret = 5

        def own_endpoints(self):
            return {"tell": self.common_endpoints()["encode"]}

        def tell(self):
            return "told"

    usual = pair()
    learner = SymmetricEquilibrium(Told(usual.decoder, usual.encoder))
    assert learner.tell() == "told"
    with pytest.raises(AttributeError, match="'SymmetricEquilibrium' has no attribute 'secret'"):
        _ = learner.secret


def test_a_learner_that_is_not_compiled_has_no_metrics_and_fit_says_so():
    learner = ELBO(pair())
    assert learner.metrics == []
    for call in (learner.fit, learner.evaluate, learner.train_on_batch, learner.test_on_batch):
        with pytest.raises(ValueError, match=r"must call `compile\(\)` before"):
            call(X)
    with pytest.raises(AttributeError, match="has no attribute '_meters'"):
        _ = learner.metric_names
    learner.compile("sgd")
    assert [metric.name for metric in learner.metrics] == learner.metric_names


def test_a_step_that_is_asked_for_by_hand_is_one_of_the_game():
    """`moves` may return moves or pairs of (players, utility); both are played alike."""

    class Moves(Likelihood):
        def moves(self):
            return [Move(("decoder",), self.utility)]

    keras.utils.set_random_seed(0)
    one = trained(Moves, seed=1)
    keras.utils.set_random_seed(0)
    other = trained(Likelihood, seed=1)
    for weight, expected in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
