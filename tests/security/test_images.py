"""Folders of strangers: images that fill the memory, links, pipes, names that steer a terminal."""

import json
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.security import watch
from zoo import datasets
from zoo.cli import train
from zoo.datasets import label_maps
from zoo.runs import settings_file

X = np.random.default_rng(0).integers(0, 255, (8, 8), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """A folder beside which nothing may appear."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def png(path, pixels=X):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, format="PNG")


def chunk(name, content):
    checksum = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + checksum


def bomb(side, *, rows=1):
    """A gray PNG of side x side pixels, of which some rows are there."""
    head = struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((side + 1) * rows), 9)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def gigapixels(folder):
    (folder / "a.png").write_bytes(bomb(100_000))


def just_above_the_limit(folder):
    (folder / "a.png").write_bytes(bomb(10_000))


def cut(folder):
    png(folder / "a.png")
    (folder / "a.png").write_bytes((folder / "a.png").read_bytes()[:60])


def damaged(folder):
    content = bytearray(bomb(8, rows=8))
    content[40:44] = b"\xff" * 4
    (folder / "a.png").write_bytes(content)


def text(folder):
    (folder / "a.png").write_text("no image")


def program(folder):
    (folder / "a.png").write_text(f"#!/bin/sh\ntouch {folder}/ran\n")


def postscript(folder):
    head = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n"
    (folder / "a.png").write_text(f"{head}({folder}/ran) (w) file closefile showpage\n%%EOF\n")


def pipe(folder):
    os.mkfifo(folder / "a.png")


def device(folder):
    (folder / "a.png").symlink_to("/dev/zero")


def broken_link(folder):
    (folder / "a.png").symlink_to(folder / "nothing")


def link_to_itself(folder):
    (folder / "a.png").symlink_to(folder / "a.png")


def link_to_a_secret(folder):
    (folder / "a.png").symlink_to("/etc/passwd")


IMAGES = (gigapixels, just_above_the_limit, cut, damaged, text, program, postscript, pipe, device)
IMAGES += (broken_link, link_to_itself, link_to_a_secret)


@pytest.mark.parametrize("make", IMAGES, ids=lambda make: make.__name__)
def test_what_is_no_honest_image_is_refused_by_name(make, folder):
    make(folder)
    before = sorted(os.listdir(folder))
    with watch.over(folder, memory=300):
        message = watch.refused(train.COMMAND, f"--data={folder}", f"--out={folder / 'run'}")
    assert "a.png" in message and len(message) < 600
    assert "root:" not in message  # of /etc/passwd
    assert sorted(os.listdir(folder)) == before


@pytest.mark.parametrize("make", IMAGES, ids=lambda make: make.__name__)
def test_masks_are_refused_in_the_same_way(make, folder):
    (folder / "masks").mkdir()
    png(folder / "images" / "a.png")
    make(folder / "masks")
    with watch.over(folder, memory=300), pytest.raises(ValueError, match=r"masks/a\.png"):
        label_maps.load(folder)


def test_many_images_of_nothing_are_counted_together(folder):
    for index in range(40):
        (folder / f"{index}.png").write_bytes(bomb(4_000, rows=4_000))
    with watch.over(folder, memory=300), pytest.raises(ValueError, match=r"its images.*-fold"):
        datasets.load(folder)
    (folder / "masks").mkdir()
    (folder / "images").mkdir()
    for path in folder.glob("*.png"):
        path.rename(folder / "images" / path.name)
    with watch.over(folder, memory=300), pytest.raises(ValueError, match=r"its images.*-fold"):
        label_maps.load(folder)


def test_links_to_folders_are_not_entered(folder):
    """Neither out of the folder nor in circles."""
    for index in range(4):
        png(folder / "a" / f"{index}.png")
        png(folder.parent / "elsewhere" / f"{index}.png")
    (folder / "b").symlink_to(folder.parent / "elsewhere")
    (folder / "c").symlink_to(folder)
    found = datasets.load(folder, split="all")
    assert len(found.x) == 4 and found.num_classes == 1


def test_links_to_images_are_followed(folder):
    png(folder.parent / "elsewhere" / "0.png")
    for name in ("a.png", "b.png"):
        (folder / name).symlink_to(folder.parent / "elsewhere" / "0.png")
    assert len(datasets.load(folder, split="all").x) == 2


def test_folders_in_folders_in_folders_are_not_entered(folder):
    """Python's stack is shallower than a file system."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        for _ in range(3 * sys.getrecursionlimit()):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(before)
    with watch.over(folder), pytest.raises(ValueError, match=r"got 0 images at depths \[\]"):
        datasets.load(folder)
    png(folder / "a.png")
    png(folder / "d" / "d" / "a.png")
    with watch.over(folder), pytest.raises(ValueError, match=r"2 images at depths \[1, 3\]"):
        datasets.load(folder)
    removed(folder)


def removed(folder):
    """Removes folders that are too deep for the tools that would."""
    os.rename(folder / "d", folder / "rest")
    while (folder / "rest").exists():
        below = folder / "rest" / "d"
        if below.exists():
            os.rename(below, folder / "next")
        for file in (folder / "rest").iterdir():
            file.unlink()
        (folder / "rest").rmdir()
        if (folder / "next").exists():
            os.rename(folder / "next", folder / "rest")


NAMES = ("a\nb.png", "a\r\x1b[2J.png", "a\x07\t.png", "\u202egnp.png", "a\x85b.png")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_break_no_line_and_steer_no_terminal(name, folder):
    (folder / name).write_text("no image")
    with watch.over(folder):
        message = watch.refused(train.COMMAND, f"--data={folder}", f"--out={folder / 'run'}")
    assert name.replace("\n", " ").encode("unicode_escape").decode() in message


def test_a_name_that_is_no_text_is_told_all_the_same(folder):
    (folder / os.fsdecode(b"a\xff.png")).write_text("no image")
    with watch.over(folder):
        message = watch.refused(train.COMMAND, f"--data={folder}", f"--out={folder / 'run'}")
    assert r"a\udcff.png" in message


@pytest.mark.parametrize(
    "name", ["huggingface:a/b", "kaggle:x", "evil.module.Set", "../../evil", "a:b"]
)
def test_data_sets_of_others_are_not_asked_for(name, folder):
    with watch.over(folder):
        for data in (name, f"tfds:{name}"):
            message = watch.refused(train.COMMAND, f"--data={data}", f"--out={folder / 'run'}")
            assert "no name of a data set of TFDS itself" in message


def voc(folder, name):
    """The layout of VOC, whose list names one image."""
    for room in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / room).mkdir(parents=True)
    (folder / "ImageSets/Segmentation/train.txt").write_text(name)


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "a\\b", "\x1b[2J"], ids=ascii)
def test_lists_of_images_lead_nowhere_else(name, folder):
    voc(folder, name)
    png(folder.parent / "secret.jpg")
    png(folder.parent / "secret.png")
    flags = ("--preset=camvid", f"--data={folder}", f"--out={folder / 'run'}")
    with watch.over(folder, memory=300):
        message = watch.refused(train.COMMAND, *flags)
    assert "train.txt names" in message and "root:" not in message and "\x1b" not in message


def test_masks_are_measured_before_room_is_made_for_them(folder):
    png(folder / "images" / "a.png")
    (folder / "masks").mkdir()
    (folder / "masks" / "a.png").write_bytes(bomb(9_000, rows=9_000))  # below Pillow's limit
    with watch.over(folder, memory=60), pytest.raises(ValueError, match=r"is \(9000, 9000\), its"):
        label_maps.load(folder, classes="voc")


@pytest.mark.parametrize("name", ["/etc/passwd", "table.json", "../table.csv"])
def test_a_strangers_run_names_no_table_in_a_file(name, folder):
    settings = {"preset": "camvid", "classes": name}
    (folder / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=r"settings\.json: classes has to be an object, or one of"):
        settings_file.read(folder / "settings.json")
