"""Tests of images with label maps."""

import os
import subprocess
import sys
import types
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo import datasets
from zoo.datasets import label_maps
from zoo.datasets.silhouettes import silhouettes

FASHION = "/usr/share/datasets/fashion-mnist"
# Twenty images of one gray each, and maps of one class each, so that a pair knows its number.
X = np.full((20, 3, 4), 1, np.uint8) * np.arange(20, dtype=np.uint8)[:, None, None]
S = X.astype(np.int64) % 5
SMALL = np.zeros((2, 2), np.uint8)


def npz(**arrays):
    return lambda folder: np.savez(folder / "set.npz", **arrays)


def png(files):
    def write(folder):
        for name, image in files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(image) if isinstance(image, np.ndarray) else image
            image.save(file)

    return write


def palette(mask):
    image = Image.fromarray(mask.astype(np.uint8))
    image.putpalette([255 - i // 3 for i in range(768)])  # Colours that are not the classes.
    return image


def numbers(maps):
    """The number of each pair, after a check that its map is that of its image."""
    found = np.rint(maps.x[:, 0, 0, 0] * 255).astype(int)
    np.testing.assert_array_equal(maps.s, np.broadcast_to(found[:, None, None] % 5, maps.s.shape))
    return list(found)


def test_importing_is_quick():
    program = "import sys, zoo.datasets.label_maps; print('tensorflow_datasets' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert result.stdout.strip() == "False"


# Silhouettes


def test_silhouettes_of_digits_are_their_ink_and_carry_their_labels():
    for split in ("train", "test", "all"):
        maps, images = (
            label_maps.load("silhouettes:digits", split=split),
            datasets.load("digits", split=split),
        )
        np.testing.assert_array_equal(maps.x, images.x)
        # One pixel is more than 1 % of an 8 x 8 image, so nothing is a speck.
        ink = images.x[..., 0] > 7 / 16
        np.testing.assert_array_equal(maps.s, np.where(ink, 1 + images.y[:, None, None], 0))
    assert (maps.num_classes, maps.name, maps.classes) == (11, "silhouettes:digits", None)
    assert (maps.s.dtype, maps.s.max()) == (np.int32, 10)


@pytest.mark.parametrize("pixels", [3, 4])
@pytest.mark.parametrize("level", [0, 1])
def test_pieces_below_one_percent_change_sides(level, pixels):
    x = np.full((3, 20, 20, 1), 1 - level, np.float32)
    x[:, :, :10] = level  # One percent of 400 pixels is 4.
    x[:2, 5, 13 : 13 + pixels] = level  # At one place in two images, which are no neighbours.
    s = silhouettes(x, np.array([4, 2, 0]))
    x[:2, 5, 13 : 13 + pixels] = level if pixels == 4 else 1 - level
    np.testing.assert_array_equal(s, x[..., 0] * np.array([5, 3, 1])[:, None, None])


@pytest.mark.parametrize(("level", "joined"), [(1, True), (0, False)])
def test_ink_touches_at_corners_and_holes_do_not(level, joined):
    x = np.full((1, 20, 20, 1), 1 - level, np.float32)
    x[:, :, :10] = level
    x[0, [4, 4, 5, 5], [13, 14, 15, 16]] = level
    s = silhouettes(x, np.array([0]))
    np.testing.assert_array_equal(
        s[0, 4:6, 13:17] == level, (x[0, 4:6, 13:17, 0] == level) & joined
    )


@pytest.mark.skipif(not os.path.exists(FASHION), reason="needs Debian's dataset-fashion-mnist")
def test_silhouettes_of_fashion_mnist():
    y = datasets.load(FASHION, split="test").y
    maps = label_maps.load(f"silhouettes:{FASHION}", split="test")
    for label in range(10):
        assert set(np.unique(maps.s[y == label])) == {0, 1 + label}
    assert (maps.s > 0).any((1, 2)).all()
    # Rules were chosen by eye; this is what the eye saw: garments fill their frame, sandals do not.
    share = np.array([(maps.s[y == label] > 0).mean() for label in range(10)])
    assert share[[0, 2, 4, 6]].min() > 0.5 and share[5] < 0.3


# Files


@pytest.mark.parametrize("encode", [np.uint8, palette])
@pytest.mark.parametrize("parts", ["", "train test"])
def test_folder(tmp_path, encode, parts):
    for part in parts.split() or [""]:
        order = range(20) if part != "test" else range(7)
        files = {f"images/{i:02d}.png": X[i] for i in order}
        files |= {f"masks/{i:02d}.png": encode(S[i]) for i in order}
        png(files)(tmp_path / part)
    (tmp_path / "notes.txt").write_text("not read")
    train, test, both = (label_maps.load(tmp_path, split=split) for split in datasets.SPLITS)
    assert train.x.dtype == np.float32 and train.x.shape[1:] == (3, 4, 1)
    assert both.s.dtype == np.int32 and both.num_classes == test.num_classes == 5
    if parts:
        assert (numbers(train), numbers(test)) == (list(range(20)), list(range(7)))
        assert numbers(both) == numbers(train) + numbers(test)
    else:
        assert len(test.x) == 2 and sorted(numbers(train) + numbers(test)) == numbers(both)


def test_a_class_to_ignore_is_no_label(tmp_path):
    files = {f"images/{i}.png": X[i] for i in range(20)}
    png(files | {f"masks/{i}.png": S[i].astype(np.uint8) for i in range(20)})(tmp_path)
    npz(x=X[..., None], s=S)(tmp_path)
    for data in (tmp_path, tmp_path / "set.npz"):
        usual = label_maps.load(data, split="all")
        for ignore, num_classes in ((4, 4), (1, 5)):
            maps = label_maps.load(data, split="all", ignore=ignore)
            np.testing.assert_array_equal(maps.s, np.where(usual.s == ignore, -1, usual.s))
            assert maps.num_classes == num_classes
    with pytest.raises(ValueError, match=r"ignore=3 is of maps in a folder or \.npz; 'silhou"):
        label_maps.load("silhouettes:digits", ignore=3)


def test_images_without_masks_and_images_in_colour(tmp_path):
    colour = np.stack([X[5], X[6], X[7]], axis=-1)
    png({"images/a.bmp": colour, "images/b.png": colour, "masks/b.png": S[3].astype(np.uint8)})(
        tmp_path
    )
    maps = label_maps.load(tmp_path, split="all")
    np.testing.assert_array_equal(maps.s, np.stack([np.full((3, 4), -1), S[3]]))
    np.testing.assert_allclose(maps.x[1, 0, 0] * 255, [5, 6, 7], rtol=1e-6)
    assert maps.num_classes == 4


def test_npz(tmp_path):
    npz(x=X, s=S)(tmp_path)
    train, test, both = (label_maps.load(tmp_path / "set.npz", split=s) for s in datasets.SPLITS)
    assert len(test.x) == 2 and sorted(numbers(train) + numbers(test)) == numbers(both)
    missing = np.where(np.arange(4)[:, None, None] == 2, -1, 6 * (S[:4] > 0))
    npz(x=X, s=S.astype(np.uint8), x_test=X[:4] / 255, s_test=missing)(tmp_path)
    train, test = (label_maps.load(tmp_path / "set.npz", split=s) for s in ("train", "test"))
    assert numbers(train) == list(range(20)) and train.num_classes == 7
    np.testing.assert_array_equal(test.s, missing)


@pytest.mark.parametrize("encode", [np.uint8, palette])
def test_pixels_that_masks_mark_by_255_have_no_label(tmp_path, encode):
    """The convention of VOC and Cityscapes; such pixels count neither as a class nor as a map."""
    mask = np.where(np.arange(4) == 1, 255, S[3])
    images = {f"images/{name}.png": X[3] for name in "abc"}
    masks = {"masks/a.png": encode(mask), "masks/b.png": encode(np.full((3, 4), 255))}
    png({**images, **masks})(tmp_path)
    maps = label_maps.load(tmp_path, split="all")
    missing = np.full((3, 4), -1)
    np.testing.assert_array_equal(maps.s, [np.where(mask == 255, -1, mask), missing, missing])
    assert (maps.s.dtype, maps.num_classes) == (np.int32, 4)
    halved = label_maps.load(tmp_path, split="all", size=(3, 2))
    assert set(np.unique(halved.s[0])) <= {-1, 3}


def test_pixels_without_a_label_in_an_npz(tmp_path):
    """Integers with a sign have -1 for them, or 255 as bytes have, unless that is a class."""
    mixed = np.where(np.arange(4) == 1, -1, S)
    marked = np.where(mixed == -1, 255, S)
    for s in (mixed, marked.astype(np.uint8), marked):
        npz(x=X, s=s)(tmp_path)
        maps = label_maps.load(tmp_path / "set.npz", split="all")
        np.testing.assert_array_equal(maps.s, mixed)
        assert maps.num_classes == 5
    npz(x=X, s=np.where(S.max() == S, 256, marked))(tmp_path)
    assert label_maps.load(tmp_path / "set.npz", split="all").num_classes == 257


@pytest.mark.parametrize("size", [(6, 6), (5, 10), (10, 5), 60])
@pytest.mark.parametrize("shape", [(32, 48), (48, 32), (32, 32)])
def test_image_and_map_are_cut_and_resized_together(tmp_path, shape, size):
    # Fields of one class and of its gray, three of them from left to right.
    mask = np.indices(shape)[1] * 3 // shape[1]
    height, width = (size, size) if isinstance(size, int) else size
    png({"images/a.png": (100 * mask).astype(np.uint8), "masks/a.png": mask.astype(np.uint8)})(
        tmp_path
    )
    maps = label_maps.load(tmp_path, split="all", size=size)
    assert (maps.x.shape, maps.s.shape) == ((1, height, width, 1), (1, height, width))
    # Where the map's neighbours on both sides are of its class, so is the image's gray.
    s, x = maps.s[0], maps.x[0, ..., 0] * 255
    inside = np.ones_like(s, bool)
    inside[:, 1:] &= s[:, 1:] == s[:, :-1]
    inside[:, :-1] &= s[:, :-1] == s[:, 1:]
    np.testing.assert_allclose(x[inside], 100 * s[inside], atol=3)
    # A pixel of the map is the one that lies under its centre.
    scale = min(shape[0] / height, shape[1] / width)
    centres = (np.arange(width) + 0.5 - width / 2) * scale + shape[1] / 2
    under = mask[0, np.floor(centres + 1e-9).astype(int)]
    np.testing.assert_array_equal(s, np.tile(under, (height, 1)))


def test_images_of_different_sizes(tmp_path):
    files = {"images/a.png": X[0], "images/b.png": X[0].T, "masks/a.png": S[0].astype(np.uint8)}
    png(files)(tmp_path)
    with pytest.raises(
        ValueError, match=r"b\.png is \(4, 3\), images before it are \(3, 4\); pass"
    ):
        label_maps.load(tmp_path)
    maps = label_maps.load(tmp_path, split="all", size=3)
    assert (maps.x.shape, list(maps.s[:, 0, 0])) == ((2, 3, 3, 1), [0, -1])


MASK = {"masks/a.png": SMALL}
WRONG_DATA = [
    (png({"images/a.png": SMALL}), r"must be a folder that has the folders images/ and masks/"),
    (lambda folder: png({"x.png": SMALL})(folder), r"must be a folder that has"),
    (
        png({"images/b.png": SMALL, **MASK}),
        r"1 mask \(a\) has no image, while 1 image \(b\) has no mask\. Name a mask",
    ),
    (png({"images/b.png": SMALL, "masks/b.png": SMALL[:1]}), r"b\.png is \(1, 2\), its image is"),
    (png({"images/b.png": SMALL, "masks/b.png": SMALL + 255}), r"no image has a map"),
    (
        png({"images/a.png": SMALL, "masks/a.png": np.zeros((2, 2, 3), np.uint8)}),
        r"a\.png has mode RGB of 8 bits; save class indices as gray",
    ),
    (
        png({"images/a.png": SMALL, "masks/a.png": SMALL.astype(np.uint16)}),
        r"a\.png has mode I;16 of 16 bits",
    ),
    (
        png({"images/a.png": SMALL, "masks/a.png": Image.new("1", (2, 2))}),
        r"a\.png has mode 1 of 1 bits",
    ),
    (png({"images/a.png": SMALL, "masks/a.jpg": SMALL}), r"a\.jpg cannot be read as PNG: cannot"),
    (png({"images/a.png": SMALL, "images/a.bmp": SMALL, **MASK}), r"a\.png has the stem of a\.bmp"),
    (png({"images/a.txt/b.png": SMALL, "masks/b.txt/a.png": SMALL}), r"images has no images"),
    (
        png({"images/a.png": SMALL, "images/b.png": np.zeros((2, 2, 3), np.uint8), **MASK}),
        r"b\.png is \(2, 2, 3\), images before it are \(2, 2\)",
    ),
    (png({"images/a.png": SMALL, "masks/c.txt/b.png": SMALL}), r"no image has a map; add one"),
    (png({"images/a.png": SMALL, **MASK}), r"one image cannot be divided; use split='all'"),
    (npz(x=X), r"set\.npz is no \.npz of images and maps: needs x and s, .* found \['x'\]"),
    (npz(x=X, s=S, x_test=X), r"needs x and s, perhaps x_test and s_test, found"),
    (npz(x_test=X, s_test=S), r"needs x and s, perhaps"),
    (npz(x=X, s=S.astype(object)), r"no \.npz of images and maps: s\.npy holds pickled objects"),
    (lambda folder: (folder / "set.npz").write_text("x"), r"set\.npz is no \.npz of images"),
    (
        npz(x=X, s=S[:19]),
        r"set\.npz \(train\): maps must be integers.*\(20, 3, 4\), got int64 \(19",
    ),
    (npz(x=X, s=S[..., None]), r"maps must be integers, one for each pixel of \(20, 3, 4\)"),
    (npz(x=X, s=S / 4), r"got float64 \(20, 3, 4\); store class indices"),
    (npz(x=X, s=S - 2), r"classes count from 0, .* a map has -2"),
    (npz(x=X, s=S * 0 - 1), r"no image has a map"),
    (npz(x=X.astype(int), s=S), r"images are int64; make them uint8"),
]


@pytest.mark.parametrize(("write", "match"), WRONG_DATA)
def test_wrong_data(tmp_path, write, match):
    write(tmp_path)
    path = tmp_path / "set.npz"
    with pytest.raises(ValueError, match=match):
        label_maps.load(path if path.exists() else tmp_path)


def test_gray_masks_of_fewer_bits_are_refused(tmp_path):
    png({"images/a.png": SMALL})(tmp_path)
    (tmp_path / "masks").mkdir()
    # Bit depth 4 and colour type 0 (gray): Pillow would read class 1 as 17.
    ihdr = b"IHDR" + (2).to_bytes(4) + (2).to_bytes(4) + bytes([4, 0, 0, 0, 0])
    idat = b"IDAT" + zlib.compress(b"\0\x01\0\x10")
    chunks = b"".join(
        (len(c) - 4).to_bytes(4) + c + zlib.crc32(c).to_bytes(4) for c in (ihdr, idat, b"IEND")
    )
    (tmp_path / "masks/a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    with pytest.raises(ValueError, match=r"a\.png has mode L of 4 bits"):
        label_maps.load(tmp_path, split="all")


def test_wrong_requests(tmp_path):
    npz(x=X, s=S, x_test=X[:, :2], s_test=S[:, :2])(tmp_path)
    np.savez(tmp_path / "gray.npz", x=X)
    np.savez(tmp_path / "colour.npz", x=np.stack([X] * 3, axis=-1), y=np.arange(20))
    for data, options, match in [
        ("set.npz", {"split": "all"}, r"set\.npz: train and test differ .* joined"),
        ("set.npz", {"split": "valid"}, r"split is one of train, test, all; received 'valid'"),
        ("set.npz", {"split_rule": "old"}, r"split_rule is one of .*; received 'old'"),
        ("set.npz", {"size": 3}, r"set\.npz has a size of its own; leave out size=\(3, 3\)"),
        ("set.npz", {"size": 0}, r"size must be \(height, width\) in pixels, got \(0, 0\)"),
        ("set.npz", {"size": (1, 2, 3)}, r"size must be .* got \(1, 2, 3\)"),
        ("none.npz", {}, r"none\.npz' is neither a path nor known; data may be 'celeb_a_mask_hq'"),
        ("gray.npz", {}, r"gray\.npz is no \.npz of images and maps"),
    ]:
        with pytest.raises(ValueError, match=match):
            label_maps.load(tmp_path / data, **options)
    for data, options, match in [
        ("", {}, r"'' is neither a path nor known"),
        ("tfds:mnist", {}, r"'mnist' is neither .* 'oxford_iiit_pet', a folder of images/ and"),
        ("oxford_iiit_pet", {}, r"'oxford_iiit_pet' has images of many sizes; pass size="),
        ("silhouettes:digits", {"size": 8}, r"digits has a size of its own"),
        (f"silhouettes:{tmp_path}/gray.npz", {}, r"need labelled gray images, .* unlabelled"),
        (f"silhouettes:{tmp_path}/colour.npz", {}, r"need labelled gray images, .* in colour"),
    ]:
        with pytest.raises(ValueError, match=match):
            label_maps.load(data, **options)


# TFDS


@pytest.fixture
def pets(monkeypatch):
    """TFDS whose pets are not prepared, without a network."""
    import requests
    import tensorflow_datasets as tfds

    def head(url, timeout):
        raise requests.exceptions.ConnectionError(url)

    def as_dataset(split):
        def examples():
            for i in range({"train": 5, "test": 2}[split]):
                mask = 1 + np.arange(12 + i)[None, :, None] * 3 // (12 + i) * np.ones(
                    (9, 1, 1), int
                )
                image = np.broadcast_to(80 * mask, (9, 12 + i, 3))
                yield {"image": image.astype("uint8"), "segmentation_mask": mask.astype("uint8")}

        shapes = {"image": (None, None, 3), "segmentation_mask": (None, None, 1)}
        signature = {name: tf.TensorSpec(shape, tf.uint8) for name, shape in shapes.items()}
        return tf.data.Dataset.from_generator(examples, output_signature=signature)

    builder = types.SimpleNamespace(
        name="oxford_iiit_pet",
        is_prepared=lambda: False,
        url_infos={"https://a/b": None},
        as_dataset=as_dataset,
    )
    builder.download_and_prepare = lambda: pytest.fail("a download was tried")
    monkeypatch.setattr(tfds, "builder", {"oxford_iiit_pet": builder}.get)
    monkeypatch.setattr(requests, "head", head)
    return builder


def test_pets(pets):
    pets.is_prepared = lambda: True
    maps = label_maps.load("oxford_iiit_pet", split="all", size=(9, 9))
    assert (maps.x.shape, maps.s.shape) == ((7, 9, 9, 3), (7, 9, 9))
    assert (maps.num_classes, maps.classes) == (3, ("pet", "background", "border"))
    np.testing.assert_array_equal(maps.s[:, 0, [0, 4, 8]], np.tile([0, 1, 2], (7, 1)))
    np.testing.assert_allclose(maps.x[:, 0, [0, 4, 8], 0] * 255, np.tile([80, 160, 240], (7, 1)))
    assert len(label_maps.load("tfds:oxford_iiit_pet", split="test", size=4).x) == 2
    blank = {"image": np.zeros((1, 4, 4, 3), np.uint8), "segmentation_mask": np.zeros((1, 4, 4, 1))}
    pets.as_dataset = lambda split: tf.data.Dataset.from_tensor_slices(
        {name: value.astype(np.uint8) for name, value in blank.items()}
    )
    with pytest.raises(ValueError, match=r"'oxford_iiit_pet': class 255 is out of range"):
        label_maps.load("oxford_iiit_pet", size=4)


@pytest.mark.parametrize("error", [None, ConnectionResetError, TimeoutError])
def test_pets_offline(pets, error):
    def download_and_prepare():
        raise error("no route")

    if error:  # Lost while downloading, rather than found missing before it.
        pets.url_infos, pets.download_and_prepare = None, download_and_prepare
    match = rf"'oxford_iiit_pet' is not on this machine.*{error.__name__ if error else ''}.*\.npz"
    with pytest.raises(ConnectionError, match=match):
        label_maps.load("oxford_iiit_pet", size=64)


# Colours


@pytest.mark.parametrize("background", [0, 1])
def test_colours(background):
    palette = label_maps.colours(40, background=background)
    assert (palette.dtype, palette.shape) == (np.float32, (40, 3))
    assert palette.min() == 0 and palette.max() <= 1
    np.testing.assert_array_equal(np.flatnonzero((palette == 0).all(1)), [background])
    np.testing.assert_array_equal(label_maps.colours(19, background=background), palette[:19])
    # 19 colours that differ by at least 8 of 255 levels somewhere.
    gaps = np.abs(palette[:19, None] - palette[None, :19]).max(-1) + np.eye(19)
    assert gaps.min() > 8 / 255


def test_painted_maps_show_pixels_without_a_label_in_white():
    s = np.array([[[0, 2], [1, -1]]])
    rgb = label_maps.painted(s, num_classes=3)
    assert (rgb.dtype, rgb.shape) == (np.float32, (1, 2, 2, 3))
    np.testing.assert_array_equal(rgb[s >= 0], label_maps.colours(3)[s[s >= 0]])
    np.testing.assert_array_equal(rgb[s < 0], [[1, 1, 1]])
