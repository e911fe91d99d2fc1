"""The features of Inception v3."""

import os
from pathlib import Path

import keras

from keras_symvae.evaluation.extractor import FeatureExtractor

WEIGHTS_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"


class InceptionFeatures(FeatureExtractor):
    """The 2048 pooled features of Keras's Inception v3, for images of any size.

    Images are resized to 299 x 299 (bilinear) and grey is repeated to three channels. Weights and
    resizing differ from those of the original FID code: do not mix with published values.

    Args:
      weights: "imagenet" (downloaded once by Keras), the path of a weight file without the top,
        or None for random weights.

    Raises:
      OSError: if the weights cannot be read or downloaded.

    Reference: Szegedy et al. (2016), Rethinking the Inception architecture for computer vision.
    """

    def __init__(self, weights: str | os.PathLike | None = "imagenet"):
        try:
            network = keras.applications.InceptionV3(False, weights=weights, pooling="avg")
        except Exception as error:  # Keras raises a bare Exception when a download fails.
            advice = f"pass the path of {WEIGHTS_FILE}, or use ClassifierFeatures.train"
            raise OSError(f"no Inception weights from {weights}: {advice}") from error
        inputs = keras.Input((None, None, 3))
        x = keras.layers.Resizing(299, 299, interpolation="bilinear")(inputs)
        outputs = network(keras.layers.Rescaling(2.0, -1.0)(x))
        name = f"inception-v3-{Path(weights or 'random').stem}"
        model = keras.Model(inputs, outputs)
        super().__init__(model, name=name, batch_size=32, repeats_grey=True)


def is_cached() -> bool:
    """Returns whether Keras has the weights of Inception in its cache."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return (home / "models" / WEIGHTS_FILE).exists()
