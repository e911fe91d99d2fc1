"""Floating-point operations of a training step, counted from its graph."""

import math
from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from keras_symvae import Learner

# Operations per output element and summed element: one product and one addition.
PRODUCT = 2


def count(learner: Learner, batch: dict[str, tf.Tensor]) -> int:
    """Returns the FLOPs of the matrix products and convolutions of one `train_step` on `batch`.

    Forward and backward passes of all networks, dreams included. Elementwise work is left out, so
    that a rate made of this count is comparable with that of a matrix product.
    """
    step = tf.function(lambda: learner.train_step(batch)["loss"]).get_concrete_function()
    return sum(of_operation(operation) for operation in step.graph.get_operations())


def of_operation(operation: tf.Operation) -> int:
    """Returns the FLOPs of one operation of a graph; 0 for what is no product."""
    if operation.type == "MatMul":
        left, right = operation.inputs
        rows, inner = left.shape[::-1] if operation.get_attr("transpose_a") else left.shape
        return PRODUCT * rows * inner * (right.shape.num_elements() // inner)
    # Of the three tensors of a convolution (images in, kernel, images out) the cost is the same
    # in all directions: every output element sums over one kernel's worth of inputs.
    if operation.type == "Conv2D":
        return _convolution(kernel=operation.inputs[1].shape, out=operation.outputs[0].shape)
    if operation.type == "Conv2DBackpropInput":
        kernel, out = operation.inputs[1].shape, operation.inputs[2].shape
        return _convolution(kernel=kernel, out=out)
    if operation.type == "Conv2DBackpropFilter":
        return _convolution(kernel=operation.outputs[0].shape, out=operation.inputs[2].shape)
    return 0


def _convolution(*, kernel: Iterable[Any], out: Iterable[Any]) -> int:
    *window, _ = kernel
    return PRODUCT * math.prod(window) * math.prod(out)
