"""Tests of resampled completions: which code is taken, and what both players learn from it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import zoo
from keras_symvae import Factor, Pair, Player, SymmetricEquilibrium, Trunk, families, seeds
from keras_symvae.learners import proposals, utilities
from keras_symvae.learners.completion import choice, effective, picked
from keras_symvae.learners.resampling import Resampling
from keras_symvae.learners.utilities import TERMS
from tests import cases
from tests.data import test_missingness as missingness
from tests.enumeration import Exact, bits, tiny
from tests.learners.test_exactness import DATA, ORDERS, assert_unbiased, images, step_gradients

SEED = seeds.make(11)
COPIES = 4000


def taken(pair, values, *, draws=2, **options):
    """Returns the completion of values {name: [B, ...]} or a `Batch`."""
    return Resampling(pair, draws=draws, **options).of(values, seed=SEED)


def law_of_two(q, log_weights):
    """Returns q_2 [..., Z], the law of the code taken of two draws of q [..., Z]."""
    w = np.exp(log_weights - log_weights.max(-1, keepdims=True))
    return q * (q[..., None, :] * 2 * w[..., None] / (w[..., None] + w[..., None, :])).sum(-1)


def indices(values, names):
    """Returns the place of each example in the order of `enumeration.bits`, int [B]."""
    rows = np.concatenate([np.reshape(values[n], [len(values[n]), -1]) for n in names], axis=1)
    return rows.astype(int) @ (2 ** np.arange(rows.shape[1])[::-1])


def assert_law(found, law):
    """The shares of outcomes `found` [N] lie within 5 standard errors of their law [Z]."""
    shares = np.bincount(found, minlength=len(law)) / len(found)
    error = np.sqrt(law * (1 - law) / len(found))
    assert (np.abs(shares - law) <= 5 * error + 1e-6).all(), np.abs(shares - law).max()


class Taken(Exact):
    """The exact quantities of the game with two draws."""

    def law(self):
        """q_2(z | x) [X, Z], a constant."""
        return tf.constant(law_of_two(np.exp(self.log_q()), (self.log_p() - self.log_q()).numpy()))

    def taken_utility(self, log_density):
        """E_{pi(x)} E_{z*} of a log-density [X, Z]."""
        return tf.reduce_sum(self.data[:, None] * self.law() * log_density)


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_the_taken_code_has_the_law_of_the_formula(order):
    """Of two draws one is taken with probability w_k / (w_1 + w_2), for every image."""
    exact = Taken(tiny(order), DATA)
    laws = exact.law().numpy()
    gap = np.abs(laws - np.exp(exact.log_q())).sum(1) / 2
    assert gap.max() > 0.1  # the law is not that of q
    completion = taken(exact.pair, {"x": tf.constant(np.repeat(exact.images, COPIES, axis=0))})
    found = indices(completion.taken, ("z0", "z1")).reshape(-1, COPIES)
    for image, law in enumerate(laws):
        assert_law(found[image], law)


@pytest.mark.parametrize("order", ORDERS)
def test_with_many_draws_it_is_a_draw_of_the_posterior(order):
    exact = Exact(tiny(order), DATA)
    posterior = np.exp(exact.log_p() - exact.log_evidence()[:, None])
    values = {"x": tf.constant(np.repeat(exact.images[:2], COPIES, axis=0))}
    completion = taken(exact.pair, values, draws=200)
    found = indices(completion.taken, ("z0", "z1")).reshape(-1, COPIES)
    for image in range(2):
        shares = np.bincount(found[image], minlength=32) / COPIES
        gaps = [
            np.abs(law - posterior[image]).sum() for law in (shares, np.exp(exact.log_q())[image])
        ]
        assert gaps[0] < 0.25 * gaps[1]
    bound = completion.measures["iw_bound"].numpy().reshape(-1, COPIES)
    gap = exact.log_evidence()[:2] - bound.mean(1)
    elbo = tf.reduce_sum(tf.exp(exact.log_q()) * (exact.log_p() - exact.log_q()), axis=1)[:2]
    assert (gap < 0.2 * (exact.log_evidence()[:2] - elbo)).numpy().all() and (
        gap > -0.01
    ).numpy().all()


@pytest.mark.quick
@pytest.mark.parametrize("order", ORDERS)
def test_gradients_of_the_game_are_the_enumerated_ones(order):
    """decoder: E log p(x, z*); encoder: (1 - a) E_p log q(z | x) + a E log q(z* | x)."""
    exact = Taken(tiny(order), DATA)
    pair, wake = exact.pair, 0.3

    def encoder():
        dreams = exact.encoder_utility()
        return (1 - wake) * dreams + wake * exact.taken_utility(exact.log_q())

    moves = ((pair.decoder, lambda: exact.taken_utility(exact.log_p())), (pair.encoder, encoder))
    gradients = [pair for player, utility in moves for pair in ascent(player, utility)]
    learner = SymmetricEquilibrium(pair, draws=2, wake=wake)
    assert_unbiased(step_gradients(learner, {"x": images(exact, 40)}, repeats=60), gradients)


@pytest.mark.parametrize("order", ORDERS)
def test_dreams_near_the_data_start_from_codes_that_were_taken(order):
    """The encoder follows E_{pi(x)} E_{z*} E_{p(x'|z*)} log q(z* | x') on its dreams."""
    exact = Taken(tiny(order), DATA)

    def encoder():
        codes = tf.linalg.matvec(exact.law(), exact.data, transpose_a=True)  # of z*, over all data
        paints = tf.exp(exact.log_p() - tf.reduce_logsumexp(exact.log_p(), axis=0))
        return tf.reduce_sum(tf.stop_gradient(codes[None] * paints) * exact.log_q())

    gradients = ascent(exact.pair.encoder, encoder)
    learner = SymmetricEquilibrium(exact.pair, draws=2, wake=0.0, near=1.0)
    assert_unbiased(step_gradients(learner, {"x": images(exact, 40)}, repeats=60), gradients)


def test_some_dreams_may_be_near_the_data_and_others_free():
    pair = tiny("reverse")
    x = np.zeros([COPIES, 2, 2, 1], "float32")
    completion = taken(pair, {"x": tf.constant(x)})
    dreams = []
    for near in (0.0, 0.3, 1.0):
        costs = utilities.sleep(
            pair, completion.batch, seed=SEED, weights=TERMS, taken=completion.taken, near=near
        ).costs["encoder/z1"]
        dreams.append(costs.numpy())
    free, some, close = dreams
    assert ((some == close) | (some == free)).all()
    assert abs(np.mean((some == close) & (some != free)) / np.mean(close != free) - 0.3) < 0.05


def ascent(player, utility):
    with tf.GradientTape() as tape:
        value = utility()
    found = tape.gradient(
        value,
        [variable.value for variable in player.trainable_variables],
        unconnected_gradients=tf.UnconnectedGradients.ZERO,
    )
    return list(zip(player.trainable_variables, found, strict=True))


@pytest.mark.parametrize("example", [(0, 0, 0), (2, 1, 3)])
def test_only_what_is_missing_is_drawn_and_only_what_is_present_is_weighed(example):
    """For every pattern of missing values, the law of what is drawn is that of its own weights."""
    pair = missingness.tiny()
    table = missingness.Table(pair)
    values = missingness.batch(pair, example, missingness.PATTERNS)
    completion = taken(pair, missingness.marked(pair, values))
    for row, known in enumerate(missingness.PATTERNS):
        rows = slice(row * missingness.COPIES, (row + 1) * missingness.COPIES)
        for name in known:
            place = table.states[name][example[missingness.VARIABLES.index(name)]]
            found = completion.taken[name][rows]
            np.testing.assert_array_equal(found, np.broadcast_to(place, found.shape))
        if "x" not in known:
            continue
        drawn = [name for name in ("y", "z0") if name not in known]
        index = tuple(
            slice(None) if name in drawn else place
            for name, place in zip(missingness.VARIABLES, example, strict=True)
        )
        p = sum(score[index] for score in table.p.values()) * np.ones([1])
        q = sum((table.q[name][index] for name in drawn), np.zeros([1]))
        law = law_of_two(np.exp(q).ravel() * np.ones(p.size), (p - q).ravel())
        places = np.zeros(missingness.COPIES, int)
        for name in drawn:
            value = completion.taken[name][rows].numpy()
            place = value if name == "y" else indices({name: value}, [name])
            places = places * len(table.states[name]) + place
        assert_law(places, law)
        mask = completion.present.get("ess", True)
        assert np.all(np.asarray(mask)[rows] == bool(drawn))


def test_below_a_prior_of_samples_the_inner_level_is_resampled_given_z0():
    """z0 keeps the law of q; z1 has that of two draws weighed by p(x, z1 | z0) / q(z1 | z0, x)."""
    exact = Exact(tiny("ladder"), DATA)
    prior = np.random.default_rng(0).integers(0, 2, (50, 2)).astype("float32")
    pair = zoo.Ladder((2, 2, 1), latents=(2, 3), width=5, prior=prior)
    pair.set_weights([*pair.get_weights()[:0], *_aligned(exact.pair, pair)])
    values = {"x": tf.constant(np.repeat(exact.images[5:6], 10 * COPIES, axis=0))}
    completion = taken(pair, values)
    q = {
        n: np.exp(s).reshape(exact.shape)[5] for n, s in pair.encoder.log_prob(exact.values).items()
    }
    p = sum(s.numpy() for s in pair.decoder.log_prob(exact.values).values())
    weights = p.reshape(exact.shape)[5].reshape(4, 8) - np.log(q["z1"].reshape(4, 8))
    law = q["z0"].reshape(4, 8)[:, :1] * law_of_two(q["z1"].reshape(4, 8), weights)
    assert_law(indices(completion.taken, ("z0", "z1")), law.ravel())


def _aligned(source, target):
    """Returns the weights of `target` with those of `source` where the paths are the same."""
    known = {variable.path: variable for variable in source.variables}
    return [known.get(variable.path, variable).numpy() for variable in target.variables]


def test_codes_of_a_prior_of_samples_are_its_own_draws():
    """Without a level below, two draws of the prior are weighed by p(x | z0)."""
    rng = np.random.default_rng(1)
    prior = rng.integers(0, 2, (40, 3)).astype("float32")
    pair = zoo.Ladder((2, 2, 1), latents=(3,), width=5, prior=prior)
    for variable in pair.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    image = np.repeat(rng.integers(0, 2, (1, 2, 2, 1)).astype("float32"), 10 * COPIES, axis=0)
    found = indices(taken(pair, {"x": tf.constant(image)}).taken, ["z0"])
    values = {"z0": tf.constant(bits(3)), "x": tf.constant(image[:8])}
    p = np.bincount(indices({"z0": prior}, ["z0"]), minlength=8) / len(prior)
    assert_law(found, law_of_two(p, pair.decoder.log_prob(values)["x"].numpy()))


@pytest.mark.parametrize("draws", [0, -1, 2.0, True, None])
def test_draws_that_are_no_number_of_draws_are_refused(draws):
    with pytest.raises(ValueError, match="draws is a positive integer"):
        SymmetricEquilibrium(cases.ladder(), draws=draws)


@pytest.mark.parametrize("wake", [-0.1, 1.5, "much", float("nan")])
def test_a_share_that_is_none_is_refused(wake):
    with pytest.raises(ValueError, match="wake is a share"):
        SymmetricEquilibrium(cases.ladder(), draws=2, wake=wake)


@pytest.mark.quick
def test_a_choice_follows_the_weights_and_never_takes_one_that_is_not_finite():
    log_weights = tf.constant([0.0, np.log(3.0), np.nan, np.inf, -np.inf])[:, None]
    chosen = choice(tf.tile(log_weights, [1, 40_000]), seed=SEED).numpy()
    assert set(chosen) == {0, 1}
    assert abs((chosen == 1).mean() - 0.75) < 0.01
    lost = tf.fill([5, 3], np.nan)
    np.testing.assert_array_equal(choice(lost, seed=SEED), 0)  # the first draw
    np.testing.assert_allclose(effective(lost), 1.0)
    np.testing.assert_allclose(effective(tf.fill([5, 1], -800.0)), 5.0, rtol=1e-6)
    np.testing.assert_allclose(effective(log_weights), (1 + 3) ** 2 / (1 + 9), rtol=1e-6)


def test_picked_takes_at_every_place_what_was_chosen_there():
    values = np.arange(3 * 4 * 5 * 2).reshape(3, 4, 5, 2)
    chosen = np.random.default_rng(0).integers(0, 3, (4, 5))
    found = picked(tf.constant(values), tf.constant(chosen, tf.int32))
    rows, columns = np.indices((4, 5))
    np.testing.assert_array_equal(found, values[chosen, rows, columns])


def test_examples_without_a_finite_weight_take_their_first_draw_and_are_counted():
    pair = tiny("reverse")
    images = np.zeros((6, 2, 2, 1), "float32")
    images[:2] = np.inf  # log p(x | z) is not finite
    completion = taken(pair, {"x": tf.constant(images)}, draws=3)
    np.testing.assert_array_equal(completion.measures["degenerate"], [1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(completion.present["iw_bound"], [0, 0, 1, 1, 1, 1])
    assert np.isfinite(completion.measures["iw_bound"]).all()
    assert np.isin(completion.taken["z1"], (0.0, 1.0)).all()


class Counting(keras.layers.Layer):
    """Passes its input on and keeps the sizes of the batches that it met."""

    def __init__(self):
        super().__init__()
        self.sizes = []

    def call(self, inputs):
        if tf.executing_eagerly():
            self.sizes.append(int(inputs.shape[0]))
        return inputs


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("through", ["factor", "trunk"])
def test_the_encoder_reads_every_image_once(through):
    """A step of K draws: the encoder reads the data and the dreams, the decoder K + 2 times B."""
    reads, paints = Counting(), Counting()
    known = {"x": families.Bernoulli(4), "z": families.Bernoulli(3)}
    network = keras.Sequential([reads, keras.layers.Dense(3)])
    if through == "trunk":
        inputs = keras.Input((4,))
        trunk = Trunk(given="x", network=keras.Model(inputs, {"a": network(inputs)}))
        encoder = Player([Factor("z", given="a")], families=known, trunk=trunk, name="encoder")
    else:
        encoder = Player([Factor("z", given="x", network=network)], families=known, name="encoder")
    painter = keras.Sequential([paints, keras.layers.Dense(4)])
    decoder = Player(
        [Factor("z"), Factor("x", given="z", network=painter)], families=known, name="decoder"
    )
    learner = SymmetricEquilibrium(Pair(decoder, encoder), draws=5)
    learner.compile("sgd", run_eagerly=True)
    reads.sizes.clear(), paints.sizes.clear()
    learner.train_on_batch(np.zeros((8, 4), "float32"))
    assert reads.sizes == [8, 8]
    assert sorted(paints.sizes) == [8, 8, 40]


@pytest.mark.parametrize("order", ORDERS)
def test_draws_that_would_be_large_are_decoded_one_by_one(order, monkeypatch):
    """The law is the same; a pass decodes B and not K B images."""
    exact = Taken(tiny(order), DATA)
    monkeypatch.setattr(proposals, "ELEMENTS", 1)
    completion = taken(exact.pair, {"x": tf.constant(np.repeat(exact.images, COPIES, axis=0))})
    found = indices(completion.taken, ("z0", "z1")).reshape(-1, COPIES)
    for image, law in enumerate(exact.law().numpy()):
        assert_law(found[image], law)


LATENTS = [name for name in cases.FAMILIES if name != "categorical_map"]


def latent_pair(latent, image):
    known = {"x": image, "z": latent}

    def network(reads, name):
        units = int(np.prod(known[name].raw_shape))
        return keras.Sequential(
            [
                keras.Input(known[reads].feature_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(units),
            ]
        )

    return Pair(
        Player(
            [Factor("z"), Factor("x", given="z", network=network("z", "x"))],
            families=known,
            name="decoder",
        ),
        Player([Factor("z", given="x", network=network("x", "z"))], families=known, name="encoder"),
    )


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", cases.FAMILIES)
def test_every_family_can_be_the_latent_and_the_image(name):
    """Three updates of every pair are finite, move all weights, and count from 1 to K draws."""
    family = cases.FAMILIES[name]
    for latent, image in ((family, families.Normal(3)), (families.Bernoulli(4), family)):
        pair = latent_pair(latent, image)
        learner = SymmetricEquilibrium(pair, draws=3, nonfinite="raise")
        learner.compile(keras.optimizers.SGD(1e-3))
        x = np.asarray(pair.generate(8, seed=0)["x"])
        before = pair.get_weights()
        logs = learner.fit(x, epochs=3, batch_size=8, verbose=0).history
        assert all(1.0 <= number <= 3.0 for number in logs["ess"])
        assert logs["degenerate"][-1] == 0.0
        moved = [np.any(a != b) for a, b in zip(before, pair.get_weights(), strict=True)]
        assert all(moved)


@pytest.mark.usefixtures("eagerly")
def test_a_frozen_encoder_goes_on_proposing():
    pair = cases.ladder(order="reverse")
    pair.encoder.trainable = False
    learner = SymmetricEquilibrium(pair, draws=3)
    learner.compile({"decoder": "sgd"})
    before = {player: pair.players[player].get_weights() for player in pair.players}
    learner.fit(cases.images(), verbose=0)
    moved = {
        player: any(
            np.any(a != b) for a, b in zip(weights, pair.players[player].get_weights(), strict=True)
        )
        for player, weights in before.items()
    }
    assert moved == {"decoder": True, "encoder": False}


@pytest.mark.usefixtures("eagerly")
def test_context_is_what_all_draws_are_weighed_under():
    learner = SymmetricEquilibrium(cases.conditional(), draws=4)
    learner.compile("sgd")
    logs = learner.fit(cases.conditional_data(), verbose=0).history
    assert 1.0 <= logs["ess"][0] <= 4.0 and np.isfinite(logs["iw_bound"][0])


def test_the_measures_of_held_out_data_are_repeatable_and_named_by_keras():
    learner = SymmetricEquilibrium(cases.ladder(), draws=3)
    learner.compile("sgd")
    history = learner.fit(cases.images(), validation_data=cases.images(), verbose=0).history
    assert {"ess", "iw_bound", "degenerate", "val_ess", "val_iw_bound"} <= history.keys()
    bits = -history["iw_bound"][0] / (9 * np.log(2))
    assert history["iw_bound/bits_per_dim"][0] == pytest.approx(bits, rel=1e-5)
    first, second = (
        learner.evaluate(cases.images(), verbose=0, return_dict=True) for _ in range(2)
    )
    assert first == second and first["iw_bound"] == pytest.approx(history["val_iw_bound"][0])
    plain = SymmetricEquilibrium(cases.ladder())
    plain.compile("sgd")
    assert "ess" not in plain.metric_names


def test_one_draw_that_teaches_nobody_is_the_game_of_the_paper(tmp_path):
    """draws=1 is the default, also of files that were written before it could be chosen."""
    learner = SymmetricEquilibrium(cases.ladder(), draws=5, wake=0.8)
    config = learner.get_config()
    assert (config["draws"], config["wake"], config["resampling"]) == (5, 0.8, None)
    learner.compile("sgd")
    learner.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").get_config() == config
    for name in ("draws", "wake", "resampling", "window"):
        del config[name]
    former = SymmetricEquilibrium.from_config(config)
    assert former.draws == 1 and former.moves()[1].utility(
        {"x": tf.constant(cases.images())}, SEED
    ).costs.keys() == {"encoder/z0", "encoder/z1"}
