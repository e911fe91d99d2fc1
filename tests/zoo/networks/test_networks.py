"""Tests of what all networks share: configs and registered names."""

import inspect
import json

import keras
import numpy as np
import pytest

from zoo import networks

BODY = {"hidden": (3,), "units": 2}
OTHER = {  # arguments that differ from all defaults, and shapes of the inputs
    "MLP": ({"hidden": (3, 4), "units": 2, "activation": "relu", "skip": True}, [(5,), (2, 2)]),
    "ConvEncoder": ({"units": 3, "filters": 2, "activation": "relu"}, [(20, 24, 1)]),
    "ConvDecoder": ({"shape": (20, 24, 2), "filters": 2, "activation": "relu"}, [(3,), (2,)]),
    "LadderTrunk": ({"body": BODY, "units": (2, 3), "hidden": (4,)}, [(5,)]),
    "NoisyEncoder": (
        {"body": BODY, "units": 2, "hidden": (3,), "activation": "tanh"},
        [(5,), (4,)],
    ),
    "BasisEncoder": (
        {"body": BODY, "units": 2, "basis": 3, "hidden": (4,), "activation": "tanh"},
        [(5,), (3, 4)],
    ),
    "ResidualBlock": ({"activation": "relu"}, [(4, 5, 2)]),
    "ResidualNet": (
        {"shape": (4, 6, 2), "grid": (2, 3), "filters": (4, 3), "depth": 2, "activation": "relu"},
        [(2, 3, 1), (1, 1, 2), (3,)],
    ),
    "PatchReader": ({"filters": 3, "patch": 2, "grid": 2}, [(4, 5, 1)]),
    "MapEncoder": (
        {"units": 3, "filters": (2, 3), "width": 4, "activation": "tanh"},
        [(4, 6, 1), (4, 6, 2)],
    ),
    "UNet": (
        {"shape": (4, 6, 2), "filters": (2, 3), "width": 4, "activation": "tanh"},
        [(4, 6, 1), (3,)],
    ),
}


def made(name):
    arguments = dict(OTHER[name][0])
    if "body" in arguments:
        arguments["body"] = networks.MLP(**BODY)
    return vars(networks)[name](**arguments)


def test_the_table_holds_every_network():
    assert OTHER.keys() == set(networks.__all__) - {"Network"}


@pytest.mark.parametrize("name", OTHER)
def test_the_config_of_a_network_is_its_constructor(name):
    network, (arguments, _) = made(name), OTHER[name]
    config = network.get_config()
    own = inspect.signature(type(network).__init__).parameters.keys() - {"self", "kwargs"}
    assert own == arguments.keys()
    assert {key: config[key] for key in own - {"body"}} == {
        key: value for key, value in arguments.items() if key != "body"
    }
    assert type(network).from_config(config).get_config() == config


@pytest.mark.parametrize("name", OTHER)
def test_a_network_is_rebuilt_from_json_under_its_registered_name(name):
    network, shapes = made(name), OTHER[name][1]
    assert keras.saving.get_registered_name(type(network)) == f"zoo>{name}"
    text = json.dumps(keras.saving.serialize_keras_object(network))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    rng = np.random.default_rng(0)
    values = [rng.normal(size=(2, *shape)).astype("float32") for shape in shapes]
    outputs = []
    for each in (network, again):
        each(values if len(values) > 1 else values[0])  # builds the weights
        each.set_weights(network.get_weights())
        outputs.append(keras.tree.flatten(each(values if len(values) > 1 else values[0])))
    for output, expected in zip(*outputs, strict=True):
        np.testing.assert_array_equal(output, expected)
