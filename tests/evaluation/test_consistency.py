"""Tests of the consistency measure on pairs whose chain is known."""

import keras
import numpy as np
import pytest

from keras_symvae import Factor, Pair, Player, SymmetricEquilibrium
from keras_symvae.evaluation.consistency import consistency
from keras_symvae.families import Bernoulli
from tests.enumeration import Exact, tiny

STEPS = (0, 1, 3, 30)
NOISE = 1.1  # x is z, flipped with probability sigmoid(-2 NOISE)


def copy_pair(decoder=NOISE, encoder=NOISE):
    """Two bits: p(z) uniform, x a noisy copy of z; the posterior is the same noisy copy."""

    def copy(strength):
        start = keras.initializers.Constant(strength * 2.0)
        return keras.layers.Dense(1, use_bias=False, kernel_initializer=start)

    families = {"x": Bernoulli(1), "z": Bernoulli(1)}
    p = [Factor("z"), Factor("x", given="z", network=copy(decoder / 2.0))]
    q = [Factor("z", given="x", network=copy(encoder / 2.0))]
    return Pair(
        Player(p, families=families, name="decoder"), Player(q, families=families, name="encoder")
    )


def expected(strength, judge=None):
    """Mean cost of a copied bit, drawn with one strength and scored with another."""
    judge = strength if judge is None else judge
    keep = 1 / (1 + np.exp(-strength))
    log_keep, log_flip = -np.log1p(np.exp(-judge)), -np.log1p(np.exp(judge))
    return -(keep * log_keep + (1 - keep) * log_flip)


def test_consistent_pair_stays_what_it_is():
    rows = consistency(copy_pair(), steps=STEPS, n=20_000, seed=1)
    assert [(row["steps"], row["state"]) for row in rows] == [
        (step, state) for step in STEPS for state in ("decoded", "encoded")
    ]
    for row in rows:
        assert abs(row["decoder/x"] - expected(NOISE)) < 0.02
        assert abs(row["encoder/z"] - expected(NOISE)) < 0.02
        assert abs(row["decoder/z"] - np.log(2)) < 1e-6


def test_overconfident_encoder_drifts_at_once():
    rows = consistency(copy_pair(encoder=3.0), steps=STEPS, n=20_000, seed=1)
    for row in rows:
        drawn = NOISE if row["state"] == "decoded" else 3.0
        assert abs(row["decoder/x"] - expected(drawn, NOISE)) < 0.03
        assert abs(row["encoder/z"] - expected(drawn, 3.0)) < 0.03


@pytest.mark.parametrize("order", ["ladder", "reverse"])
def test_costs_follow_the_exact_chain(order):
    exact = Exact(tiny(order))
    joint, q = np.exp(exact.log_p()), np.exp(exact.log_q())
    p = joint / joint.sum(0)  # p(x | z)
    costs = {
        "decoder": -np.float64(exact.log_p()),
        "encoder": -np.float64(exact.log_q()),
    }
    rows = consistency(exact.pair, steps=(0, 1, 4), n=20_000, seed=2)
    state, drift = joint, []
    for step in range(5):
        if step:
            state = p * (state.sum(1)[:, None] * q).sum(0)
        for name, table in (("decoded", state), ("encoded", state.sum(1)[:, None] * q)):
            for row in rows:
                if (row["steps"], row["state"]) == (step, name):
                    for player, cost in costs.items():
                        mean = sum(row[key] for key in row if key.startswith(player))
                        error = np.sqrt((table * cost**2).sum() - (table * cost).sum() ** 2)
                        assert abs(mean - (table * cost).sum()) < 5 * error / np.sqrt(20_000)
                    drift.append((table * costs["decoder"]).sum())
    assert np.ptp(drift) > 0.3  # random players disagree


def test_ends_of_the_chain_are_what_the_symmetric_game_trains():
    pair = tiny("ladder")
    images = np.repeat(Exact(pair).images, 400, axis=0)
    learner = SymmetricEquilibrium(pair)
    learner.compile()
    logs = learner.evaluate(images, batch_size=6400, return_dict=True, verbose=0)
    dreams = consistency(pair, steps=(0,), n=6400)[0]
    data = consistency(pair, steps=(0,), start=images)
    assert [row["state"] for row in data] == ["encoded"]
    for name in learner.cost_names:
        found = (data[0] if name.startswith("decoder") else dreams)[name]
        assert abs(found - logs[name]) < 0.15


def test_distance_sees_the_images_of_one_chain():
    pair, seen = copy_pair(), []

    def distance(images):
        seen.append(images)
        return np.float32(images.mean())

    rows = consistency(pair, steps=(0, 2, 3), start=np.ones((50, 1), np.float32), distance=distance)
    assert [row["distance"] for row in rows[:2]] == [1.0, seen[1].mean()]
    assert all(isinstance(row["distance"], float) for row in rows) and len(seen) == 3
    assert np.isin(seen[1], (0, 1)).all()
    # Continued from the checkpoint: one step from 2 to 3 keeps most bits of step 2.
    assert np.mean(seen[1] == seen[2]) > 0.5
    seen.clear()
    consistency(pair, steps=(0, 2), n=50, distance=distance, output="mean")
    shown = np.unique(np.round(seen[1].astype(float), 5))
    np.testing.assert_allclose(shown, 1 / (1 + np.exp([NOISE, -NOISE])), rtol=1e-4)
    again = [consistency(pair, steps=(0, 2), n=50, seed=4) for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize("steps", [(), (1, 1), (-1, 2), (3, 2)])
def test_refuses_steps_that_do_not_increase(steps):
    with pytest.raises(ValueError, match="increasing"):
        consistency(copy_pair(), steps=steps)
