"""Tests of the export: a SavedModel that plain TensorFlow answers with the same numbers."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_symvae import SymmetricEquilibrium
from tests import cases

# `import tensorflow` imports Keras where it can, so that Keras has to be blocked before.
PLAIN = """
import json, sys
for name in ("keras", "tf_keras", "keras_symvae", "tensorflow_probability", "zoo"):
    sys.modules[name] = None
import numpy as np
import tensorflow as tf

for folder in sys.argv[1:]:
    loaded = tf.saved_model.load(folder + "/model")
    asked = np.load(folder + "/asked.npz")
    answers = {}
    for question, names in json.load(open(folder + "/questions.json")).items():
        inputs = {name: tf.constant(asked[name]) for name in names}
        for name, value in loaded.signatures[question](**inputs).items():
            answers[question + "." + name] = value.numpy()
    np.savez(folder + "/answers.npz", **answers)
"""


def questions(pair):
    """Returns {signature: names of its inputs}."""
    context, seen = list(pair.context), [*pair.observed, *pair.context]
    return {
        "generate": ["n", "seed", *context],
        "limiting": ["n", "steps", "seed", *context],
        "encode": ["seed", *seen],
        "decode": ["seed", *pair.latent, *context],
        "reconstruct": ["seed", *seen],
    }


def exported(name, folder, **options):
    """Exports a pair of the table and writes what is to be asked; returns (pair, asked)."""
    pair, data = cases.PAIRS[name]()
    data = {name: value[:4] for name, value in data.items()}
    SymmetricEquilibrium(pair).export(folder / "model", **options)
    integers = {"n": np.int32(4), "steps": np.int32(3), "seed": np.int32(11)}
    asked = integers | data | pair.encode(data)
    np.savez(folder / "asked.npz", **asked)
    (folder / "questions.json").write_text(json.dumps(questions(pair)))
    return pair, asked


def expected(pair, question, asked, output):
    """Returns the answer of `pair.endpoints` to the same question."""
    given = {name: tf.constant(asked[name]) for name in questions(pair)[question]}
    options = {name: given.pop(name) for name in ("n", "steps", "seed") if name in given}
    if question != "encode":
        options["output"] = output
    return pair.endpoints[question](given, **options)


def test_plain_tensorflow_gives_the_same_numbers(tmp_path):
    kinds, folders = {"ladder": "mean", "conditional": "sample"}, {}
    for name, output in kinds.items():
        folders[name] = tmp_path / name
        folders[name].mkdir()
        kinds[name] = (output, *exported(name, folders[name], output=output))
    result = subprocess.run(
        [sys.executable, "-c", PLAIN, *map(str, folders.values())],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    for name, (output, pair, asked) in kinds.items():
        answers = np.load(folders[name] / "answers.npz")
        assert len(answers) == 5 * len(pair.families)
        for key in answers:
            question, variable = key.split(".")
            value = expected(pair, question, asked, output)[variable]
            np.testing.assert_allclose(answers[key], value, rtol=1e-5, atol=1e-6, err_msg=key)
            assert answers[key].dtype == pair.families[variable].dtype.as_numpy_dtype
        # Up to the batch size of `generate`, exported draws are those of the pair.
        context = {name: asked[name] for name in pair.context}
        drawn = pair.generate(4, seed=11, **context, output=output)
        for variable, value in drawn.items():
            np.testing.assert_allclose(answers[f"generate.{variable}"], value, rtol=1e-5, atol=1e-6)


def test_weights_are_stored_once(tmp_path):
    pair = cases.ladder(width=200)
    SymmetricEquilibrium(pair).export(tmp_path)
    size = sum(path.stat().st_size for path in (pathlib.Path(tmp_path) / "variables").iterdir())
    assert pair.count_params() * 4 < size < 1.2 * pair.count_params() * 4


def test_another_seed_draws_other_values(tmp_path):
    SymmetricEquilibrium(cases.ladder()).export(tmp_path)
    generate = tf.saved_model.load(str(tmp_path)).signatures["generate"]
    first, again, other = (
        generate(n=tf.constant(20), seed=tf.constant(seed))["z1"] for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert first.shape == (20, 3) and np.any(first != other)


def test_by_default_an_export_shows_what_the_methods_show(tmp_path):
    pair = cases.ladder()
    SymmetricEquilibrium(pair).export(tmp_path)
    served = tf.saved_model.load(str(tmp_path)).signatures
    drawn = pair.generate(20, seed=3)["x"]
    asked = {"n": tf.constant(20), "seed": tf.constant(3)}
    np.testing.assert_array_equal(served["generate"](**asked)["x"], drawn)
    shown = served["reconstruct"](x=tf.constant(drawn), seed=tf.constant(3))["x"]
    np.testing.assert_allclose(shown, pair.reconstruct(drawn, seed=3)["x"], rtol=1e-5)


def test_unknown_outputs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="output is one of sample, mean, mode"):
        SymmetricEquilibrium(cases.ladder()).export(tmp_path, output="median")
