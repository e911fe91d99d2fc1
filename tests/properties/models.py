"""Tiny models, which are built once, and what their answers have to be."""

import functools

import numpy as np

from keras_symvae import SymmetricEquilibrium, families
from tests import cases
from tests.gaussians import GaussianPair
from zoo import Segmentation, SemiSupervised, Table


def fresh_ladder():
    """Returns a pair of bits."""
    return cases.ladder()


def fresh_conditional():
    """Returns a pair of real numbers with a label as context."""
    return cases.conditional()


def fresh_semi():
    """Returns a semi-supervised pair."""
    return SemiSupervised((3, 3, 1), num_classes=3, latents=(2, families.Normal(2)), width=3)


def fresh_patches():
    """Returns a semi-supervised pair whose encoder reads patches."""
    return SemiSupervised((3, 3, 1), 3, latents=(2,), body="patches", filters=2, patch=2, width=3)


def fresh_segmentation():
    """Returns a team of a painter and a labeller."""
    return Segmentation((4, 4, 1), num_classes=3, latent=2, filters=(2, 2), width=3)


def fresh_table():
    """Returns a table of a real number, a count and a class."""
    columns = {"a": "real", "n": "count", "c": ["no", "yes"]}
    return Table(columns, latent=families.Normal(2), width=3, depth=1)


def fresh_gaussian():
    """Returns a pair of real numbers, which every game of one pair may train."""
    return GaussianPair().pair


def fresh_team():
    """Returns a team that answers nothing itself."""
    return cases.team()


def fresh_learner():
    """Returns a learner, whose questions are those of its pair."""
    return SymmetricEquilibrium(cases.ladder())


ladder, conditional, semi, patches, segmentation, table, gaussian, team, learner = map(
    functools.cache,
    (
        fresh_ladder,
        fresh_conditional,
        fresh_semi,
        fresh_patches,
        fresh_segmentation,
        fresh_table,
        fresh_gaussian,
        fresh_team,
        fresh_learner,
    ),
)


def weights(model):
    """Returns a function that returns the weights of a model."""
    return lambda: [weight.numpy() for weight in model.weights]


def values_of(model, names=None, *, rows=None):
    """Returns a check of an answer {name: array}: names, shapes, types, ranges."""

    def right(result, given):
        assert names is None or result.keys() == set(names)
        sizes = {len(value) for value in result.values()}
        assert len(sizes) == 1 and min(sizes) > 0
        if isinstance(rows, str) and given.get(rows) is not None:
            assert sizes == {int(given[rows])}
        for name, value in result.items():
            family = model.families[name]
            assert isinstance(value, np.ndarray)
            assert value.dtype == family.dtype.as_numpy_dtype, name
            family.check(name, value)

    return right
