"""A table: a VAE over rows whose cells are of several kinds, and may be unknown."""

import math
import operator
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments, seeds
from keras_symvae.data.variables import ROWS
from keras_symvae.families import Family, Normal, Record
from keras_symvae.model.factors import Factor
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.questions import Endpoint
from zoo.architectures import description
from zoo.architectures.architecture import Architecture
from zoo.architectures.levels import levels
from zoo.networks.mlp import MLP

Values = dict[str, tf.Tensor]
ROW, CODE = "row", "z"


@keras.saving.register_keras_serializable(package="zoo")
class Table(Architecture, Pair):
    """A VAE over the rows of a table.

        p(z) prod_c p(cell_c | z),    q(z | known) proportional to p(z) qtilde(z | known cells)

    Every column has the family of its kind: real numbers Normal with a learned standard deviation
    for each column, counts Poisson, positive numbers Gamma, bounded ones Beta, classes Categorical,
    angles VonMises. Cells that are unknown (NaN, None, an empty text) count 0 nats, and the encoder
    is told which they are; columns that a table lacks are unknown in all rows.

    A table is {column: [N]}, a DataFrame, or an array [N, columns]. The pair itself knows of a row
    of numbers, {"row": [N, columns]}, see `rows`; `tf.data` sets hold these.

    Args:
        columns: {name: description}: "real", "count", "positive", "bounded", "class", "angle", or
            such a kind with what is known of its cells, {"kind": "real", "center": 40.0,
            "spread": 12.0}, or a list of classes. `zoo.describe` finds them in data.
        latent: bits of z, or a `Family`; None: `Normal(8)`.
        width: of the hidden layers.
        depth: number of hidden layers; beside them there is a linear map.
        name: of the pair.

    Reference: Mattei and Frellsen 2019, MIWAE; Nazabal et al. 2020, HI-VAE.
    """

    kept = {"latent": operator.attrgetter("code")}  # `latent` are the names of variables

    def __init__(
        self,
        columns: Mapping[str, Any],
        *,
        latent: int | Family | None = None,
        width: int = 64,
        depth: int = 2,
        name: str = "table",
    ) -> None:
        found = description.of(columns)
        taken = sorted({ROW, CODE} & found.keys())
        if taken:
            raise ValueError(f"A column may not be called {taken[0]!r}; give it another name.")
        (code,) = levels([Normal(8) if latent is None else latent]).values()
        width = arguments.integer("width", width, least=1)
        depth = arguments.integer("depth", depth, least=0)
        row = Record(description.parts(list(found.values())))
        families, hidden = {ROW: row, CODE: code}, depth * [width]

        def network(family: Family) -> MLP:
            return MLP(hidden, math.prod(family.raw_shape), skip=True)

        decoder = [Factor(CODE), Factor(ROW, given=CODE, network=network(row))]
        encoder = [Factor(CODE, given=ROW, network=network(code), tilt=True)]
        super().__init__(
            Player(decoder, families=families, name="decoder"),
            Player(encoder, families=families, name="encoder"),
            name=name,
        )
        self.columns = {name: column.config for name, column in found.items()}
        self.code, self.width, self.depth = latent, width, depth
        self.add_questions(
            impute=Endpoint(self._impute, variables=(ROW,), integers=("steps", "seed"))
        )

    def translated(self, data: Any) -> Any:
        """Returns a table as {"row": [N, columns]}, anything else as it is."""
        if isinstance(data, Mapping):
            is_table = bool(data) and not data.keys() & {ROW, CODE, ROWS}
        else:
            frame = hasattr(data, "columns")
            is_table = frame or (isinstance(data, np.ndarray) and data.ndim == 2)
        return {ROW: self.rows(data)} if is_table else data

    def rows(self, data: Any) -> np.ndarray:
        """Returns a table as rows of numbers, float32 [N, columns]; NaN is unknown.

        Args:
            data: {column: [N]}, a DataFrame, or an array [N, columns].

        Raises:
            ValueError: names the column, what was received and what to do.
        """
        known = description.of(self.columns)
        cells = description.by_name(data, list(known))
        strange = sorted(cells.keys() - known.keys())
        if strange:
            raise ValueError(
                f"The table has the columns {arguments.told(sorted(cells))}, of which {strange} "
                f"are none of {sorted(known)}. Drop them."
            )
        size = len(next(iter(cells.values())))
        nothing = np.full(size, np.nan)
        return np.stack(
            [
                column.numbers(name, cells[name]) if name in cells else nothing
                for name, column in known.items()
            ],
            axis=-1,
        ).astype("float32")

    def cells(self, rows: Any) -> dict[str, np.ndarray]:
        """Returns rows of numbers [N, columns], such as `generate` draws, as {column: [N]}."""
        rows = self.check({ROW: rows})[ROW].astype("float64")
        known = description.of(self.columns).items()
        return {name: each.values(rows[:, index]) for index, (name, each) in enumerate(known)}

    def impute(
        self, data: Any, *, samples: int = 20, steps: int = 20, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Fills the unknown cells of a table by draws of the limiting chain.

        Encoder and decoder redraw code and row in turn, while the known cells stay what they are;
        at first the encoder sees these alone. Every draw is the end of a chain of its own, so that
        quantiles over draws are intervals, and means or medians are estimates.

        Args:
            data: as in `rows`.
            samples: number of draws S of every row.
            steps: number of alternations.
            seed: integer.

        Returns:
            {column: [N, S]}; known cells are repeated.
        """
        samples = arguments.integer("samples", samples, least=1)
        steps = arguments.integer("steps", steps, least=1, says="impute needs steps >= 1")
        rows = np.repeat(self.rows(data), samples, axis=0)
        empty, filled = np.isnan(rows).all(axis=1), rows.copy()
        if not empty.all():
            answer = self.ask("impute", {ROW: rows[~empty]}, seed=seed, steps=steps)
            filled[~empty] = answer[ROW]
        if empty.any():
            filled[empty] = self.generate(int(empty.sum()), seed=seed)[ROW]
        found, given = self.cells(filled), description.by_name(data, list(self.columns))
        for index, (name, cells) in enumerate(found.items()):
            known = ~np.isnan(rows[:, index])
            if known.any():  # what was known is returned to the last bit
                cells[known] = np.repeat(given[name], samples)[known]
        return {name: cells.reshape(-1, samples) for name, cells in found.items()}

    # Graph functions of tensors and an integer seed.

    def _impute(self, values: Values, *, steps: tf.Tensor, seed: tf.Tensor) -> Values:
        data, root = values[ROW], seeds.make(seed)

        def turn(step: tf.Tensor, row: tf.Tensor) -> tuple:
            after = self.chain.alternate({ROW: row}, steps=1, seed=seeds.fold(root, step))[ROW]
            return step + 1, tf.where(tf.math.is_nan(data), after, data)

        _, row = tf.while_loop(lambda step, _: step < steps, turn, (0, data))
        return {ROW: row}
