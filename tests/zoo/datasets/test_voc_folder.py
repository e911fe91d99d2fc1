"""Folders in the layout of PASCAL VOC, as the test writes them."""

import numpy as np
import pytest
from PIL import Image

from zoo.datasets import label_maps
from zoo.datasets.known_classes import VOC

LISTS = "ImageSets/Segmentation"


def write(root):
    """Seven images of several sizes, of which two are for testing and one is in no list."""
    for name in ("JPEGImages", "SegmentationClass", LISTS, "Annotations"):
        (root / name).mkdir(parents=True)
    names = [f"2007_{i:06d}" for i in range(7)]
    for index, name in enumerate(names):
        shape = (40 + index, 50)
        image = np.full((*shape, 3), 30 * index, np.uint8)
        Image.fromarray(image).save(root / f"JPEGImages/{name}.jpg", quality=100)
        mask = np.full(shape, index, np.uint8)
        mask[:, :25] = 255
        mask = Image.fromarray(mask)
        mask.putpalette([v for name in VOC.names for v in VOC.shown[name]])
        mask.save(root / f"SegmentationClass/{name}.png")
    (root / "JPEGImages/2012_000001.jpg").write_bytes(b"of another task")
    (root / LISTS / "train.txt").write_text("\n".join(names[:4]) + "\n")
    (root / LISTS / "val.txt").write_text("\n".join(names[4:6]) + "\n")
    return names


def test_lists_say_which_images_are_for_training(tmp_path):
    write(tmp_path)
    train, test, both = (
        label_maps.load(tmp_path, split=split, size=20) for split in ("train", "test", "all")
    )
    assert (train.x.shape, test.s.shape, len(both.x)) == ((4, 20, 20, 3), (2, 20, 20), 6)
    assert (test.num_classes, test.classes, test.colours) == (21, VOC.names, VOC.shown)
    np.testing.assert_array_equal(both.s[:, 0, 0], -1)
    np.testing.assert_array_equal(both.s[:, 0, -1], range(6))
    np.testing.assert_allclose(both.x[:, 0, 0, 0] * 255, 30 * np.arange(6), atol=2)
    assert label_maps.own_classes(tmp_path) == "voc"


def test_without_val_txt_a_share_is_for_testing(tmp_path):
    write(tmp_path)
    (tmp_path / LISTS / "val.txt").unlink()
    sizes = [len(label_maps.load(tmp_path, split=s, size=20).x) for s in ("train", "test", "all")]
    assert sizes == [3, 1, 4]


def test_another_table_may_be_taken(tmp_path):
    write(tmp_path)
    few = {name: VOC.shown[name] for name in VOC.names[:6]}
    assert label_maps.load(tmp_path, size=20, classes=few).num_classes == 6
    with pytest.raises(ValueError, match=r"000002\.png has numbers .* lacks: 2 in"):
        label_maps.load(tmp_path, size=20, classes={name: few[name] for name in VOC.names[:2]})


WRONG = [
    (lambda root: (root / LISTS / "train.txt").unlink(), r"train\.txt must be a list of the names"),
    (lambda root: (root / LISTS / "train.txt").write_text("\n"), r"train\.txt names no image"),
    (lambda root: (root / LISTS / "train.txt").write_text("a a"), r"or one twice"),
    (lambda root: (root / LISTS / "train.txt").write_bytes(b"\xff"), r"is no list of names"),
    (
        lambda root: (root / "JPEGImages/2007_000001.jpg").unlink(),
        r"not in .*JPEGImages: 1 image \(2007_000001\) has no file NAME\.jpg; copy them",
    ),
    (
        lambda root: [path.unlink() for path in (root / "SegmentationClass").glob("*")],
        r"SegmentationClass: 4 masks \(2007_000000, .*\) have no file NAME\.png",
    ),
]


@pytest.mark.parametrize(("spoil", "match"), WRONG)
def test_broken_folders(tmp_path, spoil, match):
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(ValueError, match=match):
        label_maps.load(tmp_path, size=20)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "..", "C:a", "a\\b", "a/b", "a\x1b[2J"])
def test_lists_lead_nowhere_else(tmp_path, name):
    write(tmp_path)
    (tmp_path / LISTS / "train.txt").write_text(name)
    with pytest.raises(ValueError, match="leads out of the folder"):
        label_maps.load(tmp_path, size=20)
