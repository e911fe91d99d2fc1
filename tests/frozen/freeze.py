"""Freezes what must not change: files, draws and losses of every preset and learner, in miniature.

    python -m tests.frozen.freeze 0.1.0

writes tests/frozen/0.1.0/PRESET-LEARNER.keras and tests/frozen/0.1.0/numbers.json. Presets keep
their structure and recipes and shrink to a few units. Weights are a pattern of few values, another
one for every array, so that files stay small when they are compressed and no two arrays of a file
may be mistaken for each other.
"""

import hashlib
import json
import pathlib
import sys
import zipfile

import keras
import numpy as np

import keras_symvae as sv
import zoo

FOLDER = pathlib.Path(__file__).parent
LEARNERS = {
    "symmetric": sv.SymmetricEquilibrium,
    "elbo": sv.ELBO,
    "cooperative": sv.Cooperative,
    "avb": sv.AVB,
    "as_vae": sv.ASVAE,
    "svae": sv.SVAE,
    "wae": sv.WAE,
    "fgan": sv.FGAN,
}
CASES = [(name, learner) for name, preset in zoo.PRESETS.items() for learner in preset.recipes]
SMALL = {"width": 8, "trunk_width": 6, "latent": 2, "noise": 4, "basis": 3, "filters": (2, 4)}
UPDATES, EXAMPLES = 20, 12


def miniature(name):
    """Returns the pair or team of a preset with few units."""
    preset = zoo.PRESETS[name]
    small = {key: SMALL.get(key, value) for key, value in preset.architecture.items()}
    side = 20 if small.get("body") == "conv" else 8
    small["image_shape"] = shape = (side, side, 1)
    if "latents" in small:
        counts = range(3, 3 + len(small["latents"]))
        latents = zip(small["latents"], counts, strict=True)
        small["latents"] = tuple(n if isinstance(z, int) else type(z)(n) for z, n in latents)
    if isinstance(small.get("likelihood"), sv.families.Family):
        config = {**small["likelihood"].get_config(), "shape": shape}
        small["likelihood"] = type(small["likelihood"])(**config)
    if preset.model == "segmentation":
        small |= {"filters": SMALL["filters"], "width": 8}
    if "num_classes" in small:
        small["num_classes"] = 3
    return zoo.Preset(**{**vars(preset), "architecture": small}).pair()


def made(name, learner):
    """Returns the compiled learner of a preset in miniature, its arrays patterned."""
    keras.utils.set_random_seed(0)
    recipe = zoo.PRESETS[name].recipes[learner]
    model = LEARNERS[learner](miniature(name), seed=5, **recipe.options)
    model.compile(recipe.optimizer(steps=2 * UPDATES))
    for index, variable in enumerate(arrays(model)):
        slot = index >= len(model.variables)
        if "float" in keras.backend.standardize_dtype(variable.dtype) and variable.shape:
            variable.assign(pattern(tuple(variable.shape), index, positive=slot))
    return model


def arrays(model):
    """Returns the weights and then the optimizer's slots, in an order that files do not decide."""
    return [*model.variables, *model.optimizer.variables]


def pattern(shape, index, *, positive):
    """Returns an array of seven values; `index` decides which and in which order."""
    values = np.random.RandomState(index).normal(size=7)
    values = 0.01 * np.abs(values) if positive else values / np.sqrt(max(np.prod(shape[:-1]), 2.0))
    return np.resize(values, shape).astype("float32")


def data(pair):
    """Returns values of a pair or team, some of which are missing where its learner allows it."""
    rng, found = np.random.RandomState(1), {}
    names = ("x", "s") if isinstance(pair, sv.Team) else ("x", "y")
    for name in [name for name in names if name in pair.families]:
        family = pair.families[name]
        shape = (EXAMPLES, *family.shape)
        if name == "x":
            found[name] = rng.randint(0, 2, shape).astype("float32")
        else:
            found[name] = rng.randint(0, family.num_classes, shape).astype("int32")
            found[name][: EXAMPLES // 3] = -1
    return found


def measured(model, *, updates=UPDATES):
    """Returns {"draws": {name: [numbers]}, "losses": [...]}: one seed, then updates."""
    pair = model.pair
    if isinstance(pair, sv.Team):
        drawn = pair.limiting_pairs(3, steps=2, seed=7)
    else:
        drawn = pair.generate(3, seed=7)
    model.run_eagerly = True
    history = model.fit(data(pair), batch_size=4, steps_per_epoch=1, epochs=updates, verbose=0)
    draws = {name: np.round(np.ravel(v)[:: max(v.size // 40, 1)], 6) for name, v in drawn.items()}
    return {
        "draws": {name: value.tolist() for name, value in draws.items()},
        "losses": history.history["loss"],
        "metrics": sorted(history.history),
    }


def digests(model):
    """Returns {path: digest} of all arrays; paths as the weights file has them."""
    found = {}
    for index, variable in enumerate(arrays(model)):
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(variable))
        found[str(index)] = [
            list(value.shape),
            hashlib.blake2b(value.tobytes(), digest_size=8).hexdigest(),
        ]
    return found


def write(version):
    """Writes files and numbers of all cases."""
    folder = FOLDER / version
    folder.mkdir(parents=True, exist_ok=True)
    numbers = {}
    for name, learner in CASES:
        path = folder / f"{name}-{learner}.keras"
        model = made(name, learner)
        model.save(path)
        squeeze(path)
        model = keras.saving.load_model(path)
        numbers[path.stem] = {"arrays": digests(model), **measured(model)}
        print(path.stem, path.stat().st_size, numbers[path.stem]["losses"][-1], flush=True)
    (folder / "numbers.json").write_text(json.dumps(numbers) + "\n", encoding="utf-8")


def squeeze(path):
    """Compresses a `.keras` file, which Keras stores as it is."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, part in content.items():
            archive.writestr(
                zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), part, zipfile.ZIP_DEFLATED
            )


if __name__ == "__main__":
    write(sys.argv[1])
