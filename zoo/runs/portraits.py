"""Portraits: the pictures of a trained model, by what it models."""

import pathlib
from collections.abc import Mapping

import numpy as np

from keras_symvae import Learner, Pair, Team, pictures
from zoo.architectures.segmentation import Segmentation
from zoo.datasets import palette
from zoo.runs.data import spread

OF_PAIR = ("samples.png", "limiting.png", "reconstructions.png")
OF_TEAM = ("samples.png", "limiting.png", "segmentations.png", "transfer.png")
SHOWN = 100  # images in a picture, 10 x 10
ROW = 10
DRAWN = 3  # samples of a segmentation
NAMED = 40  # classes, of which a legend can be read


def draw(
    folder: pathlib.Path,
    learner: Learner,
    held_out: Mapping[str, np.ndarray],
    *,
    limiting_steps: int,
    seed: int,
) -> None:
    """Writes the pictures of a model into a folder; pixels are shown by their means.

    Args:
        folder: path.
        learner: the trained `Learner`.
        held_out: {name: [N, ...]}.
        limiting_steps: alternations behind limiting.png.
        seed: integer.
    """
    if isinstance(learner.pair, Segmentation):
        options = {"limiting_steps": limiting_steps, "seed": seed}
        return _segmentation(folder, learner.pair, held_out, **options)
    given = {}
    if "y" in learner.pair.latent:  # a row for every class
        given["y"] = np.repeat(np.arange(learner.pair.families["y"].num_classes), ROW)
    samples = learner.generate(
        len(given["y"]) if given else SHOWN, seed=seed, output="mean", **given
    )
    pictures.save(folder / "samples.png", pictures.grid(samples["x"]))
    limiting = learner.limiting(SHOWN, steps=limiting_steps, seed=seed, output="mean")["x"]
    pictures.save(folder / "limiting.png", pictures.grid(limiting))
    chosen = spread(held_out["x"], SHOWN // 2)
    both = pictures.pairs(chosen, learner.reconstruct({"x": chosen}, seed=seed)["x"])
    pictures.save(folder / "reconstructions.png", both)


def _segmentation(
    folder: pathlib.Path,
    team: Segmentation,
    held_out: Mapping[str, np.ndarray],
    *,
    limiting_steps: int,
    seed: int,
) -> None:
    """Held-out images with their maps; appearance transferred; the full limiting distribution."""
    x, s = (spread(held_out[name], ROW) for name in ("x", "s"))
    num_classes = team.num_classes

    def mapped(labels: np.ndarray) -> np.ndarray:
        return palette.painted(labels, num_classes=num_classes, classes=team.classes)

    found = team.segment(x, seed=seed)
    doubt = _coloured(found["uncertainty"][..., None] / np.log(num_classes))
    rows = [
        _coloured(x),
        mapped(s),
        mapped(found["s"]),
        *(mapped(found["samples"][:, draw]) for draw in range(DRAWN)),
        doubt,
        _coloured(team.render(s, seed=seed)),
    ]
    labels = ["image", "label map", "segment(image)", *(f"sample {i + 1}" for i in range(DRAWN))]
    labels += ["uncertainty", "render(label map)"]
    named = _legend(team)
    pictures.labelled_rows(folder / "segmentations.png", rows, labels, colours=named)
    worn = team.transfer(x, s, s, seed=seed)
    blank = np.full_like(x[:1], 0.5)
    rows = [np.concatenate([_coloured(blank), mapped(s)])]
    rows += [_coloured(np.concatenate([x[i : i + 1], worn[i]])) for i in range(len(x))]
    worn = pictures.grid(np.concatenate(rows), columns=ROW + 1)
    pictures.save(folder / "transfer.png", pictures.legend(worn, named))
    start = {"x": x, "s": s}
    rows, labels = [_coloured(x), mapped(s)], ["data", ""]
    for steps in sorted({1, limiting_steps}):
        after = team.limiting_pairs(start=start, steps=steps, seed=seed, output="mean")
        rows += [_coloured(after["x"]), mapped(after["s"])]
        labels += [f"after {steps}", ""]
    pictures.labelled_rows(folder / "limiting.png", rows, labels, colours=named)
    free = team.limiting_pairs(SHOWN // 2, steps=limiting_steps, seed=seed, output="mean")
    pictures.save(folder / "samples.png", grid(team, free))


def grid(model: Pair | Team, values: Mapping[str, np.ndarray], *, columns: int = ROW) -> np.ndarray:
    """Returns the grid of images, of a team above their label maps, uint8 [height, width, C].

    A legend under the label maps tells the colours of classes.
    """
    if not isinstance(model, Segmentation):
        return pictures.grid(values["x"], columns=columns)
    maps = palette.painted(values["s"], num_classes=model.num_classes, classes=model.classes)
    both = pictures.pairs(_coloured(values["x"]), maps, columns=columns)
    return pictures.legend(both, _legend(model))


def _legend(team: Segmentation) -> dict[str, list[float]]:
    """Returns {name: colour} of the classes, or {} where they are too many to be read."""
    if team.num_classes > NAMED:
        return {}
    return palette.legend(team.num_classes, classes=team.classes)


def _coloured(x: np.ndarray) -> np.ndarray:
    """Returns images [N, H, W, 1 or 3] as colours [N, H, W, 3]."""
    return np.repeat(x, 3, axis=-1) if x.shape[-1] == 1 else x
