"""A place: where table, numbers and pictures of an experiment are written."""

import pathlib

ROOM = pathlib.Path(__file__).parent


class Place:
    """The own folder of an experiment, or a folder for figures of several.

        scripts/experiments/NAME/   table.md   results.json   picture.png   OTHER.png
        OUT/                        NAME.md    NAME.json      NAME.png      NAME_OTHER.png

    Args:
        name: of the experiment.
        out: folder for several; None: the experiment's own.
    """

    def __init__(self, name: str, out: str | pathlib.Path | None = None):
        self.name, self.own = name, out is None
        self.folder = ROOM / name if out is None else pathlib.Path(out)

    @property
    def table(self) -> pathlib.Path:
        """The file of the Markdown table."""
        return self.folder / ("table.md" if self.own else f"{self.name}.md")

    @property
    def results(self) -> pathlib.Path:
        """The file of the numbers, as JSON."""
        return self.folder / ("results.json" if self.own else f"{self.name}.json")

    def picture(self, other: str | None = None) -> pathlib.Path:
        """Returns the file of the picture, or of another one beside it."""
        own, shared = "picture", self.name
        if other is not None:
            own, shared = other, f"{self.name}_{other}"
        return self.folder / f"{own if self.own else shared}.png"
