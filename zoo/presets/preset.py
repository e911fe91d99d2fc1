"""A preset: one architecture, its data, and how each learner trains it."""

import dataclasses
from typing import Any

from keras_symvae import arguments
from keras_symvae.model.pair import Pair
from keras_symvae.model.team import Team
from zoo.architectures.implicit import Implicit
from zoo.architectures.ladder import Ladder
from zoo.architectures.segmentation import Segmentation
from zoo.architectures.semi_supervised import SemiSupervised
from zoo.datasets import known_classes
from zoo.presets.recipes import Recipe

MODELS = {
    "ladder": Ladder,
    "implicit": Implicit,
    "semi_supervised": SemiSupervised,
    "segmentation": Segmentation,
}


@dataclasses.dataclass(frozen=True)
class Preset:
    """One architecture, the way its data are prepared, and how each learner trains it.

    Args:
        architecture: arguments of the model.
        data: default data set, a name that `zoo.datasets.load` takes.
        preparation: arguments of `Preparation`.
        steps: number of training steps, the same for all learners.
        batch_size: images in a step, the same for all learners.
        recipes: {learner: Recipe}.
        labelled_batch_size: number of labelled images that a step adds to `batch_size` images
            without a label, where only some images are labelled.
        steps_per_execution: steps in one call of the compiled function; above 1 where a step is so
            short that Keras's work per call would show.
        model: key of `MODELS`.
        classes: of label maps, key of `known_classes.TABLES`; None: they have numbers alone.
    """

    architecture: dict[str, Any]
    data: str
    preparation: dict[str, Any]
    steps: int
    batch_size: int
    recipes: dict[str, Recipe]
    labelled_batch_size: int | None = None
    steps_per_execution: int = 1
    model: str = "ladder"
    classes: str | None = None

    def __post_init__(self) -> None:
        arguments.one_of("model", self.model, tuple(MODELS))
        for name in ("steps", "batch_size", "steps_per_execution"):
            arguments.integer(name, getattr(self, name), least=1)
        arguments.size("labelled_batch_size", self.labelled_batch_size)
        if self.classes is not None:
            arguments.one_of("classes", self.classes, tuple(known_classes.TABLES))

    @property
    def target(self) -> str | None:
        """The variable that data may hold beside the image: None, "y" or "s"."""
        return MODELS[self.model].target

    def pair(self, **changes: Any) -> Pair | Team:
        """Returns a fresh, untrained pair or team; `changes` replace arguments of the model."""
        named = {} if self.classes is None else {"classes": known_classes.get(self.classes).shown}
        return MODELS[self.model](**{**self.architecture, **named, **changes})
