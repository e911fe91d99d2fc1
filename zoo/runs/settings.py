"""The settings of a run: the flags and the recipe that together decide its result."""

import dataclasses
import json
import math
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_symvae import Learner
from keras_symvae import learners as games
from zoo import presets
from zoo.datasets import images, known_classes
from zoo.datasets.preparation import Preparation
from zoo.presets.recipes import Recipe
from zoo.runs import classes
from zoo.runs import prior as priors
from zoo.runs.data import OLD_SPLIT_RULE, SPLIT_RULE, Data
from zoo.trained import source as sources

Settings = dict[str, Any]  # plain JSON values, which the settings.json of a run keeps

FLAGS = (
    "preset",
    "learner",
    "data",
    "labels_per_class",
    "masks",
    "ignore",
    "classes",
    "prior",
    "start",
    "binarize",
    "steps",
    "batch_size",
    "learning_rate",
    "option",
    "seed",
    "epoch_steps",
    "steps_per_execution",
    "jit_compile",
)
DECIDING = ("preset", "learner", "option", "learning_rate")  # flags that decide the recipe
ONLY_OF = {
    "labels_per_class": "semi_supervised",
    "masks": "segmentation",
    "ignore": "segmentation",
    "classes": "segmentation",
}
# What runs did before there was a setting for it; any other setting was off.
BEFORE = {"split_rule": OLD_SPLIT_RULE}
EPOCHS = 20  # lines of metrics, approximately, of a run that is short enough
LONGEST_EPOCH = 500  # steps: metrics, pictures and backup are never older than that


def resolve(flags: Mapping[str, Any], *, former: Mapping[str, Any] | None = None) -> Settings:
    """Returns the settings as plain JSON values: what the flags leave open, the preset decides.

    Args:
        flags: {name: value or None} of all `FLAGS`; they are kept under "flags".
        former: settings of the run that is resumed, which keeps its recipe and its rule of
            splitting data.

    Raises:
        ValueError: the flags contradict one another.
    """
    preset = presets.get(flags["preset"])
    learner = flags["learner"] or next(iter(preset.recipes))
    if learner not in preset.recipes:
        raise ValueError(
            f"preset {flags['preset']!r} has recipes for {', '.join(preset.recipes)}, not for "
            f"--learner={learner}"
        )
    for flag, model in ONLY_OF.items():
        if flags[flag] is not None and preset.model != model:
            raise ValueError(f"preset {flags['preset']!r} is a {preset.model}, without --{flag}")
    if flags["prior"] is not None and (preset.model != "ladder" or learner == "elbo"):
        raise ValueError(
            "--prior is for ladders, and not for --learner=elbo; take --learner=symmetric"
        )
    if former is not None and all(former["flags"].get(name) == flags[name] for name in DECIDING):
        recipe = _recipe(former)  # that of the preset may be another by now
    else:
        recipe = _changed(preset.recipes[learner], flags)
    steps = flags["steps"] or preset.steps
    epoch_steps = flags["epoch_steps"]
    group = flags["steps_per_execution"]
    if group is None:
        group = math.gcd(preset.steps_per_execution, steps, epoch_steps or 0)
    if steps % group:
        raise ValueError(f"--steps_per_execution={group} does not divide --steps={steps}")
    if epoch_steps is None:
        epoch_steps = min(max(steps // EPOCHS, 1), LONGEST_EPOCH)
        epoch_steps = -(-epoch_steps // group) * group
    epoch_steps = min(epoch_steps, steps)
    if epoch_steps % group:
        raise ValueError(
            f"--steps_per_execution={group} does not divide --epoch_steps={epoch_steps}"
        )
    preparation = dict(preset.preparation)
    if flags["binarize"] is not None:
        preparation["binarize"] = flags["binarize"]
        if flags["binarize"] == "none":
            preparation.pop("flip", None)  # it would flip bits, and there are none
    source = images.settled(flags["data"] or preset.data)
    tables = flags["classes"] and known_classes.settled(flags["classes"])
    kept = classes.of_run(preset, tables, data=source, former=former)
    # Paths are kept in full, so that a run can be resumed from another folder.
    prior = flags["prior"] and str(pathlib.Path(flags["prior"]).expanduser().resolve())
    trained = flags["start"] and str(sources.model_of(flags["start"]))
    settings = {
        "preset": flags["preset"],
        "learner": learner,
        "data": source,
        "split_rule": SPLIT_RULE if former is None else split_rule(former),
        "labelled": flags["labels_per_class"] or flags["masks"],
        "ignore": flags["ignore"],
        "classes": kept,
        "prior": prior,
        "start": trained,
        "steps": steps,
        "batch_size": flags["batch_size"] or preset.batch_size,
        "labelled_batch_size": preset.labelled_batch_size,
        "seed": flags["seed"],
        "binarize": preparation.get("binarize", "none"),
        "epoch_steps": epoch_steps,
        "steps_per_execution": group,
        "jit_compile": flags["jit_compile"],
        "architecture": {**preset.architecture, **classes.of_model(kept)},
        "preparation": preparation,
        **dataclasses.asdict(recipe),
        "flags": {**flags, "data": source, "classes": tables, "prior": prior, "start": trained},
    }
    return json.loads(json.dumps(settings, default=repr))


def learner(settings: Mapping[str, Any]) -> Learner:
    """Returns the compiled, untrained learner; its weights depend on the settings alone."""
    recipe = _recipe(settings)
    keras.utils.set_random_seed(settings["seed"])
    changes = classes.of_model(settings.get("classes"))
    if settings["prior"] is not None:
        changes["prior"] = priors.read(settings["prior"])
    pair = presets.get(settings["preset"]).pair(**changes)
    game = games.get(settings["learner"])
    try:
        model = game(pair, seed=settings["seed"], **recipe.options)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{settings['learner']} with options {recipe.options}: {error}") from error
    model.compile(
        recipe.optimizer(steps=settings["steps"]),  # pyright: ignore[reportArgumentType]
        steps_per_execution=settings["steps_per_execution"],
        jit_compile=settings["jit_compile"],
    )
    return model


def data(settings: Mapping[str, Any]) -> Data:
    """Returns the `Data` of a run."""
    architecture = settings["architecture"]
    return Data(
        settings["data"],
        shape=architecture["image_shape"],
        preparation=Preparation(**settings["preparation"]),
        owner=f"preset {settings['preset']!r}",
        target=presets.get(settings["preset"]).target,
        num_classes=architecture.get("num_classes"),
        labelled=settings["labelled"],
        split_rule=split_rule(settings),
        ignore=settings.get("ignore"),
        classes=settings.get("classes"),
    )


def split_rule(settings: Mapping[str, Any]) -> str:
    """Returns the rule by which a run splits data that come in one part."""
    return settings.get("split_rule", BEFORE["split_rule"])


def check_same(settings: Mapping[str, Any], *, former: Mapping[str, Any]) -> None:
    """Refuses settings that would make another run than the former ones.

    Raises:
        ValueError: names every setting that differs, with both values.
    """
    former = {**BEFORE, **former}
    changed = [
        f"{name} was {former.get(name)!r} and is now {value!r}"
        for name, value in settings.items()
        if name != "flags" and former.get(name) != value and (name in former or value)
    ]
    if changed:
        raise ValueError(
            f"--resume goes on with the settings of the run, but {'; '.join(changed)}. Leave these "
            "flags out, or begin a new run from its weights, by --start=RUN and another --out"
        )


def _recipe(settings: Mapping[str, Any]) -> Recipe:
    """Returns the recipe of a run."""
    return Recipe(**{field.name: settings[field.name] for field in dataclasses.fields(Recipe)})


def _changed(recipe: Recipe, flags: Mapping[str, Any]) -> Recipe:
    """Returns a recipe of a preset with what the flags say of it."""
    options = {**recipe.options, **_options(flags["option"] or ())}
    rates = recipe.learning_rate
    if flags["learning_rate"] is not None:
        rates = dict.fromkeys(rates, flags["learning_rate"])
    return dataclasses.replace(recipe, learning_rate=rates, options=options)


def _options(assignments: Iterable[str]) -> dict[str, Any]:
    """Returns {argument of the learner: value} of "name=value"; a value is JSON or a word."""
    options = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals:
            raise ValueError(f"--option is name=value; received {assignment!r}")
        if name in FLAGS:
            raise ValueError(f"--option={assignment}: {name} has a flag of its own, --{name}")
        try:
            options[name] = json.loads(value)
        except json.JSONDecodeError:
            options[name] = value
    return options
