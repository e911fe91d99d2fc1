"""Tests of the experiment of mixtures: its shapes, its counts, and a small version of all of it."""

import dataclasses
import json
import math

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import make_moons

from keras_symvae import seeds
from scripts.experiments.plane_mixtures import experiment as plane_mixtures
from scripts.experiments.plane_mixtures.config import Config
from scripts.experiments.plane_mixtures.experiment import PlaneMixtures
from scripts.experiments.plane_mixtures.pace import Pace
from scripts.experiments.plane_mixtures.recipes import Method
from scripts.experiments.plane_mixtures.shapes import SAMPLERS, SHAPES, Shape

RING, GRID, MOONS = (SHAPES[name] for name in ("ring", "grid", "moons"))
DATA = {name: draw(20_000, seeds.make(0))["x"].numpy() for name, draw in SAMPLERS.items()}
NEAR = 1.0 - math.exp(-4.5)  # of a Gaussian: its squared distance is exponential with mean 2


@pytest.mark.parametrize(("name", "number"), [("ring", 8), ("grid", 25)])
def test_modes_are_gaussians_of_equal_weight(name, number):
    shape, data = SHAPES[name], DATA[name]
    mode, distance = shape.nearest(data)
    assert shape.number == len(shape.points) == number
    np.testing.assert_allclose(np.bincount(mode) / len(data), 1.0 / number, atol=0.01)
    for index, centre in enumerate(shape.points):
        own = data[mode == index]
        np.testing.assert_allclose(own.mean(0), centre, atol=0.02)
        np.testing.assert_allclose(np.cov(own.T), 0.01 * np.eye(2), atol=2e-3)
    assert np.mean(distance < 3.0) == pytest.approx(NEAR, abs=0.003)


def test_modes_lie_on_a_ring_and_on_a_grid():
    np.testing.assert_allclose(np.linalg.norm(RING.points, axis=1), 2.0, rtol=1e-6)
    apart = np.linalg.norm(GRID.points[:, None] - GRID.points, axis=2) + 9.0 * np.eye(25)
    np.testing.assert_allclose(apart.min(axis=1), 1.0)


def test_moons_are_those_of_scikit_learn_at_twice_their_size():
    points, _ = make_moons(1600, noise=None, shuffle=False)
    piece, distance = MOONS.nearest(2.0 * (points - (0.5, 0.25)))
    assert distance.max() * 0.1 < math.pi / 1000  # half of the distance between our points
    np.testing.assert_array_equal(np.bincount(piece), 100)
    theirs, _ = make_moons(20_000, noise=0.05, random_state=0)
    theirs = 2.0 * (theirs - (0.5, 0.25))
    np.testing.assert_allclose(DATA["moons"].mean(0), theirs.mean(0), atol=0.05)
    np.testing.assert_allclose(np.cov(DATA["moons"].T), np.cov(theirs.T), atol=0.05)
    levels = np.linspace(0.05, 0.95, 10)
    quantiles = [np.quantile(MOONS.nearest(x)[1], levels) for x in (DATA["moons"], theirs)]
    np.testing.assert_allclose(*quantiles, atol=0.05)


@pytest.mark.parametrize("name", SHAPES)
def test_all_shapes_spread_alike(name):
    assert math.sqrt(DATA[name].var(axis=0).mean()) == pytest.approx(math.sqrt(2.0), abs=0.02)


@pytest.mark.parametrize("name", SHAPES)
def test_the_density_is_that_of_the_draws(name):
    shape, axis = SHAPES[name], np.arange(-4.0, 4.0, 0.05)
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    mass = np.exp(shape.log_prob(x)) * 0.05**2
    assert mass.sum() == pytest.approx(1.0, abs=1e-5)
    where, data = x[:, 0] + x[:, 1] > 0.3, DATA[name]
    assert mass[where].sum() == pytest.approx(np.mean(data.sum(axis=1) > 0.3), abs=0.02)
    entropy = -np.sum(mass * shape.log_prob(x))
    assert -np.mean(shape.log_prob(data)) == pytest.approx(entropy, abs=0.02)


def test_modes_count_from_a_quarter_of_their_share():
    data, mode = DATA["ring"], RING.nearest(DATA["ring"])[0]
    all_of_it = RING.coverage(data)
    assert all_of_it["covered"] == 8.0
    assert all_of_it["near"] == pytest.approx(NEAR, abs=0.003)
    assert all_of_it["uneven"] < 0.02
    half = RING.coverage(data[mode < 4])
    assert half["covered"] == 4.0
    assert half["uneven"] == pytest.approx(0.5, abs=0.02)
    for kept, modes in ((0.2, 7.0), (0.35, 8.0)):  # of one mode
        rare = (mode == 3) & (np.random.default_rng(0).random(len(data)) > kept)
        assert RING.coverage(data[~rare])["covered"] == modes
    circle = np.random.default_rng(0).uniform(-math.pi, math.pi, 20_000)
    found = RING.coverage(2.0 * np.stack([np.cos(circle), np.sin(circle)], axis=1))
    # On the ring itself an arc of .3 to either side of each mode is near, of pi / 4 * 2 in all.
    assert found["covered"] == 8.0
    assert found["near"] == pytest.approx(8 * 0.6 / (4 * math.pi), abs=0.02)
    away = RING.coverage(1.5 * data)
    assert away["covered"] == 0.0 and away["near"] < 1e-3


def test_one_moon_alone_is_half_of_the_pieces():
    data = DATA["moons"]
    assert MOONS.coverage(data)["covered"] == 16.0
    assert MOONS.coverage(data)["uneven"] < 0.03
    found = MOONS.coverage(data[MOONS.nearest(data)[0] < 8])
    assert found["covered"] == 8.0
    assert found["near"] > 0.99 and found["uneven"] == pytest.approx(0.5, abs=0.01)


def test_points_far_from_a_shape_are_as_uneven_as_can_be():
    shape = Shape(np.zeros([2, 2], "float32"), np.arange(2), "modes")
    far = np.full([10, 2], 9.0)
    assert shape.coverage(far) == {"covered": 0.0, "near": 0.0, "uneven": 1.0}


class Worker:
    """Stands for a learner whose step multiplies matrices so many times."""

    def __init__(self, times):
        self.times, self.taken, self.kept = times, tf.Variable(0), tf.Variable(0.0)

    def train_step(self, batch):
        x = batch["x"]
        for _ in range(self.times):
            x = tf.tanh(x @ x + self.kept)
        self.taken.assign_add(1)
        self.kept.assign(x[0, 0] + 0.1 * self.kept)  # otherwise nothing would need the products
        return {"loss": self.kept.value()}


def test_a_pace_tells_a_long_step_from_a_short_one():
    one, many = Worker(1), Worker(40)
    batch = {"x": tf.random.normal([128, 128])}
    found = Pace(one, batch, group=5, rounds=7).of(many)  # pyright: ignore[reportArgumentType]
    assert found["relative"] > 3.0 and found["milliseconds"] > 0.0
    assert one.taken.numpy() == many.taken.numpy() == 5 * (1 + 7)  # the first turn traces


def test_shapes_are_known_by_name():
    with pytest.raises(ValueError, match=r"'star'.*ring, grid, moons"):
        PlaneMixtures("nowhere", data="ring,star", seeds=[0]).all_settings()


def test_some_methods_are_trained_with_the_first_seeds_alone():
    methods = {"elbo": Method("elbo"), "fgan": Method("fgan")}
    others = {"moons": 1, "grid": 2}
    config = Config(methods=methods, thorough=("elbo",), others=others)
    found = PlaneMixtures("nowhere", data="moons,grid", seeds=[3, 4], config=config).all_settings()
    assert list(found) == [
        *("moons-elbo-seed-3", "moons-fgan-seed-3", "grid-elbo-seed-3", "grid-fgan-seed-3"),
        *("pace-elbo-seed-3", "pace-fgan-seed-3"),
        *("moons-elbo-seed-4", "grid-elbo-seed-4", "grid-fgan-seed-4"),
    ]
    assert found["grid-elbo-seed-4"]["shape"] == "grid"


@pytest.mark.slow
def test_a_small_version_from_settings_to_table(tmp_path):
    small = {"steps": 200, "batch_size": 64, "width": 32, "rate": 5e-3}
    methods = {
        "symmetric-4": Method("symmetric", **small, options={"draws": 4}),
        "as_vae": Method("as_vae", **small, critic_width=16, options={"reconstruction": 1.0}),
    }
    sizes = {"samples": 500, "rounds": 2, "others": {"ring": 1}}
    config = dataclasses.replace(Config(), methods=methods, thorough=("symmetric-4",), **sizes)
    experiment = PlaneMixtures(tmp_path / "runs", data="ring,moons", seeds=[0], config=config)
    table = experiment.make(tmp_path / "out")
    ring, moons, pace = table.split("\n\n")
    assert ring.splitlines()[3].startswith("| as_vae | ")
    assert moons.splitlines()[0].startswith("| moons | pieces of 16 | ")
    assert moons.splitlines()[-1].startswith("| the data themselves | 16.0 | ")
    assert pace.splitlines()[2].startswith("| symmetric-4 | ")
    kept = json.loads((tmp_path / "out" / "plane_mixtures.json").read_text())
    for result in kept.values():
        found = result["found"]
        assert np.isfinite([*found.values()]).all()
        if result["settings"]["shape"] == "pace":
            continue
        assert found["reconstruction"] < 1.0  # that of their mean: a little over 2
        assert found["log-likelihood"] < found["data/log-likelihood"]
    assert (tmp_path / "out" / "plane_mixtures.png").stat().st_size > 1000


def test_the_likelihood_of_a_gaussian():
    settings = dataclasses.asdict(Method("elbo", scale=0.5))
    pair = plane_mixtures.pair_of(settings)
    for weight in pair.decoder.weights:
        weight.assign(0.0 * weight)  # x ~ N(0, 1/4), whatever z is
    x = np.random.default_rng(0).normal(size=(50, 2)).astype("float32")
    exact = np.mean(-2.0 * np.sum(x**2, axis=1)) - np.log(2.0 * np.pi * 0.25)
    found = plane_mixtures.log_likelihood(pair, x)
    np.testing.assert_allclose(found, exact, atol=1e-3)
