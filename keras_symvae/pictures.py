"""Pictures: grids of images and curves as PNG."""

import io
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from keras_symvae import arguments, files
from keras_symvae.shapes import shaped

COLUMNS = 10
MIN_SIDE = 56  # pixels: what is smaller than this cannot be judged by eye
GAP, GAP_LEVEL = 4, 0.5  # between the images of a grid
LETTERS = 12  # pixels: the height of names in a legend


@shaped(returns="[height, width, C]")
def grid(images: ArrayLike, *, columns: int = COLUMNS) -> NDArray[np.uint8]:
    """Returns images [N, H, W, C] side by side, row by row, as uint8 [height, width, C].

    Values are clipped to [0, 1]; small images are magnified by a whole number.
    """
    images = arguments.array("images", images)
    columns = arguments.integer("columns", columns, least=1)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise ValueError(f"A grid shows images [N, H, W, 1 or 3]; received {images.shape}.")
    images = np.clip(np.nan_to_num(images), 0.0, 1.0).astype(np.float32)
    scale = math.ceil(MIN_SIDE / min(images.shape[1:3]))
    images = images.repeat(scale, axis=1).repeat(scale, axis=2)
    n, height, width, channels = images.shape
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    canvas = np.full(
        (GAP + rows * (height + GAP), GAP + columns * (width + GAP), channels), GAP_LEVEL
    )
    for index, image in enumerate(images):
        top = GAP + (index // columns) * (height + GAP)
        left = GAP + (index % columns) * (width + GAP)
        canvas[top : top + height, left : left + width] = image
    return (canvas * 255).round().astype(np.uint8)


@shaped(originals="[N, H, W, C]", answers="[N, H, W, C]", returns="[height, width, C]")
def pairs(
    originals: NDArray[Any], answers: NDArray[Any], *, columns: int = COLUMNS
) -> NDArray[np.uint8]:
    """Returns the grid in which every row of originals stands above the row of its answers.

    Args:
        originals, answers: images [N, H, W, C].
    """
    originals, answers = (
        arguments.array("originals", originals),
        arguments.array("answers", answers),
    )
    columns = arguments.integer("columns", columns, least=1)
    if originals.ndim != 4 or originals.shape != answers.shape or not len(originals):
        raise ValueError(
            "originals and answers are as many images [N, H, W, C]; received "
            f"{originals.shape} and {answers.shape}."
        )
    rows = []
    for start in range(0, len(originals), columns):
        rows += [originals[start : start + columns], answers[start : start + columns]]
    # A last row that is not full would make its answers slip up beside it.
    blank = np.full((-len(originals) % columns, *np.shape(originals)[1:]), GAP_LEVEL)
    if len(originals) > columns:
        rows[-2:] = [np.concatenate([row, blank]) for row in rows[-2:]]
    return grid(np.concatenate(rows), columns=min(columns, len(originals)))


@shaped(picture="[height, width, 1] | [height, width, 3]")
def save(path: str | os.PathLike, picture: NDArray[np.uint8]) -> None:
    """Writes a picture, uint8 [height, width, 1 or 3], as PNG."""
    from PIL import Image

    picture = _picture(picture)
    image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
    with files.whole(path) as unfinished:
        image.save(unfinished)


@shaped(picture="[height, width, 1] | [height, width, 3]", returns="[H, width, 3]")
def legend(picture: NDArray[np.uint8], colours: Mapping[str, Sequence[float]]) -> NDArray[np.uint8]:
    """Returns a picture, uint8 [height, width, 1 or 3], above {name: colour [3] in [0, 1]}."""
    from PIL import Image, ImageDraw, ImageFont

    picture = _picture(picture)
    if not isinstance(colours, Mapping) or not all(map(_is_colour, colours.values())):
        raise ValueError(
            "colours are {name: (red, green, blue)} in [0, 1]; received "
            f"{arguments.told(colours)}."
        )
    arguments.words("The names of colours", tuple(colours))
    picture = np.broadcast_to(picture, (*picture.shape[:2], 3))
    font, places, left, top = ImageFont.load_default(LETTERS), {}, GAP, GAP
    for name in colours:
        width = math.ceil(font.getlength(name)) + LETTERS + 3 * GAP
        if left > GAP and left + width > picture.shape[1]:
            left, top = GAP, top + LETTERS + GAP
        places[name] = (left, top)
        left += width
    strip = Image.new("RGB", (picture.shape[1], top + LETTERS + 2 * GAP), "white")
    pen = ImageDraw.Draw(strip)
    for name, (left, top) in places.items():
        fill = tuple(round(255 * float(level)) for level in colours[name])
        pen.rectangle((left, top, left + LETTERS, top + LETTERS), fill, "gray")
        pen.text((left + LETTERS + GAP, top - 1), name, "black", font)
    return np.concatenate([picture, np.asarray(strip)])


def labelled_rows(
    path: str | os.PathLike,
    rows: Sequence[NDArray[Any]],
    labels: Sequence[str],
    *,
    colours: Mapping[str, Sequence[float]] | None = None,
) -> None:
    """Writes rows of images, each [N, H, W, C] with a label before it, as PNG.

    Args:
        path: file to write.
        rows: the images.
        labels: of the rows.
        colours: {name: colour} of a `legend` under them.
    """
    from PIL import Image

    labels = arguments.words("labels", labels)
    if not isinstance(rows, (tuple, list)) or len(rows) != len(labels) or not rows:
        raise ValueError(
            f"rows are images, one row for each of {len(labels)} labels; received "
            f"{arguments.told(rows)}."
        )
    rows = [arguments.array("Each of rows", row) for row in rows]
    figure = _figure(0.8 * max(map(len, rows)) + 2.0, 0.8 * len(rows))
    for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
        axes = figure.add_subplot(len(rows), 1, index + 1)
        axes.imshow(grid(row, columns=len(row)).squeeze(), cmap="gray", vmin=0, vmax=255)
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=8)
        axes.set_xticks([])
        axes.set_yticks([])
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, bbox_inches="tight")
    picture = np.asarray(Image.open(drawn).convert("RGB"))
    save(path, legend(picture, colours) if colours else picture)


def curves(path: str | os.PathLike, records: Sequence[Mapping[str, Any]]) -> None:
    """Writes the course of training as PNG: one panel per player, and one for the information.

    Training is solid, held-out data ("val_...") are dashed in the same colour.

    Args:
        path: file to write.
        records: list of {"step": integer, "metrics": {name: number or None}}.
    """
    if not isinstance(records, (tuple, list)) or not all(map(_is_record, records)):
        raise ValueError(
            "records are a list of {'step': integer, 'metrics': {name: number}}; received "
            f"{arguments.told(records)}."
        )
    names = {name: None for record in records for name in record["metrics"]}
    panels: dict[str, list[str]] = {"decoder": [], "encoder": [], "information": []}
    for name in names:
        group, _, variable = name.partition("/")
        if group in panels and variable and not variable.endswith("bits_per_dim"):
            panels[group].append(name)
    panels = {group: found for group, found in panels.items() if found}
    steps = [record["step"] for record in records]
    figure = _figure(5.2 * max(1, len(panels)), 4.2)
    for position, (group, found) in enumerate(panels.items()):
        axes = figure.add_subplot(1, len(panels), position + 1)
        for index, name in enumerate(found):
            for key, style, label in ((name, "-", name), (f"val_{name}", "--", None)):
                if key in names:
                    line = [_number(record["metrics"].get(key)) for record in records]
                    marker = "o" if len(steps) == 1 else None
                    axes.plot(steps, line, style, color=f"C{index}", label=label, marker=marker)
        held_out = any(f"val_{name}" in names for name in found)
        axes.set_title(f"{group} (dashed: held-out)" if held_out else f"{group} (held-out)")
        axes.set_xlabel("step")
        axes.set_ylabel("nats per example")
        axes.grid(alpha=0.3)
        axes.legend()
    with files.whole(path) as unfinished:
        figure.savefig(unfinished, dpi=100)


def _figure(width: float, height: float) -> Any:
    """Returns a figure of this size in inches."""
    # Without pyplot, which would look for a display and keep the figure.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _picture(picture: Any) -> NDArray[np.uint8]:
    """Returns a picture, or raises ValueError where it is none."""
    picture = arguments.array("picture", picture)
    shape = picture.shape
    if picture.dtype != np.uint8 or len(shape) != 3 or shape[-1] not in (1, 3) or not picture.size:
        raise ValueError(
            f"A picture is uint8 [height, width, 1 or 3]; received {picture.dtype} {shape}."
        )
    return picture


def _is_colour(levels: Any) -> bool:
    return np.shape(levels) == (3,) and all(
        arguments.is_number(level, least=0, most=1) for level in levels
    )


def _is_record(record: Any) -> bool:
    return isinstance(record, Mapping) and {"step", "metrics"} <= record.keys()


def _number(value: float | None) -> float:
    return math.nan if value is None else value
