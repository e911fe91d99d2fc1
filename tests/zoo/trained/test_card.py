"""Cards: they tell what is known, and refuse folders whose model is another."""

import json

import pytest

from zoo.trained.card import FILE, MODEL, TEXT, Card, digest, written


def card(folder, **changes):
    """A card of a folder with a file in the place of the model."""
    (folder / MODEL).write_bytes(b"weights")
    made = {"name": "n", "learner": "ELBO", "model": "Ladder", "parameters": 7, "updates": 3}
    return Card(**{**made, "seed": 0, "files": {MODEL: digest(folder / MODEL)}, **changes})


def test_a_card_is_read_as_it_was_written(tmp_path):
    one = card(tmp_path, data="Digits.", licence="CC BY 4.0", figures={"accuracy": 0.9})
    one.write(tmp_path)
    assert Card.read(tmp_path) == one
    one.check(tmp_path)
    text = (tmp_path / TEXT).read_text()
    assert text.startswith("---\nlibrary_name: keras\n")
    assert all(
        part in text for part in ("# n\n", "Digits. Licence: CC BY 4.0", "| accuracy | 0.9 |")
    )


def test_another_model_than_that_of_the_card_is_refused(tmp_path):
    one = card(tmp_path)
    (tmp_path / MODEL).write_bytes(b"Weights")
    with pytest.raises(ValueError, match=r"model\.keras is not the file that card\.json describes"):
        one.check(tmp_path)
    (tmp_path / MODEL).unlink()
    with pytest.raises(FileNotFoundError, match=r"has a card\.json and no model\.keras"):
        one.check(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"has no card\.json"):
        Card.read(tmp_path)


HOSTILE = {
    "no card": ({}, "says nothing of name, learner"),
    "a number for a text": ({"about": 1}, "about is a str; received 1"),
    "a text for a number": ({"updates": "many"}, "updates is an integer of at least 0"),
    "a list of files": ({"files": ["model.keras"]}, "files is a dict by names"),
    "a file inside of a file": ({"files": {"a": {}}}, "files is a table of words"),
    "steers a terminal": ({"name": "\x1b[2J"}, "printable characters"),
    "endless": ({"about": "x" * 10**6}, "at most 10,000"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_card_of_a_stranger_is_looked_at(name, tmp_path):
    changes, message = HOSTILE[name]
    card(tmp_path).write(tmp_path)
    found = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(found | changes if changes else {}))
    with pytest.raises(ValueError, match=message) as refused:
        Card.read(tmp_path)
    assert str(tmp_path) in str(refused.value) and len(str(refused.value)) < 400


def test_what_a_later_version_adds_is_passed_over(tmp_path):
    one = card(tmp_path)
    one.write(tmp_path)
    found = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps(found | {"new": 1}))
    assert Card.read(tmp_path) == one


def test_authors_say_what_there_is_a_place_for():
    assert written(None) == {}
    with pytest.raises(ValueError, match=r"A card says about, data, .*; received seed"):
        written({"seed": 1})
    with pytest.raises(ValueError, match="card is a dict by names"):
        written(["data"])
