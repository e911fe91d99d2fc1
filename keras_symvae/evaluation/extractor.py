"""A feature extractor: a named map from images to vectors whose distributions can be compared."""

from typing import final

import keras
import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_symvae import arguments
from keras_symvae.shapes import shaped


class FeatureExtractor:
    """A named map from images [N, H, W, C] to features [N, D].

    Args:
      model: Keras model from images in [0, 1] to features.
      name: what reports call it; distances under different names are not comparable.
      batch_size: images in memory at once, unless a call names another number.
      repeats_grey: images of one channel are repeated to the channels of the model.
    """

    def __init__(
        self,
        model: keras.Model,
        *,
        name: str,
        batch_size: int = 256,
        repeats_grey: bool = False,
    ):
        self.model = arguments.instance("model", model, keras.Model)
        self.name = arguments.instance("name", name, str)
        self.batch_size = arguments.integer("batch_size", batch_size, least=1)
        self.repeats_grey = arguments.flag("repeats_grey", repeats_grey)

    @final
    @shaped(returns="[N, D]")
    def __call__(self, images: ArrayLike, *, batch_size: int | None = None) -> NDArray[np.float32]:
        """Return the features [N, D] of images [N, H, W, C] with values in [0, 1].

        Raises:
          ValueError: if the images are not such an array, or do not fit the model.
        """
        images = checked_images(images)
        batch_size = arguments.size("batch_size", batch_size) or self.batch_size
        shape = self.model.input_shape[1:]
        if self.repeats_grey and images.shape[-1] == 1:
            images = np.repeat(images, shape[-1], axis=-1)
        if any(k not in (None, size) for k, size in zip(shape, images.shape[1:], strict=True)):
            raise ValueError(f"{self.name} takes images {shape}, got {images.shape[1:]}")
        return self.model.predict(images, batch_size=batch_size, verbose=0)


def checked_images(x: ArrayLike) -> NDArray[np.float32]:
    """Returns images float32 [N, H, W, C] with values in [0, 1], or refuses them."""
    x = arguments.array("images", x)
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(f"images need shape [N, H, W, C], got {x.shape}")
    if not (x.min() >= -1e-6 and x.max() <= 1 + 1e-6):  # NaN fails as well.
        raise ValueError("images need values in [0, 1]")
    return x.astype(np.float32, copy=False)
