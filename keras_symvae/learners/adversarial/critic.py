"""A critic: a network that gives values a number, the third player of the adversarial games."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.config import Configured
from keras_symvae.environment import refuse_legacy
from keras_symvae.families import Family
from keras_symvae.model.practice import called
from keras_symvae.model.trunks import joint
from keras_symvae.shapes import shaped


@keras.saving.register_keras_serializable(package="keras_symvae")
class Critic(Configured, keras.Layer):
    """A function T(values) [B] of some variables.

        T(values) = network(features of given) + sum_{v in offset} |features of v|^2 / 2

    Args:
        given: names of the variables that the network reads, by their features. One name may be a
            plain string.
        network: a Keras layer or model that receives one tensor, or a list in the order of
            `given`, and emits one number per example. None: hidden layers of `widths` on all
            features side by side.
        widths: of the hidden layers where no network is given.
        activation: of these hidden layers.
        offset: names, among `given`, of latents with a standard normal prior. The offset is -log
            of that prior up to a constant, so that a critic for log q - log p starts near it.

    Reference: the offset is that of the code of Mescheder et al. 2017.
    """

    def __init__(
        self,
        given: str | Sequence[str],
        *,
        network: Any = None,
        widths: Sequence[int] = (256, 256),
        activation: str = "elu",
        offset: str | Sequence[str] = (),
        name: str = "critic",
    ) -> None:
        super().__init__(name=name)
        refuse_legacy(network, f"The network of {name}")
        self.given = arguments.words("given", given)
        self.offset = arguments.words("offset", offset)
        self.network, self.widths = network, arguments.sizes("widths", widths)
        self.activation = arguments.activation("activation", activation)
        if network is not None:
            arguments.instance(f"The network of {name}", network, keras.Layer)
        stray = sorted(set(self.offset) - set(self.given))
        if stray or not self.given:
            raise ValueError(
                f"A critic reads some variables, and its offset is of these; received "
                f"given={self.given}, offset={self.offset}."
            )
        self.hidden = []
        if network is None:
            self.hidden = [keras.layers.Dense(n, activation=activation) for n in self.widths]
            self.hidden.append(keras.layers.Dense(1))

    def bind(self, families: Mapping[str, Family]) -> None:
        """Builds the weights for {name: Family}.

        Raises:
            ValueError: a variable is not there, or the network emits more than one number.
        """
        unknown = [name for name in self.given if name not in families]
        if unknown:
            raise ValueError(f"{self.name} reads {unknown}; known are {sorted(families)}.")
        shapes = [families[name].feature_shape for name in self.given]
        if self.network is None:
            shape = (None, int(sum(np.prod(shape) for shape in shapes)))
            for layer in self.hidden:
                layer.build(shape)
                shape = layer.compute_output_shape(shape)
        else:
            output = self.network(joint([keras.KerasTensor((None, *shape)) for shape in shapes]))
            if np.prod(output.shape[1:]) != 1:
                raise ValueError(
                    f"The network of {self.name} emits {tuple(output.shape)}; a critic gives one "
                    "number per example."
                )
        self.families = {name: families[name] for name in self.given}
        self.built = True

    @shaped(reads="{name: [B, ...]}", returns="[B]")
    def call(self, reads: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns [B] from `reads`, the features {name: [B, ...]}."""
        flat = {
            name: tf.reshape(reads[name], [tf.shape(reads[name])[0], -1]) for name in self.given
        }
        if self.network is None:
            output = tf.concat([flat[name] for name in self.given], axis=1)
            for layer in self.hidden:
                output = layer(output)
        else:
            output = called(self, joint([reads[name] for name in self.given]))
        squares = (tf.reduce_sum(flat[name] ** 2, axis=1) / 2.0 for name in self.offset)
        return sum(squares, tf.reshape(tf.cast(output, tf.float32), [-1]))

    @shaped(values="{name: [B, ...]}", returns="[B]")
    def score(self, values: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Returns T(values) [B] from {name: [B, ...]}."""
        return self({name: family.features(values[name]) for name, family in self.families.items()})


def check_reads(critic: Critic | None, names: Sequence[str], *, asker: str, why: str) -> None:
    """Refuses, in the name of who asks, a critic that reads other variables than these."""
    if critic is None:
        return
    arguments.instance("critic", critic, Critic)
    stray = [name for name in critic.given if name not in names]
    if stray:
        raise ValueError(f"The critic of {asker} reads {stray}; {why}, {tuple(names)}.")
