"""Meters: the metrics of a learner, means of its costs over all examples of an epoch."""

import keras
import numpy as np
import tensorflow as tf

PLAYERS = ("decoder", "encoder")


class Meters:
    """One mean per cost and per player, and "loss", the sum of both players.

    Args:
        costs: names of the costs, "player/variable".
        dimensions: {cost: number of dimensions} of those that are shown as "bits_per_dim" too.
    """

    def __init__(self, costs, dimensions):
        self.dimensions = dimensions
        names = ["loss", *PLAYERS, *costs, *(f"{name}/bits_per_dim" for name in dimensions)]
        self.means = {name: keras.metrics.Mean(name) for name in names}

    def update(self, costs, finite):
        """Takes costs {name: [B]} in, unless they are not `finite`; returns all means so far."""
        means = {name: tf.reduce_mean(cost) for name, cost in costs.items()}
        for player in PLAYERS:
            parts = [mean for name, mean in means.items() if name.startswith(player + "/")]
            means[player] = tf.add_n(parts) if parts else tf.constant(0.0)
        means["loss"] = means["decoder"] + means["encoder"]
        for name, dimensions in self.dimensions.items():
            means[f"{name}/bits_per_dim"] = means[name] / (dimensions * np.log(2.0))
        size = tf.cast(tf.shape(next(iter(costs.values())))[0], tf.float32)
        for name, metric in self.means.items():
            kept = tf.where(finite, means[name], 0.0)
            metric.update_state(kept, sample_weight=tf.where(finite, size, 0.0))
        return {name: metric.result() for name, metric in self.means.items()}
