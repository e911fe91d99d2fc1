"""Tests of the image sets."""

import gzip
import os
import struct
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo import datasets
from zoo.datasets import embedded

FASHION = "/usr/share/datasets/fashion-mnist"
GRAY = np.arange(20 * 3 * 4, dtype=np.uint8).reshape(20, 3, 4)
SCALED = (GRAY / np.float32(255))[..., None]
LABELS = np.arange(20) % 3
SMALL = np.zeros((2, 2), np.uint8)


def npz(**arrays):
    return lambda folder: np.savez(folder / "set.npz", **arrays)


def idx(name, array, *, magic=None, cut=0):
    content = magic or bytes((0, 0, 8, array.ndim))
    content += struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()
    content = content[: len(content) - cut]
    content = gzip.compress(content) if name.endswith(".gz") else content
    return lambda folder: (folder / name).write_bytes(content)


def png(**arrays):
    def write(folder):
        for name, array in arrays.items():
            file = folder / f"{name.replace('__', '/')}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(array).save(file)

    return write


def text(name):
    return lambda folder: (folder / name).write_text("not what it seems")


def load_all(data):
    """Train, test and all, valid and together complete."""
    train, test, both = (datasets.load(data, split=split) for split in ("train", "test", "all"))
    for images in (train, test, both):
        assert images.x.dtype == np.float32 and images.x.ndim == 4
        assert images.y.dtype == np.int32 and images.y.shape == images.x.shape[:1]
        assert images.y.min() >= 0 and images.y.max() < images.num_classes == both.num_classes
    parts, whole = (x.reshape(len(x), -1) for x in (np.concatenate([train.x, test.x]), both.x))
    np.testing.assert_array_equal(np.sort(parts, axis=0), np.sort(whole, axis=0))
    np.testing.assert_array_equal(datasets.load(data, split="test").x, test.x)
    return train, test, both


def test_digits():
    train, test, both = load_all("digits")
    assert train.x.shape == (1437, 8, 8, 1) and test.x.shape == (360, 8, 8, 1)
    assert (both.x.min(), both.x.max(), both.name, both.num_classes) == (0, 1, "digits", 10)
    assert min(np.bincount(test.y)) > 0.07 * len(test.y)


@pytest.mark.parametrize(
    "naming", ["{}-{}-idx{}-ubyte", "{}-{}-idx{}-ubyte.gz", "{}-{}.idx{}-ubyte"]
)
@pytest.mark.parametrize("test_name", ["t10k", "test"])
def test_idx_folder(tmp_path, naming, test_name):
    idx(naming.format("train", "images", 3), GRAY)(tmp_path)
    idx(naming.format("train", "labels", 1), LABELS)(tmp_path)
    idx(naming.format(test_name, "images", 3), GRAY[:7])(tmp_path)
    train, test = datasets.load(tmp_path), datasets.load(str(tmp_path), split="test")
    np.testing.assert_array_equal(train.x, SCALED)
    np.testing.assert_array_equal(train.y, LABELS)
    np.testing.assert_array_equal(test.x, SCALED[:7])
    assert (train.num_classes, test.y, test.num_classes) == (3, None, None)


def test_idx_set_of_one_part_is_divided_with_its_labels(tmp_path):
    for name, array in (("images-idx3-ubyte", GRAY), ("labels-idx1-ubyte", np.arange(20))):
        idx(name, array)(tmp_path)
        idx(f"{name}.gz", array)(tmp_path)  # What `gunzip --keep` leaves is no second set.
    train, test, both = load_all(tmp_path)
    assert len(test.x) == 2 and both.num_classes == 20
    np.testing.assert_array_equal(both.x, SCALED)
    np.testing.assert_array_equal(SCALED[train.y], train.x)
    np.testing.assert_array_equal(SCALED[test.y], test.x)


@pytest.mark.skipif(not os.path.exists(FASHION), reason="needs Debian's dataset-fashion-mnist")
def test_fashion_mnist():
    test = datasets.load(FASHION, split="test")
    assert (test.x.shape, test.name) == ((10000, 28, 28, 1), "fashion-mnist")
    np.testing.assert_array_equal(np.bincount(test.y), np.full(10, 1000))


@pytest.mark.parametrize("dtype", [bool, np.float16, np.float32, np.float64])
def test_npz(tmp_path, dtype):
    x = np.linspace(0, 1, 20 * 2 * 2 * 3).reshape(20, 2, 2, 3).astype(dtype)
    npz(x=x, y=LABELS)(tmp_path)
    _, test, both = load_all(tmp_path / "set.npz")
    assert (len(test.x), both.name) == (2, "set")
    np.testing.assert_array_equal(both.x, x.astype(np.float32))
    np.testing.assert_array_equal(both.y, LABELS)


def test_npz_of_two_parts(tmp_path):
    npz(x=GRAY, y=LABELS, x_test=GRAY[:5], y_test=np.full(5, 6))(tmp_path)
    train, test, both = load_all(tmp_path / "set.npz")
    np.testing.assert_array_equal(train.x, SCALED)
    np.testing.assert_array_equal(test.y, np.full(5, 6))
    np.testing.assert_array_equal(both.y, np.concatenate([train.y, test.y]))
    assert both.num_classes == 7


@pytest.mark.parametrize("suffix", ["png", "PNG", "bmp", "jpg", "jpeg"])
@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("RGB", 3)])
def test_image_folder(tmp_path, suffix, mode, channels):
    for i in range(4):
        gray = Image.fromarray(np.full((4, 5), 255 * (i % 2), np.uint8))
        gray.convert(mode).save(tmp_path / f"{i}.{suffix}")
    text("notes.txt")(tmp_path)
    images = datasets.load(tmp_path, split="all")
    assert images.x.shape == (4, 4, 5, channels) and images.y is None
    np.testing.assert_allclose(images.x.mean((1, 2, 3)), [0, 1, 0, 1], atol=0.01)


def test_image_subfolders_are_classes_in_sorted_order(tmp_path):
    png(cat__0=SMALL + 200, bear__0=SMALL + 100, bear__1=SMALL + 100, ape__7=SMALL)(tmp_path)
    images = datasets.load(tmp_path, split="all")
    np.testing.assert_array_equal(images.y, [0, 1, 1, 2])
    np.testing.assert_allclose(images.x[:, 0, 0, 0], images.y / 2.55, rtol=1e-6)


def test_image_folders_train_and_test_share_their_classes(tmp_path):
    png(train__ape__0=SMALL, train__cat__0=SMALL, test__cat__0=SMALL, test__bear__0=SMALL)(tmp_path)
    train, test, _ = load_all(tmp_path)
    assert (list(train.y), list(test.y), test.num_classes) == ([0, 2], [1, 2], 3)


IDX3, IDX1 = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
WRONG_DATA = [
    (npz(x=GRAY.astype(float)), r"set\.npz \(train\).*\[0, 1\], got 0 to 239; divide"),
    (npz(x=GRAY / 255 - 0.5), r"got -0\.5 to"),
    (npz(x=np.where(GRAY == 7, np.nan, 0.5)), r"got nan to nan"),
    (npz(x=np.where(GRAY == 7, np.inf, 0.5)), r"got 0\.5 to inf"),
    (npz(x=GRAY[0]), r"\[N, H, W\(, C\)\], not empty, got \(3, 4\)"),
    (npz(x=GRAY[:0]), r"not empty, got \(0, 3, 4\)"),
    (npz(x=GRAY.astype(int)), r"images are int64; make them uint8"),
    (npz(x=GRAY.astype(complex)), r"images are complex128; make them uint8"),
    (npz(x=GRAY.astype(str)), r"images are <U\d+; make them uint8"),
    (
        npz(x=GRAY.astype(object)),
        r"set\.npz is no \.npz of plain arrays: x\.npy holds pickled objects",
    ),
    (npz(x_train=GRAY), r"must be called 'x', found \['x_train'\]"),
    (text("set.npz"), r"set\.npz is no \.npz of plain arrays"),
    (npz(x=GRAY, y=LABELS[:19]), r"one integer for each of 20 images, got int64 \(19,\)"),
    (npz(x=GRAY, y=np.eye(3)[LABELS]), r"got float64 \(20, 3\); pass class indices"),
    (npz(x=GRAY, y=LABELS.astype(float)), r"got float64 \(20,\)"),
    (npz(x=GRAY, y=LABELS - 1), r"count from 0, got -1"),
    (npz(x=GRAY[:1]), r"one image cannot be divided; use split='all'"),
    (idx(IDX3, GRAY, magic=b"\0\0\x0d\3"), r"idx3-ubyte must start with 00000803, got 00000d03"),
    (idx(IDX3, LABELS), r"idx3-ubyte must start with 00000803, got 00000801"),
    (idx(IDX3, GRAY, cut=1), r"idx3-ubyte is truncated: 255 bytes for an array of \(20, 3, 4\)"),
    (idx(IDX3, GRAY, cut=245), r"idx3-ubyte is truncated: 11 bytes"),
    (idx(IDX3, GRAY, cut=256), r"idx3-ubyte must start with 00000803, got None"),
    (idx(IDX1, LABELS), r"images for \[\], labels for \['train'\]"),
    (text(f"{IDX3}.gz"), r"idx3-ubyte\.gz is damaged: Not a gzipped file"),
    (
        lambda folder: [idx(f"{a}-{IDX3}", GRAY)(folder) for a in "ab"],
        r"b-train.* is a second file",
    ),
    (text("notes.txt"), r"all in this folder, or all.*got 0 images"),
    (text("a.png"), r"a\.png cannot be read: cannot identify"),
    (png(a=SMALL, b=SMALL, c=SMALL[:1]), r"c\.png is \(1, 2\), but a\.png is \(2, 2\)"),
    (png(a=SMALL, b=np.zeros((2, 2, 3), np.uint8)), r"b\.png is \(2, 2, 3\)"),
    (png(a=SMALL.astype(np.uint16)), r"a\.png cannot be read: mode I;16 is not 8-bit"),
    (png(a=SMALL, b__c=SMALL), r"got 2 images at depths \[1, 2\]"),
]


@pytest.mark.parametrize(("write", "match"), WRONG_DATA)
def test_wrong_data(tmp_path, write, match):
    write(tmp_path)
    path = tmp_path / "set.npz"
    with pytest.raises(ValueError, match=match):
        datasets.load(path if path.exists() else tmp_path)


def test_wrong_requests(tmp_path):
    npz(x=GRAY, y=LABELS, x_test=GRAY)(tmp_path)
    text("set.csv")(tmp_path)
    with pytest.raises(ValueError, match=r"set\.npz: train and test differ .* joined"):
        datasets.load(tmp_path / "set.npz", split="all")
    with pytest.raises(ValueError, match=r"set\.csv is neither a \.npz nor a folder.*'digits'"):
        datasets.load(tmp_path / "set.csv")
    with pytest.raises(ValueError, match=r"split is one of train, test, all; received 'valid'"):
        datasets.load(split="valid")
    with pytest.raises(ValueError, match=r"split_rule is one of .*; received 'random'"):
        datasets.load(split_rule="random")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("data", ["mnsit", "tfds:mnsit", "no/x.npz", "", "imdb_reviews"])
def test_unknown_name(data):
    name = data.removeprefix("tfds:")
    match = rf"'{name}' is neither a path nor a TFDS image.*'mnist', 'fashion_mnist_bits'"
    with pytest.raises(ValueError, match=match):
        datasets.load(data)


@pytest.fixture
def tfds(monkeypatch):
    """TFDS whose mnist is not prepared, without a network."""
    import requests
    import tensorflow_datasets as tfds

    def head(url, timeout):
        raise requests.exceptions.ConnectionError(url)

    builder = types.SimpleNamespace(
        name="mnist",
        info=tfds.builder("mnist").info,
        is_prepared=lambda: False,
        url_infos={"https://a/b": None},
        download_and_prepare=lambda: pytest.fail("a download was tried"),
    )
    monkeypatch.setattr(tfds, "builder", {"mnist": builder}.get)
    monkeypatch.setattr(requests, "head", head)
    return types.SimpleNamespace(builder=builder, patch=monkeypatch)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("data", ["mnist", "tfds:mnist"])
def test_tfds(tfds, data):
    def part(x, y):
        columns = {"image": x[..., None], "id": y, "label": y.astype(np.int64)}
        return tf.data.Dataset.from_tensor_slices(columns)

    parts = {"extra": None, "test": part(GRAY[:4], LABELS[:4]), "train": part(GRAY, LABELS)}
    tfds.patch.setattr(tfds.builder, "is_prepared", lambda: True)
    tfds.builder.as_dataset = lambda: parts
    train, test, both = load_all(data)
    np.testing.assert_array_equal(train.x, SCALED)
    np.testing.assert_array_equal(both.y, np.concatenate([LABELS, LABELS[:4]]))
    assert (len(test.x), train.name, train.num_classes) == (4, "mnist", 10)
    tfds.builder.as_dataset = lambda: {"extra": None}
    with pytest.raises(ValueError, match=r"'mnist' has no train or test, but \['extra'\]"):
        datasets.load(data)
    tfds.builder.as_dataset = lambda: parts
    parts["test"] = part(GRAY, LABELS + 10)
    with pytest.raises(ValueError, match=r"mnist: label 12 is out of range for 10 classes"):
        datasets.load(data)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("shape", [(None, None, 3), None])
def test_tfds_without_images_of_one_size(tfds, shape):
    features = {"image" if shape else "text": types.SimpleNamespace(shape=shape)}
    tfds.patch.setattr(tfds.builder, "info", types.SimpleNamespace(features=features))
    with pytest.raises(ValueError, match=r"it has no 'image' of one size, but \['(image|text)'\]"):
        datasets.load("mnist")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("error", [None, ConnectionResetError, TimeoutError])
def test_tfds_offline(tfds, error):
    def download():
        raise error("no route")

    if error:  # Lost while downloading, rather than found missing before it.
        tfds.patch.setattr(tfds.builder, "url_infos", None)
        tfds.patch.setattr(tfds.builder, "download_and_prepare", download)
    match = rf"'mnist' is not on this machine.*{error.__name__ if error else ''}.*'digits'.*\.npz"
    with pytest.raises(ConnectionError, match=match):
        datasets.load("mnist")


def test_the_embedded_images_are_bits_of_fashion_mnist_in_equal_shares():
    train, test, both = load_all("fashion_mnist_bits")
    assert train.x.shape == (9000, 28, 28, 1) and test.x.shape == (1000, 28, 28, 1)
    assert set(np.unique(both.x)) == {0, 1} and both.num_classes == 10
    assert (np.bincount(both.y) == 1000).all() and (np.bincount(test.y) == 100).all()
    size = sum(path.stat().st_size for path in embedded.FILES.iterdir())
    assert size < 1e6 and any("LICENSE" in path.name for path in embedded.FILES.iterdir())
    np.testing.assert_array_equal(datasets.load(split="test").x, test.x)
