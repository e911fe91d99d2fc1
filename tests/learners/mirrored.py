"""Two replicas against one device that takes their parts of every batch in turn: a program.

python -m tests.learners.mirrored PROGRAM
"""

import functools
import sys

import numpy as np
import pytest
import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], 2 * [tf.config.LogicalDeviceConfiguration()]
)

import keras  # noqa: E402

from keras_symvae import families, learners, seeds  # noqa: E402
from keras_symvae.data.variables import ROWS  # noqa: E402
from keras_symvae.learners.step import optimizers  # noqa: E402
from keras_symvae.learners.step.moves import Move  # noqa: E402
from tests import cases  # noqa: E402

OPTIONS = {
    "symmetric": {},
    "symmetric draws": {"draws": 3, "remember": 0.5},
    "elbo": {},
    "elbo draws": {"draws": 3},
    "cooperative": {"mixing": 0.5},
    "avb": {"adaptive_contrast": True, "critic_steps": 2},
    "as_vae": {"critic_steps": 2},
    "svae": {},
    "wae": {},
    "wae gan": {"penalty": "gan", "critic_steps": 2},
    "fgan": {"gradient_penalty": 1.0},
}
SIZE, STEPS, REPLICAS = 8, 4, 2
STRATEGY = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
TOLERANCE = 2e-6  # sums in another order, through four updates of Adam


def model(name):
    """Returns a pair or a team, and its data."""
    if name == "cooperative":
        return cases.team(), cases.conditional_data(SIZE)
    if name.split()[0] in ("symmetric", "elbo"):
        return cases.ladder(), cases.images(SIZE)
    code = families.Normal(2)
    return cases.ladder(latents=(code,), likelihood="normal", order="reverse"), cases.images(SIZE)


def made(name):
    """Returns a compiled learner, and its data; equal weights at every call."""
    keras.utils.set_random_seed(0)
    pair, data = model(name)
    learner = learners.get(name.split()[0])(pair, seed=3, **OPTIONS[name])
    learner.compile(keras.optimizers.Adam(1e-2, clipnorm=0.5), steps_per_execution=2)
    return learner, data


def in_turn(learner, values):
    """Makes one step of all replicas on one device."""
    share = SIZE // REPLICAS
    parts = [
        learner.pair.batch(
            tf.nest.map_structure(lambda v, r=r: v[r * share : (r + 1) * share], values),
            lacking=frozenset(),
        )
        for r in range(REPLICAS)
    ]
    moves = [Move.of(move) for move in learner.moves()]
    step = [seeds.fold(seeds.make(learner.seed), seeds.TRAIN, learner.steps, r) for r in range(2)]

    def update(moves, *folded):
        every = [
            learner._play(moves, part, seeds.fold(seed, *folded) if folded else seed)
            for part, seed in zip(parts, step, strict=True)
        ]
        columns = [played.gradients for played in every]
        gradients = [sum(each) / REPLICAS for each in zip(*columns, strict=True)]
        played = every[0]._replace(gradients=gradients)
        optimizers.apply_if(tf.constant(True), learner.optimizer, played)

    for index in range(max(move.rehearsals for move in moves)):
        update([move for move in moves if move.rehearsals > index], seeds.REHEARSAL, index)
    update(moves)
    learner.steps.assign_add(1)


def compare(name):
    """Trains on both, and compares weights and the state of the optimizers."""
    with STRATEGY.scope():
        mirrored, data = made(name)
    history = mirrored.fit(
        data, batch_size=SIZE, shuffle=False, verbose=0, steps_per_epoch=STEPS
    ).history
    assert int(mirrored.steps.numpy()) == STEPS, mirrored.steps
    assert all(np.isfinite(values).all() for values in history.values()), history
    alone, data = made(name)
    values = alone._check(data)
    if alone.memories:
        alone._remember(SIZE)
        values = {**values, ROWS: tf.range(SIZE, dtype=tf.int64)}
    step = tf.function(lambda: in_turn(alone, values), autograph=False)
    for _ in range(STEPS):
        step()
    weights = [optimizers.all_weights(each) for each in (mirrored, alone, made(name)[0])]
    moved = 0.0
    for (path, one), (_, other), (_, start) in zip(*weights, strict=True):
        copies = [part.numpy() for part in one.value.values]
        np.testing.assert_array_equal(copies[0], copies[1], err_msg=path)
        np.testing.assert_allclose(copies[0], other.numpy(), atol=TOLERANCE, err_msg=path)
        moved = max(moved, np.abs(other.numpy() - start.numpy()).max())
    assert moved > 1e-3, moved
    for one, other in zip(mirrored.optimizer.variables, alone.optimizer.variables, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=TOLERANCE)
    judged = mirrored.evaluate(data, batch_size=SIZE, verbose=0, return_dict=True)
    assert judged == mirrored.evaluate(data, batch_size=SIZE, verbose=0, return_dict=True)


def refuse():
    """What several devices cannot train is refused before anything is traced."""
    alone, data = made("elbo")
    with STRATEGY.scope():
        for act in (lambda: alone.compile("adam"), lambda: alone.fit(data, verbose=0)):
            with pytest.raises(ValueError, match="lie on one device; make pair and learner in the"):
                act()
        mirrored, data = made("elbo")
        with pytest.raises(ValueError, match="XLA cannot compile a step of the MirroredStrategy"):
            mirrored.compile("adam", jit_compile=True)


def odd_batches():
    """The last batch of an epoch may be smaller, and a call may hold more steps than are left."""
    with STRATEGY.scope():
        learner, data = made("symmetric draws")
    stream = tf.data.Dataset.from_tensor_slices(data).batch(3)  # 3, 3 and 2, in two calls
    learner = learners.get("elbo")(learner.pair)
    with STRATEGY.scope():
        learner.compile("adam", steps_per_execution=2)
    history = learner.fit(stream, validation_data=stream, verbose=0).history
    assert int(learner.steps.numpy()) == 3
    assert np.isfinite(history["val_loss"]).all()


PROGRAMS = {name: functools.partial(compare, name) for name in OPTIONS}
PROGRAMS |= {"refusals": refuse, "odd batches": odd_batches}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]]()
