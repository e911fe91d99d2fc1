"""The data of a run: images and what is known of them, checked against the model and prepared."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_symvae import Batches, seeds
from keras_symvae.data.batches import Mixture
from zoo import datasets
from zoo.datasets import label_maps
from zoo.datasets.images import Images
from zoo.datasets.known_classes import Classes
from zoo.datasets.label_maps import LabelMaps
from zoo.datasets.preparation import Preparation

# Rules by which a data set that comes in one part is split, see `zoo.datasets.splits`.
OLD_SPLIT_RULE = "shuffled"  # of runs whose settings name none
SPLIT_RULE = "stratified"  # of new runs
CHUNK = 1000  # images prepared at once; part of what the fixed draws are
TARGETS = {"y": "labels", "s": "label maps"}  # what may be known of an image


class Data:
    """One image set, prepared for a model of one image shape.

    Args:
        name: what `zoo.datasets.load` takes, or `zoo.label_maps.load` for a model of label maps.
        shape: (height, width, channels) that the model takes.
        preparation: `zoo.preparation.Preparation`.
        owner: what has that shape, for messages: "preset 'digits_ladder'".
        target: "y" or "s", if the model has labels or label maps.
        num_classes: of the target.
        labelled: number of training images, for labels of each class, whose target is used.
            None: of all.
        split_rule: how data that come in one part are split.
        ignore: class of label maps whose pixels count as pixels without a label.
        classes: what the numbers or colours of label maps mean, see `label_maps.load`.
    """

    def __init__(
        self,
        name: str,
        *,
        shape: Sequence[int],
        preparation: Preparation,
        owner: str,
        target: str | None = None,
        num_classes: int | None = None,
        labelled: int | None = None,
        split_rule: str = SPLIT_RULE,
        ignore: int | None = None,
        classes: Classes | None = None,
    ):
        self.name, self.shape, self.split_rule = name, tuple(shape), split_rule
        self.ignore, self.classes = ignore, classes
        self.preparation, self.owner = preparation, owner
        self.target, self.num_classes, self.labelled = target, num_classes, labelled

    def read(self, part: str) -> Images | LabelMaps:
        """Returns `zoo.datasets.Images` or `zoo.label_maps.LabelMaps`, unprepared.

        Raises:
            ValueError: the images have another shape, or the model's targets are not there.
        """
        if self.target == "s":
            own = self.name.startswith(label_maps.SILHOUETTES) or self.name.endswith(".npz")
            height, width, _ = self.shape
            size = None if own else (height, width)
            images = label_maps.load(
                self.name,
                split=part,
                size=size,
                ignore=self.ignore,
                split_rule=self.split_rule,
                classes=self.classes,
            )
        else:
            images = datasets.load(self.name, split=part, split_rule=self.split_rule)
        if images.x.shape[1:] != self.shape:
            raise ValueError(
                f"images of {self.name!r} are {images.x.shape[1:]}, but {self.owner} takes "
                f"{self.shape} (height, width, channels); choose one made for these images, or "
                "resize them"
            )
        if self.target and getattr(images, self.target) is None:
            raise ValueError(
                f"{self.owner} learns from {TARGETS[self.target]}, and {self.name!r} has none"
            )
        if self.target and images.num_classes > self.num_classes:
            raise ValueError(
                f"{self.name!r} has {images.num_classes} classes, but {self.owner} knows "
                f"{self.num_classes}{'; say --classes' if self.target == 's' else ''}"
            )
        return images

    def batches(
        self, *, batch_size: int, labelled_batch_size: int | None = None, seed: int
    ) -> Batches | Mixture:
        """Returns the `Minibatches` of training images, prepared anew for every step.

        Where only some targets are used, `labelled_batch_size` images that have one are added to
        every `batch_size` images of all, which have none.
        """
        images = self.read("train")
        options = {"seed": seed, "transform": self.preparation}
        x = {"x": images.x}
        if self.target is None:
            return Batches(x, batch_size=batch_size, **options)
        target = getattr(images, self.target)
        if self.labelled is None:
            return Batches({**x, self.target: target}, batch_size=batch_size, **options)
        rows = self.chosen(target, seed=seed)
        known = {"x": images.x[rows], self.target: target[rows]}
        parts = [
            Batches(known, batch_size=labelled_batch_size or batch_size, **options),
            Batches(x, batch_size=batch_size, **options),
        ]
        return Mixture(parts)

    def chosen(self, target: np.ndarray, *, seed: int) -> np.ndarray:
        """Returns the indices of the training images whose targets are used, a function of seed.

        Raises:
            ValueError: there are fewer.
        """
        order = np.random.RandomState(seed).permutation(len(target))
        if self.target == "s":
            order = order[(target[order] >= 0).any(axis=(1, 2))]
            groups = [order]
        else:
            groups = [order[target[order] == label] for label in np.unique(target)]
        few = min(len(group) for group in groups)
        if few < self.labelled:
            scarce = " of one class" if self.target == "y" else ""
            raise ValueError(
                f"{self.labelled} {TARGETS[str(self.target)]} were asked for, but "
                f"{self.name!r} has {few}{scarce}"
            )
        return np.concatenate([group[: self.labelled] for group in groups])

    def held_out(self, *, limit: int | None = None) -> dict[str, np.ndarray]:
        """Returns test data {name: [N, ...]} without flips and noise, always the same."""
        images = self.read("test")
        values = {"x": self.prepared(spread(images.x, limit))}
        if self.target:
            values[self.target] = spread(getattr(images, self.target), limit)
        return values

    def prepared(self, x: np.ndarray) -> np.ndarray:
        """Returns images [N, H, W, C] prepared with fixed draws, without flips and noise."""
        clean, parts = self.preparation.clean(), []
        for index, start in enumerate(range(0, len(x), CHUNK)):
            fork = seeds.fold(seeds.make(0), seeds.TEST, index)
            parts.append(clean({"x": tf.constant(x[start : start + CHUNK])}, fork)["x"].numpy())
        return np.concatenate(parts)


def spread(x: np.ndarray, limit: int | None) -> np.ndarray:
    """Returns at most `limit` entries of x, evenly spaced: files may be sorted by class."""
    if limit is None or len(x) <= limit:
        return x
    return x[np.linspace(0, len(x) - 1, limit).astype(int)]
