"""Masks: numbers, palettes and colours of PNGs, with tables and without."""

import numpy as np
import pytest
from PIL import Image

from zoo.datasets import label_maps, mask_file
from zoo.datasets.class_table import ClassTable
from zoo.datasets.known_classes import CITYSCAPES, VOC

TABLE = ClassTable({"sky": (0, 0, 255), "road": (9, 9, 9), "void": (0, 0, 0), "tree": (0, 99, 0)})
CLASSES = np.array([[0, 1, -1, 2], [2, 2, 1, -1]])
NUMBERS = np.array([[0, 1, 2, 3], [3, 3, 1, 255]], np.uint8)
COLOURS = np.array([(0, 0, 255), (9, 9, 9), (0, 99, 0), (0, 0, 0)], np.uint8)[CLASSES]


def read(path, image, classes=TABLE):
    image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    image.save(path / "a.png")
    return mask_file.read(path / "a.png", shape=(2, 4), classes=classes)


def indexed(numbers, palette):
    image = Image.fromarray(numbers)
    image.putpalette(list(palette))
    return image


def test_numbers_palettes_and_colours_are_the_same_map(tmp_path):
    gray = [level for i in range(256) for level in (i, i, i)]
    alien = [200, 1, 7] * 256  # colours that are in no table: the index is the number
    quantised = Image.fromarray(COLOURS).quantize(16)
    images = {
        "gray": NUMBERS,
        "gray palette": indexed(NUMBERS, gray),
        "alien palette": indexed(NUMBERS, alien),
        "colours": COLOURS,
        "opaque": np.concatenate([COLOURS, np.full((2, 4, 1), 255, np.uint8)], axis=-1),
        "a palette that a program chose": quantised,
    }
    assert not np.array_equal(np.asarray(quantised), NUMBERS)
    for name, image in images.items():
        found = read(tmp_path, image)
        np.testing.assert_array_equal(found, CLASSES, err_msg=name)
        assert found.dtype == np.int32


def test_maps_of_voc_are_read_by_their_palette_or_by_their_numbers(tmp_path):
    palette = [level for name in VOC.names for level in VOC.shown[name]]
    palette += [0, 0, 0] * (255 - 21) + list(VOC.colours["void"][0])
    numbers = np.array([[0, 20, 255, 7], [15, 0, 0, 1]], np.uint8)
    expected = np.where(numbers == 255, -1, numbers.astype(int))
    for image in (numbers, indexed(numbers, palette), indexed(numbers, palette).convert("RGB")):
        np.testing.assert_array_equal(read(tmp_path, image, VOC), expected)
    ids = np.array([[7, 33, 0, 255], [7, 8, 26, 18]], np.uint8)
    np.testing.assert_array_equal(
        read(tmp_path, ids, CITYSCAPES), [[0, 18, -1, -1], [0, 1, 13, -1]]
    )


def test_what_is_no_mask_is_refused(tmp_path):
    clear = np.concatenate([COLOURS, np.full((2, 4, 1), 9, np.uint8)], axis=-1)
    for image, classes, match in [
        (COLOURS, None, r"a\.png has mode RGB of 8 bits; .* or say by `classes` what its colours"),
        (COLOURS + 1, TABLE, r"a\.png has colours .* lacks: .*\(1, 100, 1\) in 3 pixels"),
        (NUMBERS + 3, TABLE, r"a\.png has numbers .* lacks: 6 in 3 pixels, 4 in 2 pixels, 5 in 1"),
        (clear, TABLE, r"a\.png has transparent pixels"),
        (COLOURS[:1], TABLE, r"a\.png is \(1, 4\), its image is \(2, 4\); make them the same size"),
    ]:
        with pytest.raises(ValueError, match=match):
            read(tmp_path, image, classes)


def test_a_folder_of_colours_has_names_and_colours(tmp_path):
    for index in range(10):
        for name, pixels in (("images", COLOURS), ("masks", COLOURS)):
            (tmp_path / name).mkdir(exist_ok=True)
            ending = "_L" if name == "masks" else ""
            Image.fromarray(pixels).save(tmp_path / name / f"{index}{ending}.png")
    maps = label_maps.load(tmp_path, split="all", classes=TABLE)
    np.testing.assert_array_equal(maps.s, np.tile(CLASSES, (10, 1, 1)))
    assert (maps.num_classes, maps.classes) == (3, ("sky", "road", "tree"))
    assert maps.colours == TABLE.shown
    again = label_maps.load(tmp_path, split="train", classes=TABLE.colours, ignore=1)
    assert again.num_classes == 3 and set(np.unique(again.s)) == {-1, 0, 2}
    np.savez(tmp_path / "a.npz", x=COLOURS[None], s=np.where(CLASSES < 0, 2, NUMBERS)[None])
    maps = label_maps.load(tmp_path / "a.npz", split="all", classes=TABLE)
    np.testing.assert_array_equal(maps.s, CLASSES[None])
    with pytest.raises(ValueError, match=r"silhouettes:digits has 11 classes, and the table has 3"):
        label_maps.load("silhouettes:digits", classes=TABLE)


def test_all_that_does_not_match_is_listed(tmp_path):
    for name in ("images/a", "images/b", "images/c", *(f"masks/{i}" for i in range(7)), "masks/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(NUMBERS).save(tmp_path / f"{name}.png")
    match = (
        r"7 masks \(0, 1, 2, 3, 4 and 2 others\) have no image, while 2 images \(b, c\) have no "
        r"mask\. Name a mask like its image up to the suffix, or remove it"
    )
    with pytest.raises(ValueError, match=match):
        label_maps.load(tmp_path)
