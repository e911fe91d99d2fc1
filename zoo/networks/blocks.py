"""Blocks: the Keras networks of the zoo, which know nothing of probability."""

import math

import keras

register = keras.saving.register_keras_serializable(package="zoo")


def side_by_side(inputs):
    """Returns one tensor [B, ...], or a list of them, flattened as [B, units]."""
    inputs = inputs if isinstance(inputs, (list, tuple)) else [inputs]
    flat = [keras.ops.reshape(part, (-1, math.prod(part.shape[1:]))) for part in inputs]
    return flat[0] if len(flat) == 1 else keras.ops.concatenate(flat, axis=-1)


@register
class MLP(keras.Layer):
    """Hidden layers and a linear output of flattened inputs, [B, ...] -> [B, units].

    Several inputs, a list, are put side by side.

    Args:
        hidden: widths of the hidden layers.
        units: width of the output; None ends with the last hidden layer.
        activation: of the hidden layers.
        skip: add a linear map without bias from the input to the output.
    """

    def __init__(self, hidden, units=None, *, activation="tanh", skip=False, **kwargs):
        super().__init__(**kwargs)
        self.hidden, self.units = tuple(hidden), units
        self.activation, self.skip = activation, skip
        self.layers = [keras.layers.Dense(width, activation=activation) for width in self.hidden]
        if units is not None:
            self.layers.append(keras.layers.Dense(units))
        self.shortcut = keras.layers.Dense(units, use_bias=False) if skip else None

    def call(self, inputs):
        inputs = side_by_side(inputs)
        output = inputs
        for layer in self.layers:
            output = layer(output)
        return output + self.shortcut(inputs) if self.skip else output

    def get_config(self):
        config = {"hidden": self.hidden, "units": self.units}
        return {
            **super().get_config(),
            **config,
            "activation": self.activation,
            "skip": self.skip,
        }


# (filters as a multiple of the base, kernel, stride, padding) from the image inwards: the
# convolutions of the official code of Flach et al. 2024.
CONVOLUTIONS = (
    (1, 3, 1, "same"),
    (1, 2, 1, "valid"),
    (2, 3, 2, "valid"),
    (2, 3, 1, "valid"),
    (2, 3, 1, "valid"),
    (4, 3, 2, "valid"),
)


def convolved(size):
    """Returns the side length that `CONVOLUTIONS` leave of an image side, mirrored exactly.

    Raises:
        ValueError: the transposed convolutions would not lead back to this size.
    """
    if size < 20 or size % 4:
        raise ValueError(
            f"body='conv' needs image sides of at least 20 that 4 divides; received {size}. "
            "Pad the images, or take body='mlp'."
        )
    for _, kernel, stride, padding in CONVOLUTIONS:
        size = size if padding == "same" else (size - kernel) // stride + 1
    return size


@register
class ConvEncoder(keras.Layer):
    """Convolutions and a dense layer down to one vector, [B, H, W, C] -> [B, units].

    Args:
        units: width of the output.
        filters: base number of filters.
        activation: of every layer, the last included.
    """

    def __init__(self, units, *, filters=32, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.units, self.filters, self.activation = units, filters, activation

    def build(self, shape):
        for side in shape[1:3]:
            convolved(side)
        self.convolutions = [
            keras.layers.Conv2D(
                multiple * self.filters, kernel, stride, padding, activation=self.activation
            )
            for multiple, kernel, stride, padding in CONVOLUTIONS
        ]
        for layer in self.convolutions:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        # The official code's last convolution spans all that is left: the same map and weights as
        # this dense layer, which oneDNN multiplies ten times faster.
        self.head = keras.layers.Dense(self.units, activation=self.activation)
        self.head.build((shape[0], math.prod(shape[1:])))

    def call(self, inputs):
        for layer in self.convolutions:
            inputs = layer(inputs)
        return self.head(keras.ops.reshape(inputs, (-1, math.prod(inputs.shape[1:]))))

    def compute_output_shape(self, shape):
        return (shape[0], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "filters": self.filters,
            "activation": self.activation,
        }


@register
class ConvDecoder(keras.Layer):
    """The mirror image of `ConvEncoder`, [B, ...] -> [B, *shape] of raw outputs.

    Several inputs, a list, are put side by side.

    Args:
        shape: (H, W, channels) of the output.
        filters: base number of filters.
        activation: of all layers but the last.
    """

    def __init__(self, shape, *, filters=32, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.shape, self.filters, self.activation = tuple(shape), filters, activation
        height, width, channels = self.shape
        rest = (convolved(height), convolved(width))
        outputs = [multiple * filters for multiple, *_ in CONVOLUTIONS]
        mirrored = [(outputs[-1], rest, 1)] + [
            (outputs[index - 1], kernel, stride)
            for index, (_, kernel, stride, _) in reversed(list(enumerate(CONVOLUTIONS)))
            if index
        ]
        self.convolutions = [
            keras.layers.Conv2DTranspose(count, kernel, stride, activation=activation)
            for count, kernel, stride in mirrored
        ]
        self.convolutions.append(keras.layers.Conv2D(channels, 3, padding="same"))

    def call(self, inputs):
        output = side_by_side(inputs)[:, None, None, :]
        for layer in self.convolutions:
            output = layer(output)
        return output

    def get_config(self):
        return {
            **super().get_config(),
            "shape": self.shape,
            "filters": self.filters,
            "activation": self.activation,
        }


@register
class LadderTrunk(keras.Layer):
    """The deterministic bottom-up pass of a ladder encoder, image -> {"a0": ..., "a1": ...}.

        a_M = Linear(h),  a_t = Linear(MLP(h)) + Linear(a_{t+1}),  h = body(image)

    Args:
        body: layer from the image to a vector h.
        units: widths of a_0 ... a_M, the raw outputs of the latents.
        hidden: widths of the tanh layers between one level and the next.
    """

    def __init__(self, body, units, *, hidden, **kwargs):
        super().__init__(**kwargs)
        self.body, self.units, self.hidden = body, tuple(units), tuple(hidden)
        self.heads = [keras.layers.Dense(width) for width in self.units]
        self.steps = [MLP(self.hidden) for _ in self.units[1:]]
        self.shortcuts = [keras.layers.Dense(width, use_bias=False) for width in self.units[:-1]]

    def call(self, image):
        top = len(self.units) - 1
        h = self.body(image)
        activations = {f"a{top}": self.heads[top](h)}
        for level in reversed(range(top)):
            h = self.steps[level](h)
            shortcut = self.shortcuts[level](activations[f"a{level + 1}"])
            activations[f"a{level}"] = self.heads[level](h) + shortcut
        return activations

    def get_config(self):
        return {
            **super().get_config(),
            "body": keras.saving.serialize_keras_object(self.body),
            "units": self.units,
            "hidden": self.hidden,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "body": keras.saving.deserialize_keras_object(config["body"])})
