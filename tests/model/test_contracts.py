"""Tests of shape contracts of models: a wrong shape is told where it came in."""

import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from keras_symvae import Critic, seeds
from keras_symvae.learners.adversarial.slope import slope_penalty
from keras_symvae.shapes import ShapeError
from tests import cases
from tests.gaussians import GaussianPair

ROOT = pathlib.Path(__file__).parents[2]
SEED = seeds.make(0)


def bits(*shape):
    return tf.zeros(shape)


def critic():
    made = Critic(("x", "z"), widths=(3,))
    made.bind(GaussianPair().pair.families)
    return made


WRONG = {
    "log_prob": (
        lambda: cases.ladder().decoder.log_prob({"z0": bits(4, 2), "z1": bits(3, 3)}),
        r"Player\.log_prob: values\['z1'\] has shape \[3, 3\], expected \[B, \.\.\.\] with B = 4",
    ),
    "log_prob of another shape": (
        lambda: cases.ladder().decoder.log_prob({"z0": bits(4, 5), "z1": bits(4, 3)}),
        r"Bernoulli\.features: value has shape \[4, 5\], expected .*self\.shape = \(2,\)",
    ),
    "complete": (
        lambda: cases.ladder().encoder.complete({"x": bits(4, 3, 3, 1)}, seed=bits(3)),
        r"Player\.complete: seed has shape \[3\], expected \[2\]",
    ),
    "complete, size": (
        lambda: cases.ladder().decoder.complete({}, seed=SEED, size=tf.constant([4])),
        r"Player\.complete: size has shape \[1\], expected \[\]",
    ),
    "rcomplete": (
        lambda: cases.ladder().encoder.rcomplete({"x": bits(4, 3, 3, 1)}, seed=bits(4, 2)),
        r"Player\.rcomplete: seed has shape \[4, 2\], expected \[2\]",
    ),
    "eta": (
        lambda: cases.ladder().decoder.eta("x", {"z1": bits(4, 3), "z0": bits(2, 2)}),
        r"Player\.eta: values\['z0'\] has shape \[2, 2\], expected \[B, \.\.\.\] with B = 4",
    ),
    "moments": (
        lambda: cases.ladder().decoder.moments("x", {"z1": bits(4, 3)}, seed=bits(1)),
        r"Player\.moments: seed has shape \[1\], expected \[2\]",
    ),
    "dream": (
        lambda: cases.ladder().chain.dream([4, 4], seed=SEED),
        r"Chain\.dream: size has shape \[2\], expected \[\]",
    ),
    "decode": (
        lambda: cases.ladder().chain.decode({"z0": bits(4, 2), "z1": bits(2, 3)}, seed=SEED),
        r"Chain\.decode: values\['z1'\] has shape \[2, 3\], expected \[B, \.\.\.\] with B = 4",
    ),
    "alternate": (
        lambda: cases.ladder().chain.alternate({"x": bits(4, 3, 3, 1)}, steps=[1, 2], seed=SEED),
        r"Chain\.alternate: steps has shape \[2\], expected \[\]",
    ),
    "natural": (
        lambda: cases.ladder().decoder.factor("x").natural({"z1": bits(4, 3)}, tf.zeros([4])),
        r"Factor\.natural: size has shape \[4\], expected \[\]",
    ),
    "score": (
        lambda: critic().score({"x": bits(4, 2), "z": bits(3, 1)}),
        r"Critic\.score: values\['z'\] has shape \[3, 1\], expected \[B, \.\.\.\] with B = 4",
    ),
    "call": (
        lambda: critic().call({"x": bits(4, 2), "z": bits(3, 1)}),
        r"Critic\.call: reads\['z'\] has shape \[3, 1\], expected \[B, \.\.\.\] with B = 4",
    ),
    "slope": (
        lambda: slope_penalty(critic().score, {"x": bits(4, 2)}, {"x": bits(3, 2)}, seed=SEED),
        r"slope_penalty: others\['x'\] has shape \[3, 2\], expected \[B, \.\.\.\] with B = 4",
    ),
}


@pytest.mark.parametrize(("ask", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_shape_names_function_argument_expectation_and_what_came(ask, message):
    with pytest.raises(ShapeError, match=message):
        ask()


COUNTED = """
import tensorflow as tf
from keras_symvae import seeds
from keras_symvae.model.player import Player
from tests import cases

pair = cases.ladder()

@tf.function
def step(x):
    values = pair.chain.encode({"x": x}, seed=seeds.make(0))
    return pair.decoder.log_prob(values)

graph = step.get_concrete_function(tf.TensorSpec([None, 3, 3, 1])).graph
print(hasattr(Player.log_prob, "__wrapped__"), [each.type for each in graph.get_operations()])
"""


@pytest.mark.slow  # two processes that import TensorFlow anew
def test_contracts_are_off_in_use_and_add_no_operation_where_they_are_on():
    told = []
    for switch in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", COUNTED],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "KERAS_SYMVAE_SHAPES": switch},
        )
        told.append(done.stdout.strip().split(" ", maxsplit=1))
    assert [wrapped for wrapped, _ in told] == ["False", "True"]
    assert told[0][1] == told[1][1] and "MatMul" in told[0][1]
