"""The benchmark counts a step's operations rightly and prints what others rely on."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_symvae as sv
from benchmarks import flops, graph_size

BATCH, PIXELS, BITS = 8, 16, 3


def dense_model():
    families = {"x": sv.families.Bernoulli(PIXELS), "z": sv.families.Bernoulli(BITS)}
    paint, read = keras.layers.Dense(PIXELS), keras.layers.Dense(BITS)
    decoder = [sv.Factor("z"), sv.Factor("x", given="z", network=paint)]
    encoder = [sv.Factor("z", given="x", network=read)]
    pair = sv.Pair(
        sv.Player(decoder, families=families, name="decoder"),
        sv.Player(encoder, families=families, name="encoder"),
    )
    model = sv.SymmetricEquilibrium(pair)
    model.compile("adam")
    return model


def test_a_dense_game_has_six_products():
    # Each layer: once to draw, once to score, once for the gradient of its kernel. The inputs are
    # constants to the tape, so that there is no product for their gradient.
    batch = {"x": tf.zeros([BATCH, PIXELS])}
    product = 2 * BATCH * PIXELS * BITS
    assert flops.count(dense_model(), batch) == 2 * 3 * product


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_convolution_costs_the_same_in_all_directions(stride, transposed):
    layer = keras.layers.Conv2DTranspose if transposed else keras.layers.Conv2D
    convolution = layer(5, 3, strides=stride, padding="valid")
    images = tf.Variable(tf.zeros([2, 9, 9, 4]))
    convolution.build(images.shape)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            output = tf.reduce_sum(tf.square(convolution(images) + 1.0))
        return tape.gradient(output, [images, convolution.kernel.value])

    large = images.shape if not transposed else convolution.compute_output_shape(images.shape)
    small = images.shape if transposed else convolution.compute_output_shape(images.shape)
    assert large[1] >= small[1]
    once = 2 * 3 * 3 * 4 * 5 * np.prod(small[:3])
    found = [flops.of_operation(op) for op in step.get_concrete_function().graph.get_operations()]
    assert sum(found) == 3 * once


class Nested:
    """A learner whose step negates a number several times, in a function within its step."""

    def __init__(self, times):
        self.times = times

    def compile(self, optimizer):
        self.optimizer = optimizer

    def train_step(self, batch):
        @tf.function
        def inner(x):
            for _ in range(self.times):
                x = -x
            return x

        return inner(batch)

    def fit(self, data, **options):
        tf.function(lambda: self.train_step(tf.constant(data)))()


def test_operations_are_counted_in_inner_functions_too():
    few, many = (graph_size.operations(Nested(times), 1.0) for times in (2, 9))
    assert few > 2 and many - few == 7


@pytest.mark.slow  # a process that traces a step and multiplies large matrices
def test_the_last_line_is_json():
    command = [sys.executable, "-m", "benchmarks.train_step", "--preset=digits_ladder"]
    command += ["--seconds=0.2", "--batch_size=16"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert {"ms_per_step", "samples_per_second", "flops_per_step", "matmul_fraction"} <= set(found)
    assert 0 < found["matmul_fraction"] < 1
    assert found["samples_per_second"] == pytest.approx(16e3 / found["ms_per_step"])
