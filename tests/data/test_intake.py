"""Tests of the intake: what a graph finds plausible, the check of arrays finds right."""

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import families
from keras_symvae.data import intake
from keras_symvae.data.variables import Variables

FAMILIES = {
    "bernoulli": families.Bernoulli(2),
    "normal": families.Normal(2),
    "poisson": families.Poisson(2),
    "gamma": families.Gamma(2),
    "beta": families.Beta(2),
    "von_mises": families.VonMises(2),
    "categorical": families.Categorical((), num_classes=3),
    "map": families.Categorical((2,), num_classes=3),
}
NUMBERS = (-np.inf, -300.0, -4.0, -2.0, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 255.0, np.inf, np.nan)
TYPES = ("float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool")


def held(dtype):
    """Returns the numbers that a type has."""
    if dtype == "bool":
        return [0, 1]
    if dtype.startswith("float"):
        return NUMBERS
    whole, info = [n for n in NUMBERS if np.isfinite(n) and n == int(n)], np.iinfo(dtype)
    return [n for n in whole if info.min <= n <= info.max]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("may_lack", [(), ("v", "w")])
def test_what_is_plausible_passes_and_what_passes_is_plausible(name, dtype, may_lack):
    """Only where something real is missing may a graph be in doubt about what passes."""
    family = FAMILIES[name]
    known = {"v": family, "w": families.Normal(1)}
    variables = Variables(known, observed=("v", "w"), read=("w",))
    if family.num_classes is not None and dtype[0] in "fb":
        with pytest.raises(ValueError, match="labels are integers"):
            intake.check_specs(variables, {"v": tf.TensorSpec((None, *family.shape), dtype)})
        return
    for number in held(dtype):
        value = np.full((3, *family.shape), 1).astype(dtype)
        value[1] = number
        values = {"v": value, "w": np.zeros((3, 1), "float32")}
        tensors = {key: tf.constant(each) for key, each in values.items()}
        intake.check_specs(variables, tensors)
        plausible = bool(intake.plausible(variables, tensors, may_lack=may_lack))
        try:
            intake.trainable(variables, values, may_lack=may_lack, full=False, learner="It")
            passes = True
        except ValueError:
            passes = False
        in_doubt = np.isnan(number) and may_lack
        assert plausible == passes or (in_doubt and passes), number


def test_batches_of_several_sizes_and_other_shapes_are_not_plausible():
    variables = Variables(
        {"v": families.Normal(2), "w": families.Normal(1)}, observed=("v", "w"), read=("w",)
    )
    short = {"v": tf.zeros([3, 2]), "w": tf.zeros([2, 1])}
    assert not intake.plausible(variables, short, may_lack=())

    @tf.function(input_signature=[tf.TensorSpec((None, None)), tf.TensorSpec(None)])
    def plausible(v, w):
        known = intake.plausible(variables, {"v": v}, may_lack=())
        return known, intake.plausible(variables, {"w": w}, may_lack=())

    assert [bool(each) for each in plausible(tf.zeros([3, 2]), tf.zeros([3, 1]))] == [True, False]
    assert not plausible(tf.zeros([3, 1]), tf.zeros([3, 1]))[0]
