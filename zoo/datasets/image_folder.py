"""A folder of equally large images, whose subfolders are their classes."""

import pathlib

import numpy as np

from zoo.datasets.splits import Parts

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")


def parts_of(folder: pathlib.Path) -> dict[str, pathlib.Path]:
    """Returns the folders {"train": ..., "test": ...} inside, or {"train": the folder itself}."""
    roots = {part: folder / part for part in ("train", "test")}
    return roots if all(root.is_dir() for root in roots.values()) else {"train": folder}


def read(folder: pathlib.Path) -> tuple[Parts, int | None]:
    """Returns the images and labels of every part, and the number of classes.

    Raises:
        ValueError: The images lie at different depths, differ in size or cannot be read.
    """
    xs: dict[str, np.ndarray] = {}
    found: dict[str, list[str]] = {}
    for part, root in parts_of(folder).items():
        files = sorted(file for file in root.rglob("[!.]*") if file.suffix.lower() in SUFFIXES)
        depths = {len(file.relative_to(root).parts) for file in files}
        if depths not in ({1}, {2}):
            raise ValueError(
                f"{root}: images ({', '.join(SUFFIXES)}, IDX) must lie all in this folder, or all "
                f"in its class subfolders, got {len(files)} images at depths {sorted(depths)}."
            )
        xs[part] = read_images(files)
        if depths == {2}:
            found[part] = [file.parent.name for file in files]
    classes = sorted(set().union(*found.values()))
    ys = {part: np.searchsorted(classes, names) for part, names in found.items()}
    return {part: (x, ys.get(part)) for part, x in xs.items()}, len(classes) or None


def read_images(files: list[pathlib.Path]) -> np.ndarray:
    """Returns the pixels of image files, uint8 `[N, H, W]` or `[N, H, W, 3]`.

    Raises:
        ValueError: An image cannot be read, is not 8-bit, or is unlike the first one.
    """
    from PIL import Image

    images: list[np.ndarray] = []
    for file in files:
        try:
            with Image.open(file) as image:
                if image.mode[0] in "IF":  # Pillow would clip 16-bit and float pixels.
                    raise OSError(f"mode {image.mode} is not 8-bit gray or colour")
                mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
                images.append(np.asarray(image.convert(mode)))
        except (OSError, SyntaxError) as error:
            raise ValueError(f"{file} cannot be read: {error}.") from None
        if images[-1].shape != images[0].shape:
            shapes = f"{images[-1].shape}, but {files[0].name} is {images[0].shape}"
            raise ValueError(f"{file} is {shapes}; make all images the same size and mode.")
    return np.stack(images)
