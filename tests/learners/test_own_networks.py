"""A user's own networks are trained as Keras trains them: dropout, penalties, frozen parts."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import (
    AVB,
    ELBO,
    Backup,
    Critic,
    Factor,
    Pair,
    Player,
    SymmetricEquilibrium,
    Trunk,
    families,
    seeds,
)

X = (np.random.RandomState(0).uniform(size=(48, 12)) < 0.5).astype("float32")
layers, L2 = keras.layers, keras.regularizers.L2
GAMES = {
    "symmetric": SymmetricEquilibrium,
    "resampled": lambda pair, **options: SymmetricEquilibrium(pair, draws=3, **options),
    "elbo": ELBO,
}


def network(units, *extra):
    """A hidden layer, further layers that a test is about, and a linear one."""
    return keras.Sequential([layers.Dense(16, "relu"), *extra, layers.Dense(units)])


def pair(decoder=(), encoder=(), *, code=None, seed=0):
    """p(z) p(x | z) and q(z | x), whose networks have these layers; equal seeds, equal weights."""
    keras.utils.set_random_seed(seed)
    kinds = {"x": families.Bernoulli(12), "z": code or families.Bernoulli(4)}
    size = int(np.prod(kinds["z"].raw_shape))
    painter = Factor("x", given="z", network=network(12, *decoder))
    reader = Factor("z", given="x", network=network(size, *encoder))
    return Pair(
        Player([Factor("z"), painter], families=kinds, name="decoder"),
        Player([reader], families=kinds, name="encoder"),
    )


def trained(learner, *, epochs=2, **options):
    learner.compile(keras.optimizers.Adam(1e-2))
    learner.history_ = learner.fit(X, batch_size=16, epochs=epochs, verbose=0, **options).history
    return learner


def weights(model):
    return np.concatenate([weight.numpy().ravel() for weight in model.trainable_variables])


LAYERS = {
    "dropout": lambda: layers.Dropout(0.5, seed=1),
    "noise": lambda: layers.GaussianNoise(1.0, seed=1),
    "spectral norm": lambda: layers.SpectralNormalization(layers.Dense(16)),
}


@pytest.mark.parametrize(
    ("kind", "player", "game"),
    [
        *(("dropout", "encoder", game) for game in GAMES),
        *(("dropout", "decoder", game) for game in GAMES),
        ("noise", "decoder", "resampled"),
        ("spectral norm", "encoder", "symmetric"),
    ],
)
def test_layers_are_in_training_mode_where_their_player_learns(kind, player, game):
    """A layer that is off, here by a `training` of its own, leaves another pair behind."""

    class Off(layers.Layer):
        def __init__(self, layer):
            super().__init__()
            self.layer = layer

        def call(self, inputs):
            return self.layer(inputs, training=False)

    found = []
    for make in (LAYERS[kind], lambda: Off(LAYERS[kind]())):
        model = pair(**{player: [make()]})
        found.append(weights(trained(GAMES[game](model), epochs=1).pair))
    assert np.abs(found[0] - found[1]).max() > 1e-3


@pytest.mark.parametrize("kind", ["dropout", "noise"])
def test_answers_and_costs_of_held_out_data_are_without_it(kind):
    plain, own = pair(), pair(decoder=[LAYERS[kind]()], encoder=[LAYERS[kind]()])
    assert np.array_equal(weights(plain), weights(own))
    expected, found = (
        {**each.encode(X, seed=1), **each.generate(5, seed=2), **each.reconstruct(X, seed=1)}
        for each in (plain, own)
    )
    for name, value in expected.items():
        np.testing.assert_array_equal(value, found[name])
    costs = []
    for each in (plain, own):
        learner = SymmetricEquilibrium(each, draws=3, seed=3)
        learner.compile("adam")
        costs.append(learner.evaluate(X, verbose=0, return_dict=True))
    assert costs[0] == costs[1]


def test_a_player_that_draws_for_another_is_in_inference_mode():
    """The decoder's dropout, at a rate that silences it, is seen by no dream of the encoder."""
    silent = layers.Dropout(0.999)
    model = pair(decoder=[silent])
    model.decoder.trainable = False
    frozen = weights(trained(SymmetricEquilibrium(model)).pair)
    twin = pair()
    twin.decoder.trainable = False
    np.testing.assert_array_equal(frozen, weights(trained(SymmetricEquilibrium(twin)).pair))


@pytest.mark.parametrize("game", GAMES)
def test_training_with_dropout_goes_on_bit_by_bit(game, tmp_path):
    def learner():
        model = pair(decoder=[layers.Dropout(0.3)], encoder=[layers.Dropout(0.3)])
        return GAMES[game](model, seed=5)

    whole = trained(learner(), epochs=4)
    trained(learner(), epochs=2, callbacks=[Backup(tmp_path)])
    keras.utils.set_random_seed(99)  # global seeds decide nothing
    resumed = trained(learner(), epochs=4, callbacks=[Backup(tmp_path)])
    np.testing.assert_array_equal(weights(whole.pair), weights(resumed.pair))
    other = trained(GAMES[game](learner().pair, seed=6), epochs=4)
    assert np.abs(weights(other.pair) - weights(whole.pair)).max() > 1e-3


def normalised():
    """A pair whose decoder normalises its batches."""
    batch = layers.BatchNormalization(momentum=0.5)
    return batch, pair(decoder=[batch])


def test_batch_statistics_are_those_of_the_passes_in_which_their_player_learns():
    """Of the decoder these are the codes that were taken for data, and no dreams."""
    batch, model = normalised()
    learner = SymmetricEquilibrium(model, seed=4)
    learner.compile(keras.optimizers.SGD(0.0))
    learner.train_on_batch(X[:16])
    seed = learner._seed(0, 0)
    codes = learner._codes["pair"].of(model.batch({"x": X[:16]}), seed=seeds.fold(seed, 0)).taken
    read = model.families["z"].features(codes["z"])
    hidden = model.decoder.factor("x").network.layers[0](read)
    np.testing.assert_allclose(
        batch.moving_mean.numpy(), 0.5 * np.mean(hidden, axis=0), rtol=1e-4, atol=1e-6
    )
    learner.evaluate(X, verbose=0)
    model.generate(50)
    still = batch.moving_mean.numpy()
    model.decoder.trainable = False
    learner.fit(X, batch_size=16, verbose=0)
    np.testing.assert_array_equal(batch.moving_mean.numpy(), still)


def test_a_step_that_is_left_out_leaves_batch_statistics_as_they_were():
    batch, model = normalised()
    learner = trained(SymmetricEquilibrium(model))
    before = batch.moving_mean.numpy()
    model.encoder.factor("z").network.layers[-1].bias.assign(np.full(4, np.nan, "float32"))
    learner.fit(X, batch_size=16, verbose=0)
    np.testing.assert_array_equal(batch.moving_mean.numpy(), before)
    assert int(learner.guard.skipped) == 3


class Added(layers.Layer):
    """The identity, which adds the mean square of what it sees to the loss."""

    def call(self, inputs):
        self.add_loss(tf.reduce_mean(inputs**2))
        return inputs


def test_regularizers_are_costs_of_their_player():
    strong = layers.Dense(16, kernel_regularizer=L2(0.5), bias_regularizer=L2(0.5))
    model = pair(decoder=[strong])
    before = [np.sum(v.numpy() ** 2) for v in (strong.kernel, strong.bias)]
    learner = SymmetricEquilibrium(model)
    learner.compile(keras.optimizers.SGD(0.0))
    logs = learner.fit(X, batch_size=16, verbose=0, validation_data=X).history
    for prefix in ("", "val_"):
        assert logs[f"{prefix}decoder/regularization"][-1] == pytest.approx(0.5 * sum(before))
        parts = [logs[f"{prefix}decoder/{part}"][-1] for part in ("x", "z", "regularization")]
        assert logs[f"{prefix}decoder"][-1] == pytest.approx(sum(parts), rel=1e-5)
        assert f"{prefix}encoder/regularization" not in logs
    assert "decoder/regularization" not in trained(SymmetricEquilibrium(pair())).history_


@pytest.mark.parametrize("game", GAMES)
def test_a_regularizer_shrinks_weights_as_its_gradient_says(game):
    """Two updates by SGD from the same weights differ by rate times the gradient of the penalty."""
    found = []
    for strength in (0.0, 0.25):
        keras.utils.set_random_seed(7)  # a layer takes the seed of its weights when it is made
        strong = layers.Dense(16, kernel_regularizer=L2(strength))
        learner = GAMES[game](pair(encoder=[strong]))
        start = strong.kernel.numpy()
        learner.compile(keras.optimizers.SGD(0.1))
        learner.train_on_batch(X[:16])
        found.append(strong.kernel.numpy())
    np.testing.assert_allclose(found[1] - found[0], -0.1 * 2 * 0.25 * start, atol=1e-6)


@pytest.mark.parametrize(
    "extra", [Added, lambda: layers.ActivityRegularization(l2=0.1)], ids=["add_loss", "activity"]
)
def test_what_layers_add_in_a_pass_is_a_cost(extra):
    learner = trained(SymmetricEquilibrium(pair(encoder=[extra()])))
    assert learner.history_["encoder/regularization"][-1] > 0.01
    plain = trained(SymmetricEquilibrium(pair()))
    assert np.abs(weights(plain.pair) - weights(learner.pair)).max() > 1e-3


def test_trunks_and_critics_count_as_well():
    keras.utils.set_random_seed(0)
    kinds = {"x": families.Bernoulli(12), "z": families.Normal(2)}
    pixels = keras.Input((12,))
    hidden = layers.Dropout(0.5)(layers.Dense(8, kernel_regularizer=L2(0.1))(pixels))
    trunk = Trunk(given="x", network=keras.Model(pixels, {"h": hidden}))
    model = Pair(
        Player(
            [Factor("z"), Factor("x", given="z", network=network(12))],
            families=kinds,
            name="decoder",
        ),
        Player(
            [Factor("z", given="h", network=layers.Dense(4))],
            families=kinds,
            trunk=trunk,
            name="encoder",
        ),
    )
    inputs = [keras.Input((12,)), keras.Input((2,))]
    spectral = layers.SpectralNormalization(layers.Dense(8, "relu"))
    read = layers.Dense(1, kernel_regularizer=L2(0.1))(spectral(layers.concatenate(inputs)))
    critic = Critic(("x", "z"), network=keras.Model(inputs, read))
    learner = AVB(model, critic=critic)
    start = spectral.vector_u.numpy()
    learner.compile("adam")
    logs = learner.fit(X, batch_size=16, verbose=0).history
    assert logs["encoder/regularization"][-1] > 0 and logs["critic/regularization"][-1] > 0
    assert np.abs(spectral.vector_u.numpy() - start).max() > 1e-3


def test_constraints_hold_after_every_step():
    constrained = layers.Dense(16, kernel_constraint=keras.constraints.MaxNorm(0.1))
    trained(SymmetricEquilibrium(pair(decoder=[constrained])), epochs=1)
    norms = np.linalg.norm(constrained.kernel.numpy(), axis=0)
    assert norms.max() <= 0.1 + 1e-6


# Frozen parts


def saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return keras.saving.load_model(tmp_path / "model.keras")


@pytest.mark.parametrize("when", ["before it is made", "after it was trained"])
def test_a_frozen_player_stays_frozen_through_a_file(when, tmp_path):
    model = pair()
    model.encoder.trainable = when != "before it is made"
    learner = trained(SymmetricEquilibrium(model))
    model.encoder.trainable = False
    twin = saved_and_loaded(learner, tmp_path)
    assert not twin.pair.encoder.trainable and twin.pair.decoder.trainable
    before = twin.pair.encoder.get_weights()
    twin.fit(X, batch_size=16, verbose=0)
    for old, new in zip(before, twin.pair.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_single_layers_stay_frozen_and_unfrozen_through_a_file(tmp_path):
    still = layers.Dense(16, trainable=False)
    model = pair(decoder=[still])
    model.encoder.trainable = False
    model.encoder.factor("z").network.trainable = True
    names = [layer.name for layer in model._flatten_layers() if not layer.trainable]
    twin = saved_and_loaded(model, tmp_path)
    found = [layer.name for layer in twin._flatten_layers() if not layer.trainable]
    assert found == names and still.name in names
    assert len(twin.trainable_variables) == len(model.trainable_variables) == 8


def test_a_frozen_player_may_have_an_optimizer_of_its_own():
    model = pair()
    model.encoder.trainable = False
    learner = SymmetricEquilibrium(model)
    learner.compile({"decoder": "adam", "encoder": "adam"})
    before = model.encoder.get_weights()
    learner.fit(X, batch_size=16, verbose=0)
    assert all(np.array_equal(*w) for w in zip(before, model.encoder.get_weights(), strict=True))
    with pytest.raises(ValueError, match=r"keys \['encoder/y'\] fit no weight; known are"):
        learner.compile({"decoder": "adam", "encoder": "adam", "encoder/y": "adam"})


def test_made_while_frozen_and_compiled_after_it_learns():
    model = pair()
    model.encoder.trainable = False
    learner = SymmetricEquilibrium(model)
    model.encoder.trainable = True
    before = model.encoder.get_weights()[0]
    trained(learner)
    assert np.abs(model.encoder.get_weights()[0] - before).max() > 1e-3


def test_freezing_after_compile_counts_and_unfreezing_asks_for_another():
    model = pair()
    learner = trained(SymmetricEquilibrium(model))
    model.encoder.trainable = False
    before = model.encoder.get_weights()[0]
    learner.fit(X, batch_size=16, verbose=0)
    learner.train_on_batch(X[:16])
    np.testing.assert_array_equal(model.encoder.get_weights()[0], before)
    model.encoder.trainable = True
    learner.fit(X, batch_size=16, verbose=0)
    assert np.abs(model.encoder.get_weights()[0] - before).max() > 1e-3
    model.encoder.trainable = False
    learner.compile("adam")
    model.encoder.trainable = True
    for call in (learner.fit, learner.train_on_batch):
        with pytest.raises(ValueError, match=r"Weights of \['encoder/z'\] were unfrozen after"):
            call(X[:16])


# Weights and precision


def test_weights_go_from_learner_to_pair_and_back(tmp_path):
    learner = trained(SymmetricEquilibrium(pair()))
    file = tmp_path / "pair.weights.h5"
    learner.pair.save_weights(file)
    alone = pair(seed=1)
    alone.load_weights(file)
    np.testing.assert_array_equal(weights(alone), weights(learner.pair))
    other = ELBO(pair(seed=2))
    alone.save_weights(file)
    other.pair.load_weights(file)
    np.testing.assert_array_equal(weights(other.pair), weights(learner.pair))


@pytest.mark.filterwarnings("ignore:Layer InputLayer does not have a `quantize`")
def test_quantize_is_of_networks():
    full, small = trained(SymmetricEquilibrium(pair())).pair, pair()
    small.set_weights(full.get_weights())
    for each in (small, SymmetricEquilibrium(small)):
        with pytest.raises(ValueError, match=r"one by one, .*network\.quantize\('int8'\)"):
            each.quantize("int8")
    small.decoder.factor("x").network.quantize("int8")
    assert small.decoder.factor("x").network.layers[0].kernel.dtype == "int8"
    codes = {"z": np.eye(4, dtype="float32")}
    expected, found = (each.decode(codes, output="mean")["x"] for each in (full, small))
    np.testing.assert_allclose(found, expected, atol=0.02)
