"""Tests of the posterior experiment: the model's density, and methods where the answer is known."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import scipy.stats

from keras_symvae import Factor, Pair, Player
from keras_symvae.families import Normal
from scripts.experiments.eight_schools import experiment as posteriors
from scripts.experiments.eight_schools import inference
from scripts.experiments.eight_schools.config import (
    AdversarialFit,
    Config,
    GaussianFit,
    Sampling,
)


def test_the_decoder_is_the_model_of_eight_schools():
    z = np.random.default_rng(0).normal(size=(50, 10))
    mu, tau, eta = z[:, :1], z[:, 1:2], z[:, 2:]
    law = scipy.stats.norm
    theta, sigma = mu + tau * eta, np.array(posteriors.ERRORS)
    of_y = law(theta, sigma).logpdf(posteriors.EFFECTS).sum(1)
    of_x = of_y + np.log(sigma).sum()  # dx = dy / sigma
    joint = inference.log_joint(posteriors.decoder(), posteriors.X)(z.astype("float32"))
    np.testing.assert_allclose(joint, of_x + law.logpdf(z).sum(1), rtol=1e-5)
    values = posteriors.quantities(z)
    assert values.shape == (50, len(posteriors.QUANTITIES))
    np.testing.assert_allclose(values[:, 2:], theta)
    flipped = posteriors.quantities(np.concatenate([mu, -tau, -eta], axis=1))
    np.testing.assert_allclose(flipped, values)


def quadrature():
    """Returns log p(x) and the means of mu and abs(tau): y_s ~ N(mu, sigma_s^2 + tau^2)."""
    mu, tau = np.meshgrid(np.linspace(-5, 5, 801), np.linspace(-5, 5, 801))
    sigma, law = np.array(posteriors.ERRORS), scipy.stats.norm
    spread = np.sqrt(sigma**2 + tau[..., None] ** 2)
    log_p = law(mu[..., None], spread).logpdf(posteriors.EFFECTS).sum(-1) + np.log(sigma).sum()
    p = np.exp(log_p + law.logpdf(mu) + law.logpdf(tau)) * (10 / 800) ** 2
    return np.log(p.sum()), (mu * p).sum() / p.sum(), (np.abs(tau) * p).sum() / p.sum()


def test_the_decoder_is_that_of_a_pair_that_can_be_saved(tmp_path):
    shared = posteriors.families()
    encoder = [Factor("z", given="x", network=keras.layers.Dense(20))]
    pair = Pair(posteriors.decoder(), Player(encoder, families=shared, name="encoder"))
    pair.save(tmp_path / "pair.keras")
    again = keras.saving.load_model(tmp_path / "pair.keras")
    np.testing.assert_array_equal(again.generate(3)["x"], pair.generate(3)["x"])


@pytest.fixture
def conjugate():
    """p(z) = N(0, 1), p(x | z) = N(A z + b, 0.5^2), with an example x and its exact posterior."""
    families = {"x": Normal(4, scale=0.5), "z": Normal(3)}
    start = keras.initializers.RandomNormal(stddev=1.0, seed=3)
    network = keras.layers.Dense(4, kernel_initializer=start, bias_initializer=start)
    factors = [Factor("z"), Factor("x", given="z", network=network)]
    player = Player(factors, families=families, name="decoder")
    x = np.array([[1.0, -0.5, 2.0, 0.3]], np.float32)
    kernel, bias = (np.float64(weight) for weight in player.get_weights())
    precision = np.eye(3) + kernel @ kernel.T / 0.25
    mean = np.linalg.solve(precision, kernel @ (x[0] - bias) / 0.25)
    covariance = kernel.T @ kernel + 0.25 * np.eye(4)
    evidence = scipy.stats.multivariate_normal(bias, covariance).logpdf(x[0])
    return player, x, mean, precision, evidence


def test_gaussian_fits_of_a_gaussian_posterior(conjugate):
    player, x, mean, precision, evidence = conjugate
    options = {"noise": 256, "starts": 1, "draws": 200_000, "seed": 1}
    z, elbo = inference.gaussian_fit(player, x, full_rank=True, **options)
    covariance = np.linalg.inv(precision)
    np.testing.assert_allclose(z.mean(0), mean, atol=0.01)
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.01)
    assert elbo == pytest.approx(evidence, abs=0.01)
    z, elbo = inference.gaussian_fit(player, x, full_rank=False, **options)
    np.testing.assert_allclose(z.mean(0), mean, atol=0.01)
    # The nearest factorial Gaussian has the precisions of the posterior, not its variances.
    np.testing.assert_allclose(np.cov(z.T), np.diag(1.0 / np.diag(precision)), atol=0.01)
    gap = 0.5 * (np.log(np.diag(precision)).sum() - np.linalg.slogdet(precision)[1])
    assert elbo == pytest.approx(evidence - gap, abs=0.02)


@pytest.mark.slow
def test_an_adversarial_fit_of_a_gaussian_posterior(conjugate):
    """From the prior, over a network that can be the posterior; only the critic has to find out."""
    player, x, mean, precision, evidence = conjugate
    player.trainable = False
    z, elbo = inference.adversarial_fit(
        player,
        x,
        start=np.random.default_rng(0).normal(size=(20_000, 3)),
        adaptive_contrast=True,
        widths=(),
        critic_widths=(32,),
        critic_steps=3,
        rate=0.03,
        critic_rate=0.01,
        warmup=10,
        steps=600,
        batch_size=256,
        draws=20_000,
        seed=1,
    )
    scale = np.sqrt(np.diag(np.linalg.inv(precision)))
    np.testing.assert_allclose((z.mean(0) - mean) / scale, 0.0, atol=0.25)
    np.testing.assert_allclose(z.std(0) / scale, 1.0, atol=0.25)
    assert elbo == pytest.approx(evidence, abs=0.25)


@pytest.mark.slow
def test_no_u_turn_draws_of_a_gaussian_posterior(conjugate):
    player, x, mean, precision, _ = conjugate
    options = {"chains": 8, "draws": 500, "warmup": 200}
    z, spread = inference.reference(player, x, seed=2, **options)
    assert z.shape == (500, 8, 3) and (spread < 1.05).all()
    scale = np.sqrt(np.diag(np.linalg.inv(precision)))
    np.testing.assert_allclose((z.mean((0, 1)) - mean) / scale, 0.0, atol=0.15)
    np.testing.assert_allclose(z.std((0, 1)) / scale, 1.0, atol=0.15)
    np.testing.assert_array_equal(inference.reference(player, x, seed=2, **options)[0], z)


def test_comparison_counts_in_standard_deviations_of_the_judge():
    rng = np.random.default_rng(0)
    judge, twin = (3.0 + 2.0 * rng.normal(size=(4000, 10)) for _ in range(2))
    same, moved = (posteriors.compared(values, judge, draws=4000) for values in (twin, twin + 2.0))
    assert same["error/mean"] < 0.1 and abs(same["kernel"]) < 0.05
    assert moved["error/mean"] == pytest.approx(1.0, abs=0.1)
    assert moved["error/std"] == pytest.approx(same["error/std"])
    assert moved["kernel"] > 1.0


@pytest.mark.slow
def test_eight_schools_from_methods_to_table(tmp_path):
    gaussian = GaussianFit(full_rank=False, noise=256, starts=1, draws=2000)
    adversarial = AdversarialFit(
        adaptive_contrast=True,
        start=dataclasses.replace(gaussian, full_rank=True),
        steps=60,
        warmup=30,
        batch_size=200,
        draws=2000,
    )
    methods = {
        "nuts": Sampling(chains=4, draws=200, warmup=100),
        "mean-field": gaussian,
        "avb-ac": adversarial,
    }
    small = dataclasses.replace(Config(), methods=methods, num_chains=50, num_steps=50)
    folder = tmp_path / "runs"
    experiment = posteriors.EightSchools(folder, data="none", seeds=[0], config=small)
    table = experiment.make(tmp_path / "out").splitlines()
    assert [line.split(" | ")[0] for line in table[2:]] == [f"| {method}" for method in methods]
    kept = json.loads((tmp_path / "out" / "eight_schools.json").read_text())
    sampled, fitted, adversarial = (kept[f"{method}-seed-0"]["found"] for method in methods)
    evidence, mu, tau = quadrature()
    assert sampled["evidence"] == pytest.approx(evidence, abs=0.3)
    assert sampled["mean/mu"] == pytest.approx(mu, abs=0.1)
    assert sampled["mean/abs(tau)"] == pytest.approx(tau, abs=0.1)
    # A factorial Gaussian knows nothing of how mu and tau depend on each other.
    assert fitted["std/mu"] < 0.9 * sampled["std/mu"]
    assert fitted["kernel"] > sampled["kernel"]
    # It covers one of the two signs of (tau, eta), half of the posterior.
    assert fitted["ELBO"] < evidence - np.log(2.0)
    # It starts as a Gaussian of full rank.
    assert adversarial["kernel"] < fitted["kernel"]
    assert adversarial["std/mu"] > fitted["std/mu"]
    assert (tmp_path / "out" / "eight_schools.png").stat().st_size > 1000
