"""Tests of CelebAMask-HQ, on small folders of its layout."""

import functools
import shutil

import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from zoo.datasets import label_maps
from zoo.datasets.celeb_a_folder import MAPPING, PARTS
from zoo.datasets.celeb_a_mask_hq import CelebAMaskHQ
from zoo.datasets.known_classes import FACES

# {split: {index in CelebA-HQ: number of CelebA's file}}: both ends of every part of CelebA's
# list_eval_partition.txt, and faces in the first and last of four mask folders.
SPLITS = {
    "train": {0: 119614, 1999: 1, 2000: 162770},
    "validation": {1: 162771, 3999: 182637},
    "test": {29999: 182638, 28000: 202599},
}
SIDE = 128  # of masks; images are twice as large


def column_masks(parts):
    """Masks that overlap: the i-th covers all columns from the 6 i-th on."""
    columns = np.arange(SIDE)[None, :].repeat(SIDE, axis=0)
    return {part: columns >= 6 * i for i, part in enumerate(parts, start=1)}


def gray_of(index):
    return 20 + 7 * (index % 31)


def write(manual):
    """The layout of the download, with glasses in training images alone."""
    root = manual / "CelebAMask-HQ"
    (root / "CelebA-HQ-img").mkdir(parents=True)
    rows = ["idx          orig_idx    orig_file"]
    for split, faces in SPLITS.items():
        for index, number in faces.items():
            rows.append(f"{index:<12} {number - 1:<11} {number:06d}.jpg")
            image = np.full((2 * SIDE, 2 * SIDE, 3), gray_of(index), np.uint8)
            Image.fromarray(image).save(root / f"CelebA-HQ-img/{index}.jpg", quality=100)
            folder = root / "CelebAMask-HQ-mask-anno" / str(index // 2000)
            folder.mkdir(parents=True, exist_ok=True)
            for part, on in column_masks(PARTS).items():
                if split == "train" or part != "eye_g":
                    mask = Image.fromarray(255 * on.astype(np.uint8))
                    mask = mask.convert("RGB") if part == "skin" else mask
                    mask.save(folder / f"{index:05d}_{part}.png")
    (root / MAPPING).write_text("\n".join(rows) + "\n")
    return root


def prepared(tmp_path, config="64"):
    builder = CelebAMaskHQ(config=config, data_dir=tmp_path / "data")
    skip = tfds.download.ComputeStatsMode.SKIP
    options = tfds.download.DownloadConfig(manual_dir=tmp_path, compute_stats=skip)
    builder.download_and_prepare(download_config=options)
    return builder


@pytest.fixture(scope="class")
def download(request, tmp_path_factory):
    request.cls.EXAMPLE_DIR = tmp_path_factory.mktemp("manual")
    write(request.cls.EXAMPLE_DIR)


@pytest.mark.usefixtures("download")
class TestBuilder(tfds.testing.DatasetBuilderTestCase):
    """The checks of TFDS: registration, all configurations, disjoint splits, reloading."""

    DATASET_CLASS = CelebAMaskHQ
    SPLITS = {split: len(faces) for split, faces in SPLITS.items()}


def test_nineteen_classes_in_the_numbering_of_the_authors():
    assert len(FACES.names) == len(set(FACES.names)) == 19
    known = {"background": 0, "skin": 1, "nose": 2, "eye_g": 3, "hair": 13, "hat": 14, "cloth": 18}
    assert {name: FACES.names.index(name) for name in known} == known


@pytest.mark.parametrize("side", [64, 128])
def test_faces_keep_their_image_their_map_and_the_split_of_celeb_a(tmp_path, side):
    write(tmp_path)
    builder = prepared(tmp_path, str(side))
    assert builder.info.features["segmentation_mask"].names == list(FACES.names)
    # Later parts hide earlier ones, so that part i is left in columns 6 i to 6 i + 5; without
    # glasses the nose, which is before them, shows. Half the pixels: the centre of a pixel lies
    # on the border of two, and the second counts.
    columns = (2 * np.arange(side) + 1) * SIDE // (2 * side)
    full = np.minimum(columns // 6, 18)
    for split, faces in SPLITS.items():
        expected = full if split == "train" else np.where(full == 3, 2, full)
        numbers = {f"{number:06d}.jpg": index for index, number in faces.items()}
        for example in tfds.as_numpy(builder.as_dataset(split=split)):
            index = numbers.pop(example["celeb_a_file"].decode())
            np.testing.assert_allclose(example["image"], gray_of(index), atol=2)
            mask = example["segmentation_mask"][..., 0]
            np.testing.assert_array_equal(mask, np.tile(expected, (side, 1)))
        assert not numbers


def test_images_are_shrunk_with_antialiasing(tmp_path):
    root = write(tmp_path)
    checks = 255 * (np.indices((2 * SIDE, 2 * SIDE)).sum(0) % 2).astype(np.uint8)
    for index in SPLITS["test"]:
        Image.fromarray(checks).save(root / f"CelebA-HQ-img/{index}.jpg", quality=100)
    for example in tfds.as_numpy(prepared(tmp_path).as_dataset(split="test")):
        np.testing.assert_allclose(example["image"], 127.5, atol=10)


def test_the_name_is_registered(tmp_path):
    builder = tfds.builder("celeb_a_mask_hq/128", data_dir=tmp_path)
    assert builder.info.features["image"].shape == (128, 128, 3)


def test_label_maps_loads_what_was_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds, "builder", functools.partial(tfds.builder, data_dir=tmp_path))
    with pytest.raises(FileNotFoundError, match=r"manual does not exist(.|\n)*CelebAMask-HQ\.zip"):
        label_maps.load("celeb_a_mask_hq")
    write(tmp_path / "downloads/manual")
    train, test, both = (
        label_maps.load("celeb_a_mask_hq", split=split) for split in ("train", "test", "all")
    )
    assert (train.x.shape, train.s.shape) == ((3, 64, 64, 3), (3, 64, 64))
    assert (test.num_classes, test.classes, test.name) == (19, FACES.names, "celeb_a_mask_hq")
    assert (train.s == 3).any((1, 2)).all() and not (test.s == 3).any()
    np.testing.assert_array_equal(both.x, np.concatenate([train.x, test.x]))
    np.testing.assert_array_equal(both.s, np.concatenate([train.s, test.s]))
    large = label_maps.load("tfds:celeb_a_mask_hq", split="test", size=128)
    assert large.s.shape == (2, 128, 128)
    with pytest.raises(
        ValueError, match=r"'celeb_a_mask_hq' has the sizes \(64, 128\), got \(64, 32\)"
    ):
        label_maps.load("celeb_a_mask_hq", size=(64, 32))


def test_the_folder_itself_is_read_as_tfds_reads_it(tmp_path, monkeypatch):
    monkeypatch.setattr(tfds, "builder", functools.partial(tfds.builder, data_dir=tmp_path))
    root = write(tmp_path / "downloads/manual")
    for split in ("train", "test"):
        prepared_once = label_maps.load("celeb_a_mask_hq", split=split)
        found = label_maps.load(root, split=split, size=64)
        assert (found.num_classes, found.classes) == (19, FACES.names)
        assert found.colours == prepared_once.colours == FACES.shown
        order, same = (np.argsort(each.x[:, 0, 0, 0]) for each in (found, prepared_once))
        np.testing.assert_array_equal(found.s[order], prepared_once.s[same])
        np.testing.assert_allclose(found.x[order], prepared_once.x[same], atol=1e-6)
    assert label_maps.load(root, split="test", size=(32, 48)).s.shape == (2, 32, 48)
    with pytest.raises(ValueError, match=r"is \(256, 256, 3\), and its map is \(128, 128\); pass"):
        label_maps.load(root)
    (root / "CelebA-HQ-img/29999.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r"29999\.jpg is missing\. Get CelebAMask-HQ"):
        label_maps.load(root, split="test", size=64)


MASKS = "CelebAMask-HQ-mask-anno"
BROKEN = [
    (lambda root: (root / MAPPING).unlink(), rf"{MAPPING} is missing\. Get CelebAMask-HQ"),
    (lambda root: (root / MAPPING).write_text(""), r"columns .*orig_file.* first line, got ''"),
    (
        lambda root: (root / MAPPING).write_text("idx orig_idx\n0 119613\n"),
        r"columns .*'orig_file'\) in its first line, got 'idx orig_idx'",
    ),
    (
        lambda root: (root / MAPPING).write_text("idx orig_idx orig_file\n0 119614 119614.jpg\n"),
        r"'0 119614 119614\.jpg' is not a row",  # Counting from 1 would shift the splits.
    ),
    (
        lambda root: (root / MAPPING).write_text("idx orig_idx orig_file\n0 119613\n"),
        r"'0 119613' is not a row .* such as '0 119613 119614\.jpg'",
    ),
    (
        lambda root: (root / MAPPING).write_text("idx orig_idx orig_file\n0 202599 202600.jpg\n"),
        r"'0 202599 202600\.jpg' is not a row",
    ),
    (lambda root: (root / "CelebA-HQ-img/2000.jpg").unlink(), r"img/2000\.jpg is missing\. Get"),
    (
        lambda root: (root / "CelebA-HQ-img/0.jpg").write_bytes(b"half"),
        r"0\.jpg cannot be read: cannot identify .*; unpack",
    ),
    (lambda root: shutil.rmtree(root / MASKS / "1"), r"anno/1 has no mask 02000_PART\.png"),
    (
        lambda root: Image.new("L", (4, 5)).save(root / MASKS / "0/00000_hat.png"),
        r"00000_hat\.png is \(5, 4\), other masks of this face are \(128, 128\)",
    ),
]


@pytest.mark.parametrize(("spoil", "match"), BROKEN)
def test_broken_downloads(tmp_path, spoil, match):
    spoil(write(tmp_path))
    with pytest.raises((FileNotFoundError, ValueError), match=match):
        prepared(tmp_path)
