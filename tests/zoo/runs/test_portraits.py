"""Portraits of label maps: the names and colours of classes are in every picture."""

import numpy as np
import pytest
from PIL import Image

import zoo
from keras_symvae import Cooperative
from zoo.datasets import palette
from zoo.runs import portraits

CLASSES = {"sky": (10, 20, 250), "road": (70, 60, 50), "tree": (5, 120, 15)}
PICTURES = ("samples.png", "limiting.png", "segmentations.png", "transfer.png")


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("classes", [CLASSES, None])
def test_every_picture_of_label_maps_has_a_legend(tmp_path, classes):
    team = zoo.Segmentation((8, 8, 1), 3, classes=classes, latent=2, filters=(2,), width=3)
    rng = np.random.default_rng(0)
    held_out = {
        "x": rng.random((10, 8, 8, 1)).astype("float32"),
        "s": rng.integers(-1, 3, (10, 8, 8)).astype("int32"),
    }
    portraits.draw(tmp_path, Cooperative(team, mixing=1.0), held_out, limiting_steps=2, seed=0)
    assert {path.name for path in tmp_path.iterdir()} == set(PICTURES)
    expected = np.round(255 * palette.colours(3, classes=classes)).astype(int)
    for name in PICTURES:
        strip = np.asarray(Image.open(tmp_path / name))[-20:]
        for colour in expected:  # a square of each under the picture
            assert (strip == colour).all(axis=-1).sum() > 50, (name, colour)
        assert (strip.max(axis=-1) < 100).sum() > 50  # letters


def test_too_many_classes_have_no_legend():
    team = zoo.Segmentation((4, 4, 1), 41, latent=2, filters=(2,), width=3)
    values = {"x": np.zeros((4, 4, 4, 1)), "s": np.zeros((4, 4, 4), int)}
    small = zoo.Segmentation((4, 4, 1), 40, latent=2, filters=(2,), width=3)
    assert len(portraits.grid(team, values)) < len(portraits.grid(small, values))


@pytest.mark.parametrize(
    ("classes", "match"),
    [
        ({"sky": (0, 0, 1)}, r"of all 2 classes, 0 to 255 each; received \{'sky'"),
        (["sky", "road"], r"classes are \{name: .* received \['sky', 'road'\]"),
        ({"sky": (0, 0, 1), "road": (0, 0)}, r"'road' has \(0, 0\)"),
        ({"sky": (0, 0, 1), "road": (0, 0, 0.5)}, r"'road' has \(0, 0, 0\.5\)"),
        ({"sky": (0, 0, 1), 3: (0, 0, 2)}, r"names of classes"),
    ],
)
def test_classes_that_are_none_are_refused(classes, match):
    with pytest.raises(ValueError, match=match):
        zoo.Segmentation((4, 4, 1), 2, classes=classes, latent=2, filters=(2,), width=3)


def test_a_model_keeps_its_classes():
    team = zoo.Segmentation((4, 4, 1), 3, classes=CLASSES, latent=2, filters=(2,), width=3)
    again = zoo.Segmentation.from_config(team.get_config())
    assert again.classes == {name: list(colour) for name, colour in CLASSES.items()}
