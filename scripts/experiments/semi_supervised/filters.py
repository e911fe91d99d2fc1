"""Filters of patches that the symmetric game learned, for `zoo.PatchReader`."""

import dataclasses
from typing import Any

import keras
import numpy as np

from keras_symvae import Batches, Factor, Pair, Player
from keras_symvae.families import Categorical, Normal
from scripts.experiments.semi_supervised.config import Filters
from scripts.experiments.training import play


def learned(reader: Any, images: np.ndarray, budget: Filters, *, seed: int) -> np.ndarray:
    """Returns filters [k, k, C, F] that the symmetric game learned from patches of all images.

    p(c) p(v | c) and q(c | v), for whitened normalised patches v and F kinds c of them: a mixture.
    """
    rng, side = np.random.RandomState(seed), reader.patch
    some = 2.0 * images[rng.permutation(len(images))[:3000]] - 1.0
    windows = np.lib.stride_tricks.sliding_window_view(some, (side, side), axis=(1, 2))
    v = np.moveaxis(windows[:, ::2, ::2], 3, -1).reshape(-1, side * side * some.shape[-1])
    v = rng.permutation(v)[:150_000]
    v -= v.mean(axis=1, keepdims=True)
    v /= np.sqrt(v.var(axis=1, keepdims=True) + reader.softening)
    lengths, axes = np.linalg.eigh(np.cov(v.T))
    whitening = axes / np.sqrt(lengths + 0.1) @ axes.T
    v = (v @ whitening).astype("float32")
    patch = Normal(v.shape[1], scale=0.6)  # pyright: ignore[reportArgumentType]
    kinds = Categorical((), num_classes=reader.filters)
    families = {"v": patch, "c": kinds}
    p = [Factor("c", learned=True), Factor("v", given="c", network=keras.layers.Dense(v.shape[1]))]
    q = [Factor("c", given="v", network=keras.layers.Dense(reader.filters))]
    pair = Pair(
        *(Player(f, families=families, name=n) for f, n in ((p, "decoder"), (q, "encoder")))
    )
    play(
        pair, Batches({"v": v}, batch_size=1000, seed=seed), seed=seed, **dataclasses.asdict(budget)
    )
    found = pair.encoder.factor("c").network.kernel.numpy()
    found /= np.linalg.norm(found, axis=0)
    return (whitening @ found / (v[:5000] @ found).std()).reshape(reader.kernel.shape)
