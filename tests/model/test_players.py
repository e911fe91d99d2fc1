"""Tests of a player: order, what is kept, what is drawn, and where gradients flow."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import Factor, ImplicitFactor, Player, Trunk, families, seeds

Dense = keras.layers.Dense
KNOWN = {"z0": families.Bernoulli(2), "z1": families.Normal(3), "x": families.Bernoulli(4)}
SEED = seeds.make(3)


def chain(**options):
    """Returns the player p(z0) p(z1 | z0) p(x | z1)."""
    factors = [
        Factor("z0", learned=True),
        Factor("z1", given="z0", network=Dense(6)),
        Factor("x", given="z1", network=Dense(4)),
    ]
    return Player(factors, families=KNOWN, **options)


def dag():
    """Returns a player with a trunk, whose last factor reads a variable and an activation."""
    inputs = [keras.Input((3,)), keras.Input((5,))]
    joint = keras.Model(inputs, Dense(2)(keras.layers.Concatenate()(inputs)))
    source = keras.Input((4,))
    trunk = Trunk(
        given="x", network=keras.Model(source, {"a": Dense(5)(source), "b": Dense(6)(source)})
    )
    factors = [Factor("z1", given="b"), Factor("z0", given=("z1", "a"), network=joint)]
    return Player(factors, families=KNOWN, trunk=trunk)


def bits(size, width, seed=0):
    drawn = np.random.default_rng(seed).random((size, width)) < 0.5
    return tf.constant(drawn, tf.float32)


def test_complete_keeps_what_is_given_and_draws_the_rest_as_constants():
    player, given = chain(), {"z1": tf.ones([5, 3])}
    with tf.GradientTape() as tape:
        values = player.complete(given, seed=SEED)
    assert list(values) == ["z1", "z0", "x"]
    np.testing.assert_array_equal(values["z1"], given["z1"])
    for name, value in values.items():
        assert value.shape == (5, *KNOWN[name].shape) and value.dtype == KNOWN[name].dtype
    variables = [v.value for v in player.trainable_variables]
    assert all(g is None for g in tape.gradient([values["z0"], values["x"]], variables))


def test_draws_are_a_function_of_the_seed_and_independent_between_factors():
    player = chain()
    first, again = (player.complete({}, seed=SEED, size=64) for _ in range(2))
    other = player.complete({}, seed=seeds.make(4), size=64)
    for name in KNOWN:
        np.testing.assert_array_equal(first[name], again[name])
        assert np.any(first[name] != other[name])
    # Two roots of one family would be equal if they shared the seed.
    twins = {"u": families.Normal(2), "v": families.Normal(2)}
    values = Player([Factor("u"), Factor("v")], families=twins).complete({}, seed=SEED, size=64)
    assert abs(np.corrcoef(values["u"][:, 0], values["v"][:, 0])[0, 1]) < 0.5


def test_rcomplete_carries_gradients_to_every_weight():
    player = dag()
    with tf.GradientTape() as tape:
        values, naturals = player.rcomplete({"x": bits(5, 4)}, seed=SEED, estimator="zgr")
        total = tf.reduce_sum(values["z0"]) + tf.reduce_sum(values["z1"])
    assert naturals.keys() == {"z0", "z1"}
    gradients = tape.gradient(total, [v.value for v in player.trainable_variables])
    assert all(gradient is not None and np.any(gradient) for gradient in gradients)


def test_log_prob_is_the_sum_over_given_factors_by_hand():
    player = chain()
    values = player.complete({}, seed=SEED, size=6)
    scores = player.log_prob(values)
    assert list(scores) == ["z0", "z1", "x"]
    read = {name: KNOWN[name].features(value) for name, value in values.items()}
    for factor in player.factors:
        raw = factor.network(read[factor.given[0]]) if factor.given else tf.zeros([6, 2])
        family = KNOWN[factor.name]
        expected = family.log_prob(family.natural(raw), values[factor.name])
        np.testing.assert_allclose(scores[factor.name], expected, rtol=1e-5)
    assert list(player.log_prob({"z0": values["z0"]})) == ["z0"]


def test_the_trunk_runs_once_per_walk():
    player = dag()
    calls, inner = [], player.trunk.activations
    player.trunk.activations = lambda reads: calls.append(1) or inner(reads)
    player.complete({"x": bits(5, 4)}, seed=SEED)
    assert len(calls) == 1


def test_tilt_adds_the_natural_parameters_of_the_base():
    base, values = chain(), {"x": bits(5, 4), "z0": bits(5, 2)}
    reads = {name: KNOWN[name].features(value) for name, value in values.items()}
    factors = [
        Factor("z0", given="x", network=Dense(2), tilt=True),
        Factor("z1", given="x", network=Dense(6), tilt=True),
    ]
    tilted = Player(factors, families=KNOWN, name="encoder")
    tilted.bind(base)
    base.factor("z0").raw.assign([2.0, -1.0])
    own = KNOWN["z0"].natural(factors[0].network(reads["x"]))
    expected = own + np.float32([2.0, -1.0])
    np.testing.assert_allclose(tilted.eta("z0", values), expected, rtol=1e-6)
    parts = tilted.eta("z1", values)
    own = KNOWN["z1"].natural(factors[1].network(reads["x"]))
    prior = KNOWN["z1"].natural(base.factor("z1").network(reads["z0"]))
    for part, first, second in zip(parts, own, prior, strict=True):
        np.testing.assert_allclose(part, first + second, rtol=1e-6)
    owned = {id(variable) for variable in tilted.variables}
    assert not owned & {id(variable) for variable in base.variables}


def test_implicit_factors_are_drawn_and_not_scored():
    implicit = ImplicitFactor("z1", network=Dense(3), noise_shape=2)
    player = Player([implicit, Factor("x", given="z1", network=Dense(4))], families=KNOWN)
    values = player.complete({}, seed=SEED, size=5)
    assert values["z1"].shape == (5, 3) and list(player.log_prob(values)) == ["x"]


@pytest.mark.parametrize("make", [chain, dag])
def test_config_round_trip(make):
    player = make()
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(player))
    assert twin.get_config() == player.get_config()
    twin.set_weights(player.get_weights())
    values = player.complete({"x": bits(5, 4)}, seed=SEED)
    for name, value in twin.complete({"x": bits(5, 4)}, seed=SEED).items():
        np.testing.assert_array_equal(value, values[name])


def refused(*factors, trunk=None):
    return lambda: Player(list(factors), families=KNOWN, trunk=trunk, name="decoder")


def plain(name, given, size):
    return Factor(name, given=given, network=Dense(size))


REFUSED = {
    "nothing": (refused(), "decoder has no factors"),
    "order": (
        refused(plain("x", "z1", 4), Factor("z1")),
        r"decoder factor 'x' reads \['z1'\], drawn only after it",
    ),
    "itself": (refused(plain("x", "x", 4)), r"'x' reads \['x'\]"),
    "unknown": (refused(plain("x", "w", 4)), r"'x' reads \['w'\].*known are \['x', 'z0', 'z1'\]"),
    "twice": (refused(Factor("z0"), Factor("z0")), "two factors that draw 'z0'"),
    "no family": (refused(Factor("w")), "'w' has no family"),
    "width": (refused(Factor("z1"), plain("x", "z1", 3)), "'x' emits shape"),
    "trunk reads a drawn variable": (
        refused(Factor("z0"), trunk=Trunk(given="z0", network=Dense(2))),
        r"trunk of decoder reads \['z0'\], which it draws",
    ),
    "trunk without names": (
        refused(Factor("z0"), trunk=Trunk(given="x", network=Dense(2))),
        "returns a dict",
    ),
    "trunk reads the unknown": (
        refused(Factor("z0"), trunk=Trunk(given="w", network=Dense(2))),
        r"reads \['w'\]",
    ),
}


@pytest.mark.parametrize(("make", "match"), REFUSED.values(), ids=REFUSED)
def test_wrong_players_are_refused_by_name(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_absent_values_are_refused_by_name():
    with pytest.raises(ValueError, match=r"reads \['z1'\], which the values lack"):
        chain().log_prob({"x": bits(5, 4)})
    with pytest.raises(ValueError, match=r"'trunk' reads \['x'\], which the values lack"):
        dag().complete({}, seed=SEED, size=5)
    assert chain().needed == () and dag().needed == ("x",)
