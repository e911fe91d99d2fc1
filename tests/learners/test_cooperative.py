"""Tests of cooperative learning: the equilibrium of two models, and what a team is taught."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    Cooperative,
    Factor,
    Pair,
    Player,
    SymmetricEquilibrium,
    Team,
    families,
    seeds,
)
from tests import cases

PI = {"one": np.array([0.7, 0.2, 0.1, 0.0]), "two": np.array([0.0, 0.1, 0.3, 0.6])}
SEED = seeds.make(7)


def categorical(name="x"):
    """A pair whose decoder is one categorical distribution; its latent plays no part."""
    known = {name: families.Categorical((), num_classes=4), "z": families.Bernoulli(1)}
    return Pair(
        Player([Factor("z"), Factor(name, learned=True)], families=known, name="decoder"),
        Player([Factor("z")], families=known, name="encoder"),
    )


def sample_of(probabilities, size=1000):
    """Integers whose frequencies are the probabilities, exactly."""
    return np.repeat(np.arange(4), np.round(size * probabilities).astype(int)).astype("int32")


@pytest.mark.parametrize("own", [0.3, 0.6])
def test_two_models_reach_the_mixture_of_their_data(own):
    """p_1 = (pi_1 + (1 - a) pi_2) / (2 - a), and the same for p_2."""
    team = Team({"one": categorical(), "two": categorical()})
    learner = Cooperative(team, mixing=own)
    steps = 1000
    rate = keras.optimizers.schedules.CosineDecay(0.05, steps)
    learner.compile(keras.optimizers.Adam(rate, beta_1=0.5), steps_per_execution=50)
    data = {member: {"x": sample_of(pi)} for member, pi in PI.items()}
    learner.fit(data, batch_size=1000, steps_per_epoch=steps, verbose=0)
    for member, other in (("one", "two"), ("two", "one")):
        expected = (PI[member] + (1.0 - own) * PI[other]) / (2.0 - own)
        found = tf.nn.softmax(team[member].decoder.factor("x").raw.value)
        np.testing.assert_allclose(found, expected, atol=0.015)


def test_a_team_of_loners_plays_symmetric_games():
    """With mixing 1 every member's utilities are those of its own symmetric game."""
    team, data = cases.team(), cases.conditional_data(8)
    learner = Cooperative(team, mixing=1.0)
    values = team.batch(data, lacking=data)
    for member in team.members:
        alone = SymmetricEquilibrium(team[member])
        mine = {name: tf.constant(data[name]) for name in ("x", "y")}
        expected = alone.decoder_utility(mine, SEED)
        found = learner.decoder_utility(member, values, SEED)
        assert found.costs.keys() == {f"{member}/{name}" for name in expected.costs}
        np.testing.assert_array_equal(found.gain, expected.gain)


@pytest.mark.quick
def test_a_team_of_loners_takes_codes_as_alone():
    """Of every member's K draws one is taken, from its own data and with its own measures."""
    team, data = cases.team(), cases.conditional_data(8)
    options = {"draws": 4, "wake": 0.3}
    learner = Cooperative(team, mixing=1.0, **options)
    values = team.batch(data, lacking=data)
    for member in team.members:
        alone = SymmetricEquilibrium(team[member], **options)
        mine = {name: tf.constant(data[name]) for name in ("x", "y")}
        expected = alone.decoder_utility(mine, SEED)
        found = learner.decoder_utility(member, values, SEED)
        np.testing.assert_array_equal(found.gain, expected.gain)
        assert found.measures.keys() == {f"{member}/{name}" for name in expected.measures}
        taken = learner.encoder_utility(member, values, SEED).costs
        assert any(name.endswith("/wake") for name in taken)


@pytest.mark.usefixtures("eagerly")
def test_lessons_have_codes_taken_too():
    """With lessons of another member, labels missing, all updates are finite."""
    data = cases.conditional_data(32)
    data["y"][20:] = -1
    learner = Cooperative(cases.team(), mixing=0.5, draws=3, nonfinite="raise")
    learner.compile("sgd")
    logs = learner.fit(data, batch_size=16, epochs=2, verbose=0).history
    assert {"painter/ess", "labeller/iw_bound", "painter/encoder/z/wake"} <= logs.keys()
    assert 1.0 <= logs["painter/ess"][-1] <= 3.0


def test_lessons_hold_what_both_members_have():
    """The labeller supplies labels of images that have none, as the painter's data."""
    team, data = cases.team(), cases.conditional_data(6)
    data["y"][2:] = -1
    learner = Cooperative(team, mixing=0.5)
    values = team.batch(data, lacking=data)
    lessons = learner._lessons("painter", learner.mixing["painter"], values, seed=SEED)
    ((share, taught),) = lessons
    assert share == 0.5 and taught.keys() == {"x", "y"}
    np.testing.assert_array_equal(taught["x"], data["x"])
    assert (taught["y"].numpy() >= 0).all()
    ((_, taught),) = learner._lessons("labeller", learner.mixing["labeller"], values, seed=SEED)
    known = taught.known("y").numpy()
    # Known labels are the painter's context.
    np.testing.assert_array_equal(np.where(known, taught["y"], -1), data["y"])
    np.testing.assert_array_equal(taught.known("x"), data["y"] >= 0)


def test_shared_latents_are_taught_and_others_are_dreamt():
    """Where latents have one name, encoders learn them from the other's samples."""
    twins = Team({"one": cases.ladder(), "two": cases.ladder()})
    x = {"x": cases.images(8)}
    values = twins.batch({"one": x, "two": x})
    half, whole = Cooperative(twins, mixing=0.5), Cooperative(twins, mixing=1.0)
    own = whole.encoder_utility("one", values, SEED).gain
    mixed = half.encoder_utility("one", values, SEED).gain
    ((_, taught),) = half._lessons("one", half.mixing["one"], values, seed=seeds.fold(SEED, 1))
    assert taught.keys() == {"x", "z0", "z1"}
    lesson = sum(twins["one"].encoder.log_prob(taught).values())
    np.testing.assert_allclose(mixed, 0.5 * own + 0.5 * np.mean(lesson), rtol=1e-5)
    strangers = Cooperative(cases.team(), mixing=0.0)  # latents z and u: nothing to share
    data = cases.conditional_data(8)
    gain = strangers.encoder_utility("painter", strangers.pair.batch(data), SEED).gain
    assert np.any(gain != 0.0)


REFUSED = {
    "a matrix of another size": ({"mixing": [[1.0]]}, "matrix"),
    "shares without sum 1": ({"mixing": [[0.5, 0.6], [0.0, 1.0]]}, "sum 1"),
    "a negative share": ({"mixing": 1.5}, "mixing is a share, from 0 to 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_impossible_mixtures_are_refused(name):
    options, message = REFUSED[name]
    with pytest.raises(ValueError, match=message):
        Cooperative(cases.team(), **options)


def test_who_is_no_team_is_refused():
    with pytest.raises(ValueError, match="trains a Team of pairs; received Ladder"):
        Cooperative(cases.ladder(), mixing=0.5)
    with pytest.raises(ValueError, match="rename one of them"):
        Team({"one": categorical(), "two": cases.ladder()})


def test_data_of_strangers_are_refused():
    learner = Cooperative(cases.team(), mixing=0.5)
    learner.compile()
    with pytest.raises(ValueError, match=r"The data hold \['label'\]"):
        learner.fit({"x": np.zeros((4, 3), "float32"), "label": np.zeros(4, "int32")})
    with pytest.raises(ValueError, match="'y' is missing in all 4"):
        learner.fit({"x": np.zeros((4, 3), "float32"), "y": np.full(4, -1, "int32")})
