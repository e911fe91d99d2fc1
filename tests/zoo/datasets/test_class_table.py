"""Tables of classes: what colours and numbers mean, what is refused, and the known ones."""

import json

import numpy as np
import pytest

from zoo.datasets import class_table, known_classes
from zoo.datasets.class_table import ClassTable

SCENE = {"sky": "#0000ff", "road": [[9, 9, 9], (8, 8, 8)], "Void": (0, 0, 0), "tree": [0, 99, 0]}


def test_numbers_and_colours_mean_classes():
    table = ClassTable(SCENE)
    assert table.names == ("sky", "road", "tree")
    assert table.shown == {"sky": (0, 0, 255), "road": (9, 9, 9), "tree": (0, 99, 0)}
    numbers = np.array([[[0, 1, 2, 3, 255, -1]]])  # in the order of the table, "void" included
    expected = [[[0, 1, -1, 2, -1, -1]]]
    np.testing.assert_array_equal(table.of_numbers(numbers, where="maps"), expected)
    colours = np.array([[[0, 0, 255], [9, 9, 9], [8, 8, 8], [0, 0, 0], [0, 99, 0]]], np.uint8)
    classes = table.of_colours(colours, where="map")
    assert (classes.dtype, classes.tolist()) == (np.int32, [[0, 1, 1, -1, 2]])
    assert table.has_colours(colours) and not table.has_colours(colours + 1)


def test_what_the_table_lacks_is_listed_with_its_pixels_the_most_first():
    table = ClassTable(SCENE)
    colours = np.zeros((20, 20, 3), np.uint8)
    colours[:7] = (1, 2, 3)
    for index in range(10):
        colours[10, index] = (200, index, 0)
    match = r"a\.png has colours .* 3 classes lacks: \(1, 2, 3\) in 140 pixels, \(200, 0, 0\) in 1"
    with pytest.raises(
        ValueError, match=match + r" .*\(200, 6, 0\) in 1 pixels and 3 others; choo"
    ):
        table.of_colours(colours, where="a.png")
    with pytest.raises(ValueError, match=r"has numbers .* lacks: 12 in 2 pixels, 4 in 1 pixels;"):
        table.of_numbers(np.array([[0, 4, 12, 12]]), where="a.png")


@pytest.mark.parametrize(
    ("colours", "match"),
    [
        (["sky"], r"is \{name: colour\}; received \['sky'\]"),
        ({}, r"has 1 to 254 classes .* received \[\]"),
        ({"void": (0, 0, 0)}, r"1 to 254 classes .* received \['void'\]"),
        ({f"c{i}": (i, 0, 0) for i in range(255)}, r"has 1 to 254 classes"),
        ({"sky": (0, 0, 1), " sky": (0, 0, 2)}, r"of different names"),
        ({"": (0, 0, 1)}, r"name of a class is a text; received ''"),
        ({"a\nb": (0, 0, 1)}, r"name of a class is a text"),
        ({"sky": (0, 0)}, r"A colour is \(red, green, blue\).* class 'sky' has \(0, 0\)"),
        ({"sky": (0, 0, 256)}, r"class 'sky' has \(0, 0, 256\)"),
        ({"sky": "#00f"}, r"or '#rrggbb'; class 'sky' has '#00f'"),
        ({"sky": None}, r"Class 'sky' has the colour None, which is none"),
        ({"sky": (1, 2, 3), "sea": (1, 2, 3)}, r"colour \(1, 2, 3\) is that of 'sky' and of 'sea'"),
    ],
)
def test_what_is_no_table_is_refused(colours, match):
    with pytest.raises((TypeError, ValueError), match=match):
        ClassTable(colours)


def test_numbers_of_a_table_belong_to_its_classes():
    table = ClassTable({"sky": (1, 1, 1), "road": (2, 2, 2)}, numbers={"road": (7, 8), "sky": 3})
    found = table.of_numbers(np.array([3, 7, 8, 255]), where="map")
    np.testing.assert_array_equal(found, [0, 1, 1, -1])
    with pytest.raises(ValueError, match=r"number 7 is that of 'sky' and of 'road'"):
        ClassTable({"sky": (1, 1, 1), "road": (2, 2, 2)}, numbers={"sky": 7, "road": 7})
    with pytest.raises(ValueError, match=r"'sea' has a number, and is no class of \['sky'\]"):
        ClassTable({"sky": (1, 1, 1)}, numbers={"sea": 7})
    with pytest.raises(ValueError, match=r"number 255 is that of 'sky' and of 'void'"):
        ClassTable({"sky": (1, 1, 1)}, numbers={"sky": 255})


def test_tables_of_files(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(SCENE))
    rows = ["name,r,g,b", "sky,0,0,255", "road,9,9,9", "road, 8, 8, 8", "Void,0,0,0", "tree,0,99,0"]
    (tmp_path / "b.csv").write_text("\ufeff" + "\n".join(rows) + "\n")
    for name in ("a.json", "b.csv"):
        table = known_classes.get(tmp_path / name)
        assert table.colours == ClassTable(SCENE).colours
    # What a run keeps of a table makes the table again.
    again = known_classes.get(json.loads(json.dumps(table.colours)))
    assert again.colours == table.colours


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("a.json", "[]", r"a\.json is damaged, it holds a list"),
        ("a.json", "{", r"a\.json is damaged, it holds no JSON"),
        ("a.json", '{"sky": 3}', r"a\.json: Class 'sky' has the colour 3"),
        ("a.csv", "", r"a\.csv needs a first line with the columns name, r, g, b; .* ''"),
        ("a.csv", "sky,0,0,1", r"its first line is 'sky, 0, 0, 1'"),
        ("a.csv", "name,r,g,b\nsky,0,0", r"'sky, 0, 0' is no row of name, red, green and blue"),
        ("a.csv", "name,r,g,b\nsky,0,0,x", r"'sky, 0, 0, x' is no row"),
        ("a.csv", "name,r,g,b\nsky,0,0,300", r"a\.csv: A colour is .* class 'sky' has"),
        ("a.csv", "\x00\xff", r"a\.csv"),
        ("a.txt", "sky 0 0 1", r"a \.json or a \.csv with .*a\.txt is no such file"),
        ("a.csv", "name,r,g,b\n" + 2**20 * " ", r"more than 1,048,576 bytes"),
    ],
)
def test_files_that_are_no_tables_are_refused(tmp_path, name, text, match):
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match=match):
        class_table.read(tmp_path / name)


def test_a_folder_and_a_file_that_is_not_there_are_no_tables(tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(ValueError, match=r"a\.csv is no such file"):
        known_classes.get(tmp_path / "a.csv")
    with pytest.raises(ValueError, match=r"one of camvid, .*; there is no file 'pascal'"):
        known_classes.get("pascal")


# Known tables, by what their makers publish of them


def test_the_colours_of_voc_are_the_bits_of_its_classes():
    """Bit 3 k + c of the number is bit 7 - k of the level of colour c."""
    for number, name in [*enumerate(known_classes.VOC.names), (255, "void")]:
        bits = [[number >> (3 * k + c) & 1 for k in range(3)] for c in range(3)]
        expected = tuple(sum(bit << (7 - k) for k, bit in enumerate(level)) for level in bits)
        assert known_classes.VOC.colours[name] == (expected,)
    assert len(known_classes.VOC.names) == 21


def test_cityscapes_trains_19_of_its_34_numbers():
    ids = np.arange(34)
    found = known_classes.CITYSCAPES.of_numbers(ids, where="ids")
    np.testing.assert_array_equal(np.flatnonzero(found >= 0), known_classes._IDS)
    np.testing.assert_array_equal(found[found >= 0], np.arange(19))
    known = {7: "road", 11: "building", 23: "sky", 26: "car", 33: "bicycle"}
    assert {n: known_classes.CITYSCAPES.names[found[n]] for n in known} == known
    trained = known_classes.get("cityscapes_train_ids").of_numbers(np.arange(19), where="ids")
    np.testing.assert_array_equal(trained, np.arange(19))


def test_camvid_joins_31_classes_to_11():
    many, few = known_classes.CAMVID_32, known_classes.CAMVID
    assert (len(many.names), len(few.names)) == (31, 11)
    colours = np.array([[colour for several in many.colours.values() for colour in several]])
    found = few.of_colours(colours, where="all")
    assert set(found[0]) == {-1, *range(11)} and (found < 0).sum() == 1
    numbers = np.arange(12)  # of the maps that most projects use, whose last one is "void"
    np.testing.assert_array_equal(few.of_numbers(numbers, where="all"), [*range(11), -1])


def test_every_known_table_has_one_colour_for_every_class():
    for name, table in known_classes.TABLES.items():
        shown = list(table.shown.values())
        assert len(set(shown)) == len(shown), name
        assert known_classes.get(name) is table
