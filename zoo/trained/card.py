"""A card: what a trained model is, of which data, how it was made, and what it is not for."""

import dataclasses
import hashlib
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any, Self

from keras_symvae import arguments, files, json_file

FILE, TEXT, MODEL = "card.json", "README.md", "model.keras"
UNKNOWN = "not said"
NEEDED = ("name", "learner", "model", "parameters", "updates", "seed", "files")
WRITTEN = ("about", "data", "licence", "source", "command", "not_for")  # by the author, as texts
LONGEST = 10_000  # characters of a text, and entries of a table


@dataclasses.dataclass(frozen=True, kw_only=True)
class Card:
    """What users have to know of a trained model before they rely on it.

    Args:
        name: of the model.
        learner: the class that trained it.
        model: the class of what was trained, such as "Ladder".
        parameters: number of its weights that are trained.
        updates: number of training steps.
        seed: of the run.
        files: {name: SHA-256 in hexadecimal digits}.
        about: one sentence that says what it makes.
        data: the training images.
        licence: of these data.
        source: where the data come from.
        command: what trained it.
        preset: of the zoo, "" if there is none.
        figures: {what was measured: number or text}.
        not_for: what the model should not be used for.
        dtype: in which its weights are kept.
        versions: {library: version} with which it was trained.
    """

    name: str
    learner: str
    model: str
    parameters: int
    updates: int
    seed: int
    files: dict[str, str]
    about: str = UNKNOWN
    data: str = UNKNOWN
    licence: str = UNKNOWN
    source: str = UNKNOWN
    command: str = UNKNOWN
    preset: str = ""
    figures: dict[str, Any] = dataclasses.field(default_factory=dict)
    not_for: str = UNKNOWN
    dtype: str = "float32"
    versions: dict[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check(field.name, getattr(self, field.name), kind=field.type)

    @classmethod
    def read(cls, folder: str | os.PathLike) -> Self:
        """Returns the card in a folder, which may be a stranger's.

        Raises:
            FileNotFoundError: there is none.
            ValueError: it is damaged; says what is wrong.
        """
        path = pathlib.Path(folder) / FILE
        if not path.is_file():
            raise FileNotFoundError(f"{path.parent} has no {FILE}; zoo.save writes it")
        found = json_file.read(path)
        known = [field.name for field in dataclasses.fields(cls)]
        missing = [name for name in NEEDED if name not in found]
        if missing:
            raise ValueError(f"{path} says nothing of {', '.join(missing)}; copy it again")
        try:
            return cls(**{name: value for name, value in found.items() if name in known})
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None

    def write(self, folder: str | os.PathLike) -> None:
        """Writes the card into a folder, as data and as a text to read."""
        folder = pathlib.Path(folder)
        for name, text in ((FILE, self.json()), (TEXT, self.text())):
            with files.whole(folder / name) as unfinished:
                unfinished.write_text(text, encoding="utf-8")

    def check(self, folder: str | os.PathLike) -> None:
        """Refuses a folder whose model is not the one that the card describes.

        Raises:
            FileNotFoundError: there is no model.
            ValueError: its digest is another.
        """
        path = pathlib.Path(folder) / MODEL
        if not path.is_file():
            raise FileNotFoundError(f"{folder} has a {FILE} and no {MODEL}; copy it again")
        expected = self.files.get(MODEL)
        if digest(path) != expected:
            raise ValueError(
                f"{path} is not the file that {FILE} describes, its SHA-256 is not {expected}; "
                "copy the folder again"
            )

    def json(self) -> str:
        """Returns the text of the file."""
        return json.dumps(dataclasses.asdict(self), indent=2, allow_nan=False) + "\n"

    def text(self) -> str:
        """Returns the card as Markdown, with the front matter of model hubs."""
        figures = [f"| {name} | {value} |" for name, value in self.figures.items()]
        table = ["| measured | value |", "| --- | --- |", *figures] if figures else [UNKNOWN]
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return "\n".join(
            [
                "---",
                "library_name: keras",
                "tags:",
                "- keras_symvae",
                "- variational-autoencoder",
                "---",
                "",
                f"# {self.name}",
                "",
                self.about,
                "",
                "```python",
                "import zoo",
                "",
                "model = zoo.load(FOLDER)  # this folder, or its address",
                'images = model.generate(64, seed=0)["x"]',
                "```",
                "",
                f"- **Model**: {self.model}, {self.parameters:,} parameters, kept as {self.dtype}.",
                f"- **Data**: {self.data} Licence: {self.licence}. Source: {self.source}.",
                f"- **Training**: {self.learner}, {self.updates:,} updates, seed {self.seed}; "
                f"{versions or UNKNOWN}.",
                f"- **Command**: `{self.command}`",
                f"- **Not for**: {self.not_for}",
                "",
                "## Figures",
                "",
                *table,
                "",
            ]
        )


def digest(path: str | os.PathLike) -> str:
    """Returns the SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check(name: str, value: Any, *, kind: Any) -> None:
    """Refuses a value that is not of the kind of its field."""
    if kind is int:
        arguments.integer(name, value, least=None if name == "seed" else 0)
    elif kind is str:
        arguments.instance(name, value, str)
        if len(value) > LONGEST or not all(c.isprintable() or c == "\n" for c in value):
            raise ValueError(f"{name} is a text of at most {LONGEST:,} printable characters.")
    else:
        table = arguments.table(name, value)
        plain = (str, int, float) if name == "figures" else (str,)
        if len(table) > LONGEST or not all(isinstance(part, plain) for part in table.values()):
            raise ValueError(f"{name} is a table of words; received {arguments.told(value)}.")


def written(card: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns what the author of a model says of it.

    Raises:
        ValueError: it is no table, or says something that a card has no place for.
    """
    found = arguments.table("card", card)
    places = (*WRITTEN, "preset", "figures", "versions")
    unknown = sorted(found.keys() - set(places))
    if unknown:
        raise ValueError(f"A card says {', '.join(places)}; received {', '.join(unknown)}.")
    return found
