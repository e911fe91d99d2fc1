"""The tables of calls are complete: no public function, method or argument is left out."""

import inspect
import types

import pytest

import keras_symvae as sv
import zoo
from keras_symvae import config, evaluation
from keras_symvae.learners.answers import Answers
from keras_symvae.model.model import Model
from keras_symvae.model.pair import Pair
from keras_symvae.model.questions import Questions
from keras_symvae.model.team import Team
from tests.properties import test_constructors, test_functions, test_questions, test_training

TABLES = (test_questions, test_constructors, test_training, test_functions)
CALLS = [call for table in TABLES for call in table.CALLS.values()]
OWN = ("keras_symvae", "zoo")
OF_ZOO = (zoo.SemiSupervised, zoo.Segmentation, zoo.Table)
ASKED = (Pair, Team, Model, Questions, Answers, sv.Learner, *OF_ZOO)

# What takes tensors, and is called by the library or by those who write games.
INNER = {
    "Answers": ["call"],
    "Learner": ["moves", "train_step", "test_step", "make_train_function", "reset_metrics"],
    "Model": ["batch", "call", "check_training", "lacking", "named", "schemas", "single", "values"],
    "Pair": ["batch", "call", "check_training", "lacking", "named", "schemas", "single"],
    "Questions": ["add_questions", "check", "common_endpoints"],
    "Table": ["translated"],
    "Team": ["batch", "call", "check_training", "lacking", "named", "schemas", "single", "split"],
}
# What reads or writes files, which has tests of its own beside its file.
FILES = {
    "Answers": ["export"],
    "Learner": ["compile_from_config", "get_compile_config", "save", "save_weights"],
    "Model": ["export"],
}
ALONE = {
    "Learner.quantize": "refuses whatever it gets",
    "Model.quantize": "refuses whatever it gets",
    "Questions.ask": "is what every question asks",
    "Pair.common_endpoints": "takes nothing",
    "Team.common_endpoints": "takes nothing",
    "Learner": "is abstract",
    "NonFiniteError": "is an error",
    "Outcome": "is what utilities return",
    "ClassifierFeatures": "trains a network",
    "InceptionFeatures": "downloads a network",
    "feature_extractor": "trains a network",
    "FDivergence": "is a row of a table",
    "Estimator": "is a row of a table",
    "model_file.load": "reads files",
    "model_folder.save": "writes files",
    "model_folder.upload": "sends files",
    "catalogue.listed": "builds every network",
    "Catalogue": "is what `listed` returns",
    "seeds.make": "takes tensors; `checked` is what it does first",
    "seeds.fold": "takes tensors",
    "seeds.integer": "takes tensors",
}


def full(function):
    """Returns the name of the room and the function that a user sees."""
    return f"{function.__module__}.{function.__qualname__}"


def public():
    """Yields all public functions and classes."""
    named = {getattr(sv, name) for name in sv.__all__}
    modules = [part for part in named if isinstance(part, types.ModuleType)]
    yield from (part for part in named if inspect.isclass(part))
    for module in [*modules, evaluation, zoo, zoo.presets]:
        names = getattr(module, "__all__", None) or [n for n in vars(module) if n[0] != "_"]
        parts = [getattr(module, name) for name in names]
        kinds = (type, types.FunctionType)
        for part in parts:
            home = getattr(part, "__module__", "")
            own = home == module.__name__ or hasattr(module, "__all__")
            if isinstance(part, kinds) and own and home.startswith(OWN):
                yield part
    yield zoo.datasets.load
    for kind in ASKED:
        for name, part in vars(kind).items():
            former = "<locals>" in getattr(part, "__qualname__", "")
            if isinstance(part, types.FunctionType) and not name.startswith("_") and not former:
                yield part


def exempt(part):
    """Returns whether a public function or class is none to be tried."""
    name = part.__qualname__
    owner, _, method = name.partition(".")
    last = part.__module__.rpartition(".")[2]
    hidden = method in INNER.get(owner, ()) or method in FILES.get(owner, ())
    draws = part.__module__.endswith("estimators") and name != "get"  # graph functions of tensors
    abstract = bool(getattr(part, "__abstractmethods__", ()))
    return hidden or draws or abstract or name in ALONE or f"{last}.{name}" in ALONE


def test_every_public_call_is_tried():
    tried = {call.name for call in CALLS}
    missing = {full(part) for part in public() if not exempt(part)} - tried
    assert not missing, sorted(missing)


def test_every_exemption_is_needed():
    names = {part.__qualname__ for part in public()}
    names |= {f"{part.__module__.rpartition('.')[2]}.{part.__qualname__}" for part in public()}
    listed = {f"{o}.{m}" for table in (INNER, FILES) for o, ms in table.items() for m in ms}
    assert {*ALONE, *listed} <= names, sorted({*ALONE, *listed} - names)


@pytest.mark.parametrize("name", sorted({call.name for call in CALLS}))
def test_every_argument_is_tried(name):
    calls = [call for call in CALLS if call.name == name]
    function, usual = calls[0].function, {key for call in calls for key in call.usual}
    if inspect.isclass(function) and issubclass(function, config.Configured):
        names = set(config.arguments(function)) - set(function.given_by_subclasses)
    else:
        parameters = inspect.signature(function).parameters.values()
        names = {each.name for each in parameters if each.kind not in (2, 4)}
    assert names <= usual, sorted(names - usual)
