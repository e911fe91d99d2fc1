"""A factor: one conditional distribution `name | given` of a player."""

import abc
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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

Reads = Mapping[str, tf.Tensor]
NOT_QUANTIZED = (
    "Keras would leave the networks inside of factors as they are. Quantize them one by one, "
    "after training: pair.decoder.factor('x').network.quantize('int8')."
)


class Conditional(Configured, keras.Layer, abc.ABC):
    """One conditional `name | given`: what both kinds of factors share.

    Args:
        name: the variable that this factor draws.
        given: names that its network reads: variables (their features) or activations of the
            player's trunk. One name may be a plain string.
        network: a Keras layer or model. It receives one tensor, or a list in the order of
            `given`, and emits any shape with the right number of elements per example.
    """

    has_density: ClassVar[bool]
    tilt: bool = False
    family: Family

    def __init__(
        self, name: str, *, given: str | Sequence[str] = (), network: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        refuse_legacy(network, f"The network of factor '{name}'")
        self.given = arguments.words("given", given)
        self.network = network
        if network is not None:
            arguments.instance(f"The network of factor '{name}'", network, keras.Layer)

    @abc.abstractmethod
    def bind(self, family: Family, shapes: Mapping[str, Sequence[int]]) -> None:
        """Builds the weights: `family` of the variable, `shapes` {name: [...]} of what it reads."""

    def _check_output(self, shape: Sequence[int | None], expected: Sequence[int]) -> None:
        sizes = [size for size in shape[1:] if size is not None]
        if len(sizes) < len(shape) - 1 or np.prod(sizes) != np.prod(expected):
            raise ValueError(
                f"The network of factor '{self.name}' emits shape {tuple(shape)}; "
                f"{self.family!r} reads {tuple(expected)} per example."
            )

    def _emit(self, inputs: Sequence[tf.Tensor], shape: Sequence[int]) -> tf.Tensor:
        return tf.reshape(called(self, joint(inputs)), [-1, *shape])


@keras.saving.register_keras_serializable(package="keras_symvae")
class Factor(Conditional):
    """An exponential-family conditional.

        eta = natural(network(features of given)) [+ eta of the decoder's factor of this name]

    Without a network the raw output is the one activation that is given, or, for a root factor,
    zeros: the family's reference member (uniform bits, a standard normal).

    Args:
        name, given, network: see `Conditional`.
        tilt: add the natural parameters of the decoder's factor of the same name, so that
            q(z | x, ...) is proportional to p(z | ...) times a likelihood that the network emits:
            the ladder encoder (Sonderby et al. 2016; Flach et al. 2024).
        learned: of a root factor: the raw output is a weight instead of zeros.

    Raises:
        ValueError: network and given do not fit each other.
    """

    has_density = True

    def __init__(
        self,
        name: str,
        *,
        given: str | Sequence[str] = (),
        network: Any = None,
        tilt: bool = False,
        learned: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, given=given, network=network, **kwargs)
        self.tilt = arguments.flag("tilt", tilt)
        self.learned = arguments.flag("learned", learned)
        if learned and self.given:
            raise ValueError(
                f"Factor '{name}' is learned without a network, so it reads nothing; received "
                f"given={self.given}."
            )
        if network is None and len(self.given) > 1:
            raise ValueError(f"Factor '{name}' needs a network to read {self.given}.")
        if network is not None and not self.given:
            raise ValueError(f"Factor '{name}' has a network but nothing is given to it.")

    def bind(self, family: Family, shapes: Mapping[str, Sequence[int]]) -> None:
        if self.tilt and not family.exponential:
            raise ValueError(
                f"tilt=True adds natural parameters, and those of {family!r} cannot be added; "
                f"leave it out for factor '{self.name}', or give the variable another family."
            )
        self.family = family
        if self.learned:
            self.raw = self.add_weight(name="raw", shape=family.raw_shape, initializer="zeros")
        if family.num_shared:
            self.shared = self.add_weight(
                name="shared", shape=(family.num_shared,), initializer="zeros"
            )
        if self.given:
            inputs = [keras.KerasTensor((None, *shapes[name])) for name in self.given]
            output = inputs[0] if self.network is None else self.network(joint(inputs))
            self._check_output(output.shape, family.raw_shape)
        self.built = True

    @shaped(reads="{name: [B, ...]}", size="[]", returns="[B, *self.family.eta_axes, ...]")
    def natural(self, reads: Reads, size: int | tf.Tensor) -> Any:
        """Returns eta with batch axis B from `reads` {name: [B, ...]}; `size` is B."""
        shape = self.family.raw_shape
        if self.network is not None:
            raw = self._emit([reads[name] for name in self.given], shape)
        elif self.given:
            raw = tf.reshape(reads[self.given[0]], [-1, *shape])
        else:
            root = tf.convert_to_tensor(self.raw) if self.learned else tf.zeros(shape)
            raw = tf.broadcast_to(root, tf.concat([[size], shape], axis=0))
        return self.family.natural(raw, self.shared if self.family.num_shared else None)


@keras.saving.register_keras_serializable(package="keras_symvae")
class ImplicitFactor(Conditional):
    """A sampler without a density: value = network(features of given, noise).

    Args:
        name, given, network: see `Conditional`; the network's last input is the noise. It may have
            a method `moments` of the same inputs, which returns (mean, variance) of its values.
        noise_shape: shape of the standard normal noise per example. None: there is no noise, and
            the value is a function of what is given.

    Raises:
        ValueError: there is no network, or nothing that it could read.
    """

    has_density = False

    def __init__(
        self,
        name: str,
        *,
        given: str | Sequence[str] = (),
        network: Any = None,
        noise_shape: int | Sequence[int] | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name, given=given, network=network, **kwargs)
        if noise_shape is not None:
            listed = (noise_shape,) if isinstance(noise_shape, numbers.Integral) else noise_shape
            noise_shape = arguments.sizes("noise_shape", listed)
        self.noise_shape = noise_shape
        if network is None:
            raise ValueError(f"ImplicitFactor '{name}' needs a network of (given..., noise).")
        if noise_shape is None and not self.given:
            raise ValueError(f"ImplicitFactor '{name}' has neither noise nor anything given.")

    def bind(self, family: Family, shapes: Mapping[str, Sequence[int]]) -> None:
        self.family = family
        inputs = [keras.KerasTensor((None, *shapes[name])) for name in self.given]
        if self.noise_shape is not None:
            inputs.append(keras.KerasTensor((None, *self.noise_shape)))
        self._check_output(self.network(joint(inputs)).shape, family.shape)
        self.built = True

    @shaped(reads="{name: [B, ...]}", size="[]", seed="[2]", returns="[B, *self.family.shape]")
    def rsample(self, reads: Reads, size: int | tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """Draws a value [B, *shape] with a gradient with respect to weights and reads."""
        output = self._emit(self._inputs(reads, size, seed), self.family.shape)
        return tf.cast(output, self.family.dtype)

    @shaped(
        reads="{name: [B, ...]}",
        size="[]",
        seed="[2]",
        returns="([B, *self.family.shape], [B, *self.family.shape])",
    )
    def moments(
        self, reads: Reads, size: int | tf.Tensor, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor] | None:
        """Returns (mean, variance) [B, *shape] of the value, or None if the network has none."""
        if not hasattr(self.network, "moments"):
            return None
        mean, variance = self.network.moments(joint(self._inputs(reads, size, seed)))
        shape = [-1, *self.family.shape]
        return tf.reshape(mean, shape), tf.reshape(variance, shape)

    def _inputs(self, reads: Reads, size: int | tf.Tensor, seed: tf.Tensor) -> list[tf.Tensor]:
        inputs = [reads[name] for name in self.given]
        if self.noise_shape is None:
            return inputs
        shape = tf.concat([[size], self.noise_shape], axis=0)
        return [*inputs, tf.random.stateless_normal(shape, seed)]
