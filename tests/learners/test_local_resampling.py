"""Tests of local resampling: the cells of a grid of codes are chosen by what their windows show."""

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
    Trunk,
    families,
    seeds,
)
from keras_symvae.learners.levels import levels_of
from keras_symvae.learners.resampling import Resampling
from keras_symvae.model.footprint import footprint, window
from tests.learners.test_resampling import assert_law, indices, law_of_two

SEED = seeds.make(7)
COPIES = 20_000


def randomised(pair, *, scale=0.8):
    rng = np.random.default_rng(3)
    for variable in pair.trainable_variables:
        variable.assign(scale * rng.normal(size=variable.shape))
    return pair


def grid_pair(*, kernel=2, top=False, cells=(1, 2), channels=1, image=None, encode=None):
    """Bits on a grid below an image of twice its sides; `kernel` 2 leaves windows apart.

    p(z1) p(x | z1), or with `top` p(z0) p(z1 | z0) p(x | z1), and q(z1 | x) [q(z0 | z1)].
    """
    known = {
        "x": image or families.Bernoulli((2 * cells[0], 2 * cells[1], 1)),
        "z1": families.Bernoulli((*cells, channels)),
    }
    painter = keras.layers.Conv2DTranspose(
        known["x"].raw_shape[-1], kernel, strides=2, padding="same"
    )
    reader = keras.layers.Conv2D(channels, 2, strides=2, padding="same")
    decoder = [Factor("z1", learned=True), Factor("x", given="z1", network=painter)]
    encoder = [Factor("z1", given="x", network=reader)]
    if top:
        known["z0"] = families.Bernoulli(2)
        units = int(np.prod(known["z1"].shape))
        up = keras.layers.Dense(units)
        down = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(2)])
        decoder = [Factor("z0"), Factor("z1", given="z0", network=up), decoder[1]]
        encoder += [Factor("z0", given="z1", network=down)]
    return randomised(
        Pair(
            Player(decoder, families=known, name="decoder"),
            Player(encoder, families=known, name="encoder"),
        )
    )


def images(pair, *, copies=COPIES, seed=0):
    rng = np.random.default_rng(seed)
    one = rng.integers(0, 2, (1, *pair.families["x"].shape)).astype("float32")
    return {"x": tf.constant(np.repeat(one, copies, axis=0))}


def test_the_footprint_of_a_cell_is_what_the_network_reaches():
    """A transposed convolution of stride 2 paints 2 x 2 pixels by kernel 2, 4 x 4 by kernel 4."""
    for kernel, reach in ((2, 0), (4, 1)):
        pair = grid_pair(kernel=kernel, cells=(3, 4))
        found = footprint(pair.decoder, "x", cause="z1").reshape(6, 8, 3, 4)
        rows, columns, i, j = np.indices(found.shape)
        near = (2 * i - reach <= rows) & (rows <= 2 * i + 1 + reach)
        near &= (2 * j - reach <= columns) & (columns <= 2 * j + 1 + reach)
        np.testing.assert_array_equal(found, near)


def deep_pair():
    """A decoder that reaches two cells far and half a cell more."""
    known = {"x": families.Normal((16, 16, 1), scale=0.5), "z1": families.Bernoulli((8, 8, 4))}
    layers = keras.layers
    painter = keras.Sequential(
        [
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.Conv2DTranspose(1, 4, 2, padding="same"),
        ]
    )
    reader = layers.Conv2D(4, 2, strides=2)
    return Pair(
        Player(
            [Factor("z1"), Factor("x", given="z1", network=painter)], families=known, name="decoder"
        ),
        Player([Factor("z1", given="x", network=reader)], families=known, name="encoder"),
    )


def test_a_window_reaches_as_far_as_a_cell_makes_most_of_its_changes():
    apart = grid_pair(kernel=2, cells=(3, 4))
    assert window(apart.decoder, "x", cause="z1") == (1, 1)
    keras.utils.set_random_seed(0)
    deep = deep_pair()
    reached = footprint(deep.decoder, "x", cause="z1")
    assert reached[:, 8 * 4 + 4].sum() == 12 * 12
    # It reaches three cells far, and says much of its nearest ones alone.
    assert set(window(deep.decoder, "x", cause="z1")) <= {3, 5}


def test_a_file_keeps_the_windows_that_were_found(tmp_path):
    """Others might be found with the weights that a model is made with before it is loaded."""
    learner = SymmetricEquilibrium(deep_pair(), draws=2)
    assert learner.get_config()["window"] == learner.windows
    learner.compile("sgd")
    learner.save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").windows == learner.windows
    config = {**learner.get_config(), "window": {"z1": [5, 1]}}
    assert SymmetricEquilibrium.from_config(config).windows == {"z1": (5, 1)}


def test_a_team_chooses_locally_where_a_member_can():
    """A file of it keeps the windows of these members, and loads."""
    keras.utils.set_random_seed(0)
    one = deep_pair()
    team = Team({"one": one, "two": dense_pair(families.Bernoulli(3), one.families["x"])})
    learner = Cooperative(team, mixing=1.0, draws=2)
    assert learner.windows.keys() == {"z1"}
    again = Cooperative.from_config(learner.get_config())
    assert again.windows == learner.windows


def test_windows_can_be_given_in_cells():
    pair = grid_pair(kernel=4, cells=(3, 4))
    for given, reach in (((1, 1), (0, 0)), ((3, 1), (1, 0)), ((3, 5), (1, 2))):
        (level,) = levels_of(pair, window=given)
        found = level.windows["x"].reshape(6, 8, 3, 4).astype(bool)
        rows, columns, i, j = np.indices(found.shape)
        near = (abs(rows // 2 - i) <= reach[0]) & (abs(columns // 2 - j) <= reach[1])
        np.testing.assert_array_equal(found, near)


@pytest.mark.quick
def test_where_windows_do_not_overlap_every_cell_is_a_problem_of_its_own():
    """Each cell is taken by its own weight, exactly and independently of the other."""
    pair = grid_pair(kernel=2)
    values = images(pair)
    completion = Resampling(pair, draws=2).of(values, seed=SEED)
    found = completion.taken["z1"].numpy().reshape(COPIES, 2).astype(int)
    laws = []
    for cell in range(2):
        states = np.zeros((2, 1, 2, 1), "float32")
        states[1, 0, cell] = 1.0  # the other cell does not matter
        batch = {"x": values["x"][:2], "z1": tf.constant(states)}
        eta = {name: pair.decoder.eta(name, batch) for name in ("x", "z1")}
        p = {n: pair.families[n].element_log_prob(eta[n], batch[n]).numpy() for n in eta}
        eta = pair.encoder.eta("z1", batch)
        q = pair.families["z1"].element_log_prob(eta, batch["z1"]).numpy()[:, 0, cell, 0]
        own = p["x"][:, :, 2 * cell : 2 * cell + 2].sum((1, 2, 3)) + p["z1"][:, 0, cell, 0]
        laws.append(law_of_two(np.exp(q), own - q))
        assert abs(laws[-1] - np.exp(q)).max() > 0.01
    assert_law(found @ [2, 1], np.outer(*laws).ravel())


def test_the_level_above_is_taken_given_the_cells():
    """z0 has the law of two draws of q(z0 | z1*), weighed by p(z0) p(z1* | z0)."""
    pair = grid_pair(top=True)
    completion = Resampling(pair, draws=2).of(images(pair), seed=SEED)
    codes = indices(completion.taken, ["z1"])
    for code in range(4):
        rows = codes == code
        z1 = completion.taken["z1"].numpy()[rows][:1]
        states = {
            "z0": tf.constant([[0.0, 0], [0, 1], [1, 0], [1, 1]]),
            "z1": tf.constant(np.repeat(z1, 4, axis=0)),
        }
        p = sum(pair.decoder.log_prob(states).values()).numpy()
        q = pair.families["z0"].log_prob(pair.encoder.eta("z0", states), states["z0"]).numpy()
        above = indices({"z0": completion.taken["z0"].numpy()[rows]}, ["z0"])
        assert_law(above, law_of_two(np.exp(q), p - q))


def test_one_cell_whose_window_is_the_picture_is_the_choice_of_the_whole():
    """With a window as large as the picture all cells see the same pixels, but their own codes."""
    pair = grid_pair(kernel=4, cells=(1, 3))
    whole = Resampling(pair, draws=2, resampling="whole").of(images(pair), seed=SEED)
    assert np.asarray(whole.measures["ess"]).max() <= 2.0
    with pytest.raises(ValueError, match="every cell of 'z1' reaches most of it"):
        Resampling(pair, draws=2, resampling="local", window=(1, 5))


def test_local_is_chosen_where_all_latents_that_reach_the_pixels_are_grids():
    grids = Resampling(grid_pair(top=True), draws=2)
    assert [level.name for level in grids.levels] == ["z1", "z0"]
    assert [level.grid for level in grids.levels] == [(1, 2), ()]
    assert not Resampling(grid_pair(), draws=2, resampling="whole").levels
    assert not Resampling(dense_pair(), draws=2).levels


def dense_pair(latent=None, image=None):
    known = {
        "x": image or families.Bernoulli((8, 8, 1)),
        "z": latent or families.Bernoulli((4, 4, 1)),
    }

    def dense(units):
        return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(units)])

    units = {name: int(np.prod(family.raw_shape)) for name, family in known.items()}
    return Pair(
        Player(
            [Factor("z"), Factor("x", given="z", network=dense(units["x"]))],
            families=known,
            name="decoder",
        ),
        Player([Factor("z", given="x", network=dense(units["z"]))], families=known, name="encoder"),
    )


def finer_pair():
    known = {"x": families.Bernoulli((2, 2, 1)), "z1": families.Bernoulli((4, 4, 1))}
    down, up = keras.layers.Conv2D(1, 2, strides=2), keras.layers.Conv2DTranspose(1, 2, strides=2)
    return Pair(
        Player(
            [Factor("z1"), Factor("x", given="z1", network=down)], families=known, name="decoder"
        ),
        Player([Factor("z1", given="x", network=up)], families=known, name="encoder"),
    )


@pytest.mark.parametrize(
    ("pair", "options", "message"),
    [
        (dense_pair, {}, "every cell of 'z' reaches most of it"),
        (lambda: dense_pair(families.Bernoulli(3)), {}, "but 'z' is Bernoulli"),
        (lambda: dense_pair(image=families.Bernoulli(5)), {}, "but 'x' is Bernoulli"),
        (finer_pair, {}, "the grid of 'z1' is finer"),
        (grid_pair, {"window": (2, 1)}, r"odd numbers of cells; received \(2, 1\)"),
        (grid_pair, {"window": 3}, "window is a tuple or list or Mapping; received 3"),
    ],
)
def test_what_cannot_be_chosen_locally_is_refused(pair, options, message):
    with pytest.raises(ValueError, match=message):
        SymmetricEquilibrium(pair(), draws=2, resampling="local", **options)


def test_a_resampling_that_is_none_is_refused():
    with pytest.raises(ValueError, match="received 'cells'"):
        SymmetricEquilibrium(grid_pair(), draws=2, resampling="cells")


GRIDS = {
    "bits": (families.Bernoulli((2, 2, 3)), families.Normal((4, 4, 1), scale=0.5)),
    "real": (families.Normal((2, 2, 3)), families.Bernoulli((4, 4, 1))),
    "labels": (families.Categorical((2, 2), num_classes=3), families.Normal((4, 4, 2))),
    "label map": (families.Bernoulli((2, 2, 3)), families.Categorical((4, 4), num_classes=3)),
}


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("kind", GRIDS)
def test_every_family_on_a_grid_trains_locally(kind):
    latent, image = GRIDS[kind]
    known = {"x": image, "z": latent}
    painter = keras.layers.Conv2DTranspose(image.raw_shape[-1], 2, strides=2)
    reader = keras.layers.Conv2D(latent.raw_shape[-1], 2, strides=2)
    pair = Pair(
        Player(
            [Factor("z"), Factor("x", given="z", network=painter)], families=known, name="decoder"
        ),
        Player([Factor("z", given="x", network=reader)], families=known, name="encoder"),
    )
    learner = SymmetricEquilibrium(pair, draws=3, resampling="local", nonfinite="raise")
    learner.compile(keras.optimizers.SGD(1e-3))
    x = np.asarray(pair.generate(8, seed=0)["x"])
    logs = learner.fit(x, epochs=2, batch_size=8, verbose=0).history
    assert all(1.0 <= number <= 3.0 for number in logs["ess"])


def test_what_is_drawn_before_a_level_is_one_for_all_its_draws():
    """In the ladder order z0 is drawn once, the cells of z1 given it, and z0 anew given z1*."""
    known = {
        "x": families.Bernoulli((2, 4, 1)),
        "z1": families.Bernoulli((1, 2, 1)),
        "z0": families.Bernoulli(1),
    }
    painter = keras.layers.Conv2DTranspose(1, 2, strides=2, padding="same")
    reader = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    inputs = keras.Input((2, 4, 1))
    trunk = Trunk(
        given="x",
        network=keras.Model(
            inputs, {"a0": reader(inputs), "a1": keras.layers.Conv2D(1, 2, strides=2)(inputs)}
        ),
    )
    decoder = [Factor("z0"), Factor("z1", given="z0", network=keras.layers.Dense(2))]
    decoder += [Factor("x", given="z1", network=painter)]
    encoder = [Factor("z0", given="a0"), Factor("z1", given="a1", tilt=True)]
    pair = randomised(
        Pair(
            Player(decoder, families=known, name="decoder"),
            Player(encoder, families=known, trunk=trunk, name="encoder"),
        ),
        scale=1.5,
    )
    values = images(pair)
    found = Resampling(pair, draws=2).of(values, seed=SEED).taken
    states = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float32")

    def scores(z0):
        """p, q of every cell of z1 [2 values, 2 cells] given z0, pixels included."""
        batch = {"x": tf.repeat(values["x"][:1], 2, axis=0)}
        batch |= {
            "z0": tf.fill([2, 1], float(z0)),
            "z1": tf.constant([[[[0.0]] * 2], [[[1.0]] * 2]]),
        }
        p = {n: pair.decoder.eta(n, batch) for n in ("x", "z1")}
        p = {n: pair.families[n].element_log_prob(p[n], batch[n]).numpy() for n in p}
        q = pair.families["z1"].element_log_prob(pair.encoder.eta("z1", batch), batch["z1"])
        pixels = p["x"].reshape(2, 2, 2, 2).sum((1, 3))
        return pixels + p["z1"].reshape(2, 2), np.reshape(q, [2, 2])

    q0 = tf.sigmoid(pair.encoder.eta("z0", {"x": values["x"][:1]})).numpy()[0, 0]
    law = np.zeros(4)
    for z0, share in ((0, 1 - q0), (1, q0)):
        p, q = scores(z0)
        cells = [law_of_two(np.exp(q[:, c]), p[:, c] - q[:, c]) for c in range(2)]
        law += share * np.array([cells[0][int(a)] * cells[1][int(b)] for a, b in states])
    assert_law(indices(found, ["z1"]), law)
