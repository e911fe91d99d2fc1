"""Residual bodies: grids of codes in both orders, files, and choices cell by cell."""

import keras
import numpy as np
import pytest

from keras_symvae import ELBO, SymmetricEquilibrium, families, testing
from zoo import Ladder, SemiSupervised
from zoo.networks import ResidualNet

LEVELS = (families.Bernoulli(6), families.Bernoulli((2, 2, 3)), families.Bernoulli((4, 4, 2)))
X = np.random.default_rng(0).integers(0, 256, (16, 8, 8, 3)).astype("float32") / 255


def ladder(shape=(8, 8, 3), **options):
    options = {"latents": LEVELS, "likelihood": "logistic", "width": 8, **options}
    return Ladder(shape, body="residual", **options)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("order", ["ladder", "reverse"])
def test_pairs_of_three_levels_answer_and_load(order):
    keras.utils.set_random_seed(0)
    testing.run_pair_test(ladder(order=order, skips=order == "ladder"), {"x": X})


@pytest.mark.parametrize("order", ["ladder", "reverse"])
@pytest.mark.parametrize("shape", [(4, 4, 1), (12, 20, 3), (28, 28, 1)])
def test_sides_may_be_any_multiples_of_four(shape, order):
    height, width, _ = shape
    latents = (3, families.Normal((height // 4, width // 4, 2)))
    pair = ladder(shape, latents=latents, order=order)
    assert pair.generate(2)["x"].shape == (2, *shape)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("order", ["ladder", "reverse"])
def test_cells_of_three_levels_are_chosen_by_their_windows(order):
    keras.utils.set_random_seed(0)
    options = {"draws": 3, "remember": 0.5, "near": 0.5, "nonfinite": "raise"}
    pair = ladder(order=order)
    learner = SymmetricEquilibrium(pair, resampling="local", **options)
    assert learner.windows.keys() == {"z1", "z2"}
    learner.compile(keras.optimizers.Adam(1e-2))
    logs = learner.fit(X, batch_size=16, epochs=4, verbose=0).history
    assert logs["decoder/x"][-1] < logs["decoder/x"][0]
    assert 1.0 <= min(logs["ess"]) <= max(logs["ess"]) <= 3.0


@pytest.mark.usefixtures("eagerly")
def test_levels_that_reach_the_pixels_otherwise_are_chosen_as_a_whole():
    """Skips carry z0, a vector, to the pixels, and a label reaches them too."""
    keras.utils.set_random_seed(0)
    semi = SemiSupervised(
        (8, 8, 3), 3, latents=LEVELS, body="residual", likelihood="logistic", width=8
    )
    y = np.arange(16) % 4 - 1
    for pair, data in ((ladder(skips=True), X), (semi, {"x": X, "y": y})):
        learner = SymmetricEquilibrium(pair, draws=2, resampling="local", nonfinite="raise")
        assert "z2" in learner.windows and "z0" not in learner.windows
        learner.compile(keras.optimizers.Adam(1e-2))
        learner.fit(data, batch_size=16, epochs=2, verbose=0)


@pytest.mark.usefixtures("eagerly")
def test_the_elbo_plays_it_too():
    learner = ELBO(ladder(latents=(families.Normal((2, 2, 3)),)), nonfinite="raise")
    learner.compile("adam")
    learner.fit(X, batch_size=16, epochs=2, verbose=0)


def test_a_network_starts_as_one_without_blocks():
    """Its residual branches are silent, however many there are."""
    nets = []
    for depth in (1, 5):
        keras.utils.set_random_seed(0)
        net = ResidualNet((8, 8, 3), grid=(2, 2), filters=(16, 8, 4), depth=depth)
        net.build((None, 2, 2, 4))
        nets.append(net)
    shallow, deep = nets
    for source, target in (
        (shallow.embeddings[0], deep.embeddings[0]),
        (shallow.head, deep.head),
        *zip(shallow.steps, deep.steps, strict=True),
    ):
        target.set_weights(source.get_weights())
    value = np.random.default_rng(1).normal(size=(5, 2, 2, 4)).astype("float32")
    np.testing.assert_allclose(shallow(value), deep(value), atol=1e-5)


def test_maps_keep_the_variance_of_what_they_read():
    keras.utils.set_random_seed(0)
    value = np.random.default_rng(1).normal(size=(50, 8, 8, 16)).astype("float32")
    for filters in ((64,), (64, 64), (64, 32, 16)):
        net = ResidualNet(None, grid=(8, 8), filters=filters)
        assert 0.4 < np.var(net(value)) < 1.6
    up = ResidualNet((32, 32, 100), grid=(8, 8), filters=(64, 32, 16))
    raw = up(value)
    assert 0.01 < np.var(raw) < 0.2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ladder((6, 8, 3)), r"images whose sides 4 divides; received \(6, 8, 3\)"),
        (lambda: ladder(latents=(families.Bernoulli((3, 3, 2)),)), r"the grid of 'z0', \(3, 3\)"),
        (lambda: ladder(depth=0), "depth is a positive integer; received 0"),
        (lambda: ladder(skips=1), "skips is True or False; received 1"),
        (lambda: Ladder((8, 8, 3), body="grid"), "body is one of mlp, conv, residual"),
        (lambda: ResidualNet((9, 9, 1), grid=(4, 4), filters=(2, 2)), r"\(4, 4\) to \(8, 8\)"),
        (lambda: ResidualNet(None, grid=(3, 3), filters=(2, 2)), "cannot be halved"),
        (lambda: ResidualNet(None, grid=(4, 4), filters=(2,)).build((None, 3, 3, 1)), "multiples"),
    ],
)
def test_refusals_say_what_was_received(make, words):
    with pytest.raises(ValueError, match=words):
        make()
