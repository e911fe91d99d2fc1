"""An encoder whose codes are a sum of noise vectors, so that their moments are known."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from zoo.networks.network import Network


@keras.saving.register_keras_serializable(package="zoo")
class BasisEncoder(Network):
    """Codes with known moments, (image [B, ...], noise [B, basis, n]) -> [B, units].

        z = c(f) + sum_i a_i(f) v_i(eps_i),    f = body(image),  a_i > 0

    The v_i are networks of noise alone, so that their moments over a batch are those of z given f:
    mean = c + sum_i a_i mean(v_i), variance = sum_i a_i^2 var(v_i).

    Args:
        body: layer from the image to a vector f.
        units: width of the output.
        basis: number of v_i.
        hidden: widths of the hidden layers of every v_i.
        activation: of these layers.

    Reference: Mescheder, Nowozin, Geiger 2017, Adversarial Variational Bayes.
    """

    def __init__(
        self,
        body: keras.Layer,
        units: int,
        *,
        basis: int,
        hidden: Sequence[int] = (64, 64),
        activation: str = "elu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.body, self.units, self.basis = body, units, basis
        self.hidden, self.activation = tuple(hidden), activation
        self.center = keras.layers.Dense(units)
        self.amplitudes = keras.layers.Dense(basis * units)
        self.vectors = [self._side_by_side(width, activation) for width in self.hidden]
        self.vectors.append(self._side_by_side(units, None))

    def _side_by_side(self, width: int, activation: str | None) -> keras.Layer:
        # Glorot's rule, Keras's default, counts the basis among the outputs of an input.
        start = keras.initializers.VarianceScaling(1.0, "fan_in", "uniform")
        return keras.layers.EinsumDense(
            "bki,kio->bko",
            (self.basis, width),
            bias_axes="ko",
            activation=activation,
            kernel_initializer=start,
        )

    def call(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        center, amplitudes, vectors = self._parts(inputs)
        return center + keras.ops.sum(amplitudes * vectors, axis=1)

    def moments(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns (mean, variance) of z given the image, [B, units] each."""
        center, amplitudes, vectors = self._parts(inputs)
        mean, variance = keras.ops.moments(vectors, axes=[0], keepdims=True)
        mean = center + keras.ops.sum(amplitudes * mean, axis=1)
        return mean, keras.ops.sum(amplitudes**2 * variance, axis=1)

    def _parts(self, inputs: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        image, vectors = inputs
        f = self.body(image)
        for layer in self.vectors:
            vectors = layer(vectors)
        shape = (-1, self.basis, self.units)
        amplitudes = keras.ops.elu(keras.ops.reshape(self.amplitudes(f), shape)) + 1.0
        return self.center(f), amplitudes / math.sqrt(self.basis), vectors
