"""Folders in the layout of Cityscapes, as the test writes them."""

import numpy as np
import pytest
from PIL import Image

from zoo.datasets import label_maps
from zoo.datasets.known_classes import CITYSCAPES


def write(root):
    """Two cities for training and one for testing, whose images show a road under the sky."""
    for part, cities in (("train", ("aachen", "bochum")), ("val", ("lindau",)), ("test", ("a",))):
        for city in cities:
            for room in ("leftImg8bit", "gtFine"):
                (root / room / part / city).mkdir(parents=True)
            for index in range(2):
                stem = f"{city}_{index:06d}_000019"
                ids = np.full((8, 16), 7, np.uint8)
                ids[:4], ids[:, 0] = 23, 1
                image = np.repeat(ids[..., None], 3, axis=-1)
                for room, name, pixels in (
                    ("leftImg8bit", f"{stem}_leftImg8bit.png", image),
                    ("gtFine", f"{stem}_gtFine_labelIds.png", ids),
                    ("gtFine", f"{stem}_gtFine_instanceIds.png", ids),
                ):
                    Image.fromarray(pixels).save(root / room / part / city / name)


def test_cities_are_read_in_their_parts(tmp_path):
    write(tmp_path)
    train, test, both = (
        label_maps.load(tmp_path, split=split, size=(4, 8)) for split in ("train", "test", "all")
    )
    assert (len(train.x), len(test.x), len(both.x)) == (4, 2, 6)
    assert test.s.shape == (2, 4, 8) and (test.s[:, :2, 1:] == 10).all()
    assert (test.s[:, 2:, 1:] == 0).all()
    whole = label_maps.load(tmp_path, split="test")
    assert (whole.s[:, :, 0] == -1).all()
    assert (whole.num_classes, whole.classes) == (19, CITYSCAPES.names)
    assert label_maps.own_classes(tmp_path) == "cityscapes"


def test_images_without_a_map_and_maps_without_an_image(tmp_path):
    write(tmp_path)
    maps = tmp_path / "gtFine/train/aachen"
    (maps / "aachen_000000_000019_gtFine_labelIds.png").unlink()
    missing = (label_maps.load(tmp_path).s == -1).all(axis=(1, 2))
    assert missing.tolist() == [True, False, False, False]
    (tmp_path / "leftImg8bit/train/bochum/bochum_000001_000019_leftImg8bit.png").unlink()
    match = (
        r"1 mask \(bochum/bochum_000001_000019\) has no image, while 1 image "
        r"\(aachen/aachen_000000_000019\) has no mask"
    )
    with pytest.raises(ValueError, match=match):
        label_maps.load(tmp_path)


def test_links_to_cities_are_not_entered(tmp_path):
    write(tmp_path / "set")
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "set/leftImg8bit/train/aachen").rename(elsewhere)
    (tmp_path / "set/leftImg8bit/train/aachen").symlink_to(elsewhere)
    (tmp_path / "set/leftImg8bit/train/circle").symlink_to(tmp_path / "set")
    with pytest.raises(ValueError, match=r"2 masks \(aachen/.* have no image"):
        label_maps.load(tmp_path / "set")
    (tmp_path / "set/leftImg8bit/train/bochum").rename(tmp_path / "bochum")
    with pytest.raises(ValueError, match=r"train has no images CITY/NAME_leftImg8bit\.png"):
        label_maps.load(tmp_path / "set")
