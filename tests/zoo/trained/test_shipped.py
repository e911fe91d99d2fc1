"""The trained models that are shipped: small, described, and what their cards say they are."""

import numpy as np
import pytest

import zoo
from scripts.ship import CARDS
from zoo.trained import shipped
from zoo.trained.card import FILE, MODEL, TEXT, UNKNOWN, WRITTEN

MOST = 15e6  # bytes of all together


def test_all_are_small_and_nothing_else_lies_beside_them():
    files = [path for path in shipped.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST
    assert {path.name for path in files} == {FILE, MODEL, TEXT}
    assert shipped.names() and set(shipped.names()) <= CARDS.keys()


@pytest.mark.parametrize("name", shipped.names())
def test_a_card_says_everything(name):
    card = shipped.card(name)
    assert card is not None and card.name == name and card.dtype == "float16"
    assert card.preset in zoo.PRESETS and card.figures and card.versions
    assert all(getattr(card, part) != UNKNOWN for part in WRITTEN)
    assert (shipped.folder(name) / TEXT).read_text(encoding="utf-8") == card.text()
    card.check(shipped.folder(name))


@pytest.mark.parametrize("name", shipped.names())
def test_figures_are_those_of_full_precision(name):
    """What was measured of the model in float32 stands in the card beside it."""
    figures = shipped.card(name).figures
    full = {key.removesuffix(FULL): value for key, value in figures.items() if key.endswith(FULL)}
    assert 2 * len(full) == len(figures)
    for key, value in full.items():
        np.testing.assert_allclose(figures[key], value, rtol=0.02, err_msg=key)


FULL = ", in float32"


@pytest.mark.parametrize("name", shipped.names())
def test_it_draws(name):
    model = zoo.load(name)
    card, preset = shipped.card(name), zoo.PRESETS[shipped.card(name).preset]
    assert type(model).__name__ == card.learner and int(model.steps) == card.updates
    draw = model.limiting_pairs if isinstance(model.pair, zoo.Segmentation) else model.generate
    x = draw(8, seed=0)["x"]
    assert x.shape == (8, *preset.architecture["image_shape"])
    assert x.std(axis=0).mean() > 0.1  # images differ


def test_the_catalogue_tells_what_is_shipped():
    rows = {row["name"]: row for row in zoo.presets().rows}
    assert rows.keys() == zoo.PRESETS.keys()
    for name, row in rows.items():
        card = shipped.card(name)
        assert (row["parameters"] is None) == (row["megabytes"] is None) == (card is None)
        assert row["figures"] == (card.figures if card else {})
    assert str(zoo.presets()).startswith("name ")
