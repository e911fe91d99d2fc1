"""Tests of tables: cells to numbers and back, what is unknown, and what fills it."""

import keras
import numpy as np
import pytest

import zoo
from keras_symvae import ELBO, SymmetricEquilibrium, families, seeds, testing
from keras_symvae.learners import utilities
from zoo.architectures import description

KINDS = {"income": "positive", "share": "bounded", "hour": {"kind": "angle", "period": 24.0}}
SIZE = 40


class Frame:
    """As much of a DataFrame as a table asks for."""

    def __init__(self, cells):
        self.cells, self.columns = cells, list(cells)

    def __getitem__(self, name):
        return self.cells[name]


def cells(size=SIZE):
    """Returns a table with a column of every kind."""
    rng = np.random.default_rng(0)
    return {
        "height": rng.normal(170.0, 10.0, size),
        "visits": rng.poisson(4.0, size),
        "income": rng.gamma(2.0, 1000.0, size),
        "share": rng.beta(2.0, 2.0, size),
        "color": np.array(["red", "green", "blue"])[rng.integers(0, 3, size)],
        "hour": rng.uniform(0.0, 24.0, size),
    }


def holed(whole, share=0.3):
    """Returns a table some of whose cells are None, and which those are; a row keeps one."""
    rng = np.random.default_rng(1)
    lost = {name: rng.random(SIZE) < share for name in whole}
    lost["height"] &= ~np.all([lost[name] for name in whole if name != "height"], axis=0)
    found = {name: np.array(each, object) for name, each in whole.items()}
    for name, rows in lost.items():
        found[name][rows] = None
    return found, lost


def pair(**options):
    """Returns a tiny `Table` of `cells`."""
    described = zoo.describe(cells(), KINDS)
    return zoo.Table(described, **{"latent": families.Normal(2), "width": 4, "depth": 1, **options})


def test_a_description_has_the_kinds_and_statistics_of_data():
    whole = cells()
    found = zoo.describe(whole, KINDS)
    assert {name: each["kind"] for name, each in found.items()} == {
        "height": "real",
        "visits": "count",
        "income": "positive",
        "share": "bounded",
        "color": "class",
        "hour": "angle",
    }
    assert found["height"]["center"] == pytest.approx(whole["height"].mean())
    assert found["color"]["classes"] == ["blue", "green", "red"]
    holes, lost = holed(whole)
    some = zoo.describe(holes, KINDS)
    assert some["income"]["scale"] == pytest.approx(whole["income"][~lost["income"]].mean())
    assert description.of(found) == description.of(zoo.Table(found, width=2).columns)


@pytest.mark.parametrize("form", [dict, Frame])
def test_cells_come_back_from_rows(form):
    whole, table = cells(), pair()
    rows = table.rows(form(whole))
    assert rows.shape == (SIZE, 6) and rows.dtype == np.float32
    table.families["row"].check("row", rows)
    for name, back in table.cells(rows).items():
        if name == "color":
            np.testing.assert_array_equal(back, whole[name])
        else:
            np.testing.assert_allclose(back, whole[name], rtol=1e-4, atol=1e-4)


def test_arrays_are_tables_and_absent_columns_are_unknown():
    array = np.random.default_rng(0).normal(size=(5, 2))
    table = zoo.Table(zoo.describe(array), latent=2, width=2)
    np.testing.assert_array_equal(table.rows(array), table.rows({"0": array.T[0], "1": array.T[1]}))
    alone = table.rows({"1": array.T[1]})
    assert np.isnan(alone[:, 0]).all() and not np.isnan(alone[:, 1]).any()


@pytest.mark.parametrize("empty", [None, float("nan"), ""])
def test_empty_cells_are_unknown(empty):
    rows = pair().rows({"color": ["red", empty], "visits": [empty, 3]})
    np.testing.assert_array_equal(np.isnan(rows[:, [1, 4]]), [[True, False], [False, True]])


def test_the_pair_answers_and_is_the_same_from_a_file():
    table = pair()
    testing.run_pair_test(table, {"row": table.rows(cells())})


@pytest.mark.slow
@pytest.mark.parametrize("kind", [SymmetricEquilibrium, ELBO])
def test_learners_train_on_tables_with_holes(kind):
    table = pair()
    testing.run_learner_test(kind(table, draws=2), {"row": table.rows(holed(cells())[0])})


def test_known_cells_stay_and_unknown_ones_are_drawn():
    holes, lost = holed(cells())
    found = pair().impute(holes, samples=3, steps=2)
    for name, drawn in found.items():
        assert drawn.shape == (SIZE, 3)
        for place in range(3):
            kept = ~lost[name]
            np.testing.assert_array_equal(drawn[kept, place], holes[name][kept])
    assert set(found["color"].flat) <= {"red", "green", "blue"}
    assert np.all(found["visits"] >= 0) and np.all(found["income"] > 0)
    assert np.all((found["hour"] >= 0) & (found["hour"] < 24))
    assert any(np.any(drawn[:, 0] != drawn[:, 1]) for drawn in found.values())


def test_a_row_without_a_known_cell_is_dreamt():
    found = pair().impute({"height": [None, 170.0]}, samples=2, steps=1)
    assert all(drawn.shape == (2, 2) for drawn in found.values())
    np.testing.assert_array_equal(found["height"][1], 170.0)


def test_half_of_the_dreams_lack_what_their_rows_lack():
    """Elsewhere dreams are whole, also where rows have no holes at all."""
    table, holes = pair(), holed(cells())[0]
    batch = table.batch({"row": np.tile(table.rows(holes), (50, 1))})
    dreams = table.chain.dream(batch.size, seed=seeds.make(0))
    veiled = utilities._veiled(table, dreams, batch, seed=seeds.make(1))["row"].numpy()
    unknown, rows = np.isnan(veiled), np.isnan(batch["row"].numpy())
    assert not np.any(unknown & ~rows)
    holed_rows = rows.any(axis=1)
    share = (unknown == rows).all(axis=1)[holed_rows].mean()
    assert share == pytest.approx(0.5, abs=0.05)
    np.testing.assert_array_equal(veiled[~unknown], dreams["row"].numpy()[~unknown])


@pytest.mark.slow
def test_draws_have_the_distribution_of_a_linear_gaussian_table():
    """The oracle: cell b given a of a trained pair is about the normal regression of b on a."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=2000)
    b = 0.8 * a + 0.6 * rng.normal(size=2000)
    table = zoo.Table({"a": "real", "b": "real"}, latent=families.Normal(1), width=8, depth=1)
    learner = SymmetricEquilibrium(table, draws=5)
    learner.compile(keras.optimizers.Adam(1e-2), steps_per_execution=20)
    hidden = rng.random(2000) < 0.3
    learner.fit({"a": a, "b": np.where(hidden, np.nan, b)}, batch_size=200, epochs=100, verbose=0)
    asked = np.repeat([-1.0, 0.0, 1.0], 20)
    drawn = table.impute({"a": asked}, samples=200, steps=10)["b"].reshape(3, -1)
    np.testing.assert_allclose(drawn.mean(axis=1), [-0.8, 0.0, 0.8], atol=0.15)
    np.testing.assert_allclose(drawn.std(axis=1), 0.6, atol=0.1)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: zoo.Table({}), "at least one column"),
        (lambda: zoo.Table({"a": "text"}), "The kind of column 'a' is one of real, count"),
        (
            lambda: zoo.Table({"a": {"kind": "real", "mean": 1.0}}),
            r"options \['center', 'spread'\]",
        ),
        (lambda: zoo.Table({"a": {"kind": "real", "spread": 0.0}}), "spread of column 'a'"),
        (lambda: zoo.Table({"a": ["one"]}), "at least two"),
        (lambda: zoo.Table({"a": {"kind": "bounded", "low": 2.0}}), "bounds of column 'a'"),
        (lambda: zoo.Table({"row": "real"}), "may not be called 'row'"),
        (lambda: pair().rows({"age": [1.0]}), r"of which \['age'\] are none"),
        (lambda: pair().rows({"income": [-1.0]}), "'income' holds -1; they are above 0"),
        (lambda: pair().rows({"visits": [0.5]}), "'visits' holds 0.5; counts are"),
        (lambda: pair().rows({"share": [1.5]}), r"'share' holds 1.5; they lie in \[0.0, 1.0\]"),
        (lambda: pair().rows({"color": ["pink"]}), "'color' holds 'pink', which is none"),
        (lambda: pair().rows({"height": ["tall"]}), "'height' holds cells that are no numbers"),
        (lambda: pair().rows({"height": [np.inf]}), "infinite"),
        (lambda: pair().rows({"height": [1.0], "visits": [1, 2]}), "one common length"),
        (lambda: pair().rows(np.zeros(3)), r"an array \(N, 6\)"),
        (lambda: pair().impute(cells(), steps=0), "steps >= 1; received 0"),
        (lambda: zoo.describe({"a": [None]}), "'a' is empty"),
        (lambda: zoo.describe({"a": ["x", "x"]}), "has 1 class"),
        (lambda: zoo.describe({"a": [1.0]}, {"b": "real"}), r"no columns \['b'\]"),
    ],
)
def test_refusals_name_the_column(make, words):
    with pytest.raises(ValueError, match=words):
        make()
