"""The discretised logistic distribution: pixels of 256 values."""

from typing import Any, ClassVar

import keras
import numpy as np
import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.families.base import Eta, positive
from keras_symvae.families.discrete import Discrete
from keras_symvae.families.pixels import CENTER, Pixels

# The distribution with this scale in the middle has this standard deviation. Both are near those
# of the pixels of photographs, and networks read pixels in this unit.
SCALE, SPREAD = 0.1538, 0.25


@keras.saving.register_keras_serializable(package="keras_symvae")
class DiscretizedLogistic(Discrete):
    """Pixels of the 256 values 0, 1/255, ..., 1, by a mixture of logistic distributions.

        P(x) = sum_k w_k prod_c [ F((x_c + 1/510 - m_kc) / s_kc) - F((x_c - 1/510 - m_kc) / s_kc) ]

    F is the logistic function; 0 takes all that is below it and 1 all that is above, so that the
    256 probabilities sum to 1. An image file's integers 0 ... 255 are values divided by 255, as all
    images of this library are; what lies between two values counts as the nearer one. Elements
    along the last axis are the channels of one place: they share the component k.

    It is no exponential family: eta = (m, 1 / s, logits of w, slopes), each [B, *shape, K, ...],
    cannot be added, and neither entropy nor divergence has a closed form. Draws have no gradient.
    The mode of a mixture is that of the component which makes its own the most probable; mean and
    mode of a coupled channel are those given mean and mode of the channels before it.

    Args:
        shape: shape of one value without the batch axis, (height, width, channels) of an image.
        components: K.
        coupled: m of a channel moves with the channels before it, m_kc + sum_{j<c} slope_kcj
            (x_j - 1/2) with slopes between -1 and 1, so that the channels of a place may depend on
            each other whatever the network says.

    Reference: Salimans, Karpathy, Chen, Kingma 2017, PixelCNN++.
    """

    exponential: ClassVar[bool] = False
    reparametrised: ClassVar[bool] = False
    low, high = 0.0, 1.0

    def __init__(
        self, shape: int | tuple[int, ...], *, components: int = 1, coupled: bool = False
    ) -> None:
        super().__init__(shape)
        self.components = arguments.integer("components", components, least=1)
        self.coupled = arguments.flag("coupled", coupled)
        self.raw_parts = 2 * self.components
        channels = self.shape[-1] if self.shape else 1
        self._pairs = np.argwhere(np.tri(channels, k=-1)) if coupled else np.zeros((0, 2), int)
        self._weights = self.components if self.components > 1 else 0
        self.raw_joint = self._weights + self.components * len(self._pairs)

    def _natural(self, raw: Any, shared: Any) -> Eta:
        count = self.components
        loc, steepness = tf.stack(raw[:count], -1), tf.stack(raw[count : 2 * count], -1)
        joint = raw[-1]  # read only where there are such
        nothing = tf.zeros_like(loc)
        logits = nothing
        if self._weights:
            weights = joint[..., :count]
            logits += weights[..., None, :] if self.shape else weights
        slopes = nothing[..., None][..., :0]
        if len(self._pairs):
            slopes = self._matrix(tf.tanh(joint[..., self._weights :]))
        return CENTER + SPREAD * loc, positive(steepness) / SCALE, logits, slopes

    def _matrix(self, slopes: Any) -> Any:
        """Returns slopes [..., K * pairs] as [..., channels, K, channels - 1], zero from c on."""
        channels = self.shape[-1]
        places = np.zeros((len(self._pairs), channels, channels - 1), np.float32)
        places[(range(len(self._pairs)), *self._pairs.T)] = 1.0
        slopes = tf.reshape(slopes, [-1, *self.shape[:-1], self.components, len(self._pairs)])
        return tf.einsum("...kp,pcj->...ckj", slopes, places)

    def _distribution(self, eta: Eta) -> Any:
        return Pixels(eta, scalar=not self.shape)

    def _features(self, value: Any) -> Any:
        return (value - CENTER) / SPREAD

    def _log_prob(self, eta: Eta, value: Any) -> Any:
        return self._distribution(eta).log_prob(value)

    def _rsample(self, eta: Eta, seed: Any, estimator: str | None) -> Any:
        raise ValueError(
            "DiscretizedLogistic draws have no gradient. Use SymmetricEquilibrium, which needs "
            "none, or give the variable another family."
        )

    def _mode(self, eta: Eta) -> Any:
        return self._distribution(eta).mode()
