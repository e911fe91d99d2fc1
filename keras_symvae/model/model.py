"""A model: what a pair of players and a team of pairs have in common."""

import abc
import os
from collections.abc import Collection, Mapping
from typing import Any

import keras
import tensorflow as tf

from keras_symvae.config import Configured
from keras_symvae.data import intake
from keras_symvae.data.batch import Batch
from keras_symvae.data.variables import Variables
from keras_symvae.families import Family
from keras_symvae.model import export
from keras_symvae.model.factors import NOT_QUANTIZED
from keras_symvae.model.player import Player
from keras_symvae.model.questions import Questions

Batches = Batch | dict[str, Batch]


class Model(Configured, Questions):
    """Players over named variables, without a loss: what a learner trains.

    Attributes:
        families: {name: Family} of all variables.
    """

    families: dict[str, Family]

    @property
    @abc.abstractmethod
    def players(self) -> dict[str, Player]:
        """{name: Player}, such as "decoder" or "member/decoder"."""

    @property
    @abc.abstractmethod
    def parts(self) -> list[tuple[str, keras.Layer]]:
        """[("decoder/x", factor or trunk)]: the owners of all weights."""

    @property
    @abc.abstractmethod
    def likelihoods(self) -> dict[str, Family]:
        """{"decoder/x": Family} of the observed variables."""

    @abc.abstractmethod
    def single(self, question: str) -> Any:
        """Returns the pair that answers a question.

        Raises:
            ValueError: there are several pairs; names them.
        """

    def quantize(self, *args: Any, **kwargs: Any) -> None:
        """Refuses: raises ValueError, which says how a network is quantised."""
        raise ValueError(NOT_QUANTIZED)

    @abc.abstractmethod
    def named(self, data: Any) -> dict[str, Any]:
        """Returns data as {name: value}, of a team {member: {name: value}}, in new dicts."""

    @abc.abstractmethod
    def schemas(self, named: dict[str, Any]) -> list[tuple[Variables, dict[str, Any]]]:
        """Returns [(variables, {name: value})] of named data, of a team those of every member."""

    def values(self, data: Any) -> dict[str, tf.Tensor]:
        """Returns data as {name: tensor} in the types of the variables."""
        return self.schema.typed(data)

    @abc.abstractmethod
    def batch(self, data: Any, *, lacking: Collection[str] = ()) -> Batches:
        """Returns data as the `Batch` of a step, of a team as {member: Batch}.

        Args:
            data: tensors, in any form that `Variables.named` takes.
            lacking: names of the variables that some example may lack.
        """

    @abc.abstractmethod
    def check_training(
        self, data: Any, *, may_lack: Collection[str], full: bool, learner: str
    ) -> intake.Arrays | dict[str, intake.Arrays]:
        """Returns data as arrays, or refuses them, see `intake.trainable`."""

    @abc.abstractmethod
    def lacking(self, arrays: Mapping[str, Any]) -> frozenset[str]:
        """Returns the names of the variables that some of the checked arrays lack."""

    def export(self, filepath: str | os.PathLike, **options: Any) -> None:
        """Writes a SavedModel of all questions; see `keras_symvae.model.export.save`."""
        export.save(self, filepath, **options)

    @abc.abstractmethod
    def call(self, data: Any) -> dict[str, tf.Tensor] | dict[str, dict[str, tf.Tensor]]:
        """Reconstructs tensors by the decoder's means, with the draws of seed 0."""
