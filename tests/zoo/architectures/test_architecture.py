"""Tests of what all architectures share: their configs, their images and their bodies."""

import inspect

import keras
import pytest

import zoo
from keras_symvae import families
from zoo import architectures
from zoo.architectures import Architecture, bodies, image_family
from zoo.architectures.levels import levels

# Every argument differs from its default, so that none can be lost on the way.
NORMAL = families.Normal((4, 8, 1), scale=0.5)
COMMON = {"image_shape": (4, 8, 1), "likelihood": NORMAL, "width": 3, "name": "other"}
OTHER = {
    "Ladder": {
        **COMMON,
        "latents": (families.Normal(2), 3),
        "order": "reverse",
        "body": "residual",
        "trunk_width": 4,
        "depth": 2,
        "skips": True,
        "decoder_activation": "relu",
        "prior": None,
    },
    "Implicit": {
        **COMMON,
        "latent": 2,
        "noise": 3,
        "basis": 2,
        "body": "mlp",
        "depth": 1,
        "activation": "tanh",
    },
    "SemiSupervised": {
        **COMMON,
        "num_classes": 3,
        "latents": (2, families.Normal(2)),
        "body": "patches",
        "depth": 2,
        "filters": 4,
        "patch": 2,
    },
    "Segmentation": {
        **COMMON,
        "num_classes": 3,
        "classes": {"sky": [0, 0, 255], "road": [9, 9, 9], "tree": [0, 255, 0]},
        "latent": families.Normal(2),
        "filters": (2, 3),
    },
    "Table": {
        "columns": {"age": {"kind": "real", "center": 40.0, "spread": 12.0}},
        "latent": 3,
        "width": 4,
        "depth": 1,
        "name": "other",
    },
}


def test_the_table_holds_every_architecture():
    classes = {name for name in architectures.__all__ if inspect.isclass(vars(architectures)[name])}
    assert OTHER.keys() == classes - {"Architecture"}
    assert all(issubclass(vars(zoo)[name], Architecture) for name in OTHER)


@pytest.mark.parametrize("name", OTHER)
def test_the_config_of_an_architecture_is_its_constructor(name):
    kind = vars(zoo)[name]
    model = kind(**OTHER[name])
    config = model.get_config()
    assert config.keys() == inspect.signature(kind.__init__).parameters.keys() - {"self"}
    for key, value in keras.saving.deserialize_keras_object(config).items():
        assert (tuple(value) if isinstance(value, list) else value) == OTHER[name][key], key
    again = kind.from_config(config)
    assert again.get_config() == config
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]


@pytest.mark.parametrize(
    ("name", "target"),
    [("Ladder", None), ("Implicit", None), ("SemiSupervised", "y"), ("Segmentation", "s")],
)
def test_the_target_is_a_variable_of_the_model(name, target):
    model = vars(zoo)[name](**OTHER[name])
    assert model.target == target
    assert target is None or target in model.families


def test_likelihoods_by_name_and_by_family():
    assert image_family("bernoulli", [2, 3, 1]) == families.Bernoulli((2, 3, 1))
    found = image_family("normal", (2, 3, 1))
    assert isinstance(found, families.Normal) and found.num_shared == 1
    assert image_family(NORMAL, (4, 8, 1)) is NORMAL


def test_an_integer_is_a_level_of_so_many_bits():
    code = families.Normal(2)
    assert levels([3, code]) == {"z0": families.Bernoulli(3), "z1": code}


@pytest.mark.parametrize("name", ["Ladder", "Implicit", "SemiSupervised"])
def test_convolutions_refuse_an_image_whose_raw_output_is_none(name):
    gray = families.Categorical((20, 20, 1), num_classes=4)
    arguments = {"num_classes": 3} if name == "SemiSupervised" else {}
    with pytest.raises(ValueError, match=r"body='conv' emits images; Categorical.* \(20, 20, 1, 4"):
        vars(zoo)[name]((20, 20, 1), **arguments, body="conv", likelihood=gray)


def test_a_body_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"body is one of .* received 'patches'"):
        bodies.reader("patches", hidden=[3])
