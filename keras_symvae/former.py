"""Former names: what version 0.1 called differently can be found for one more version."""

import importlib
import importlib.abc
import importlib.machinery
import operator
import sys
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

REMOVED_IN = "0.3"
MODULES = {  # {former module: where its content is now}
    "keras_symvae.batches": "keras_symvae.data.batches",
    "keras_symvae.critics": "keras_symvae.learners.adversarial.critic",
    "keras_symvae.divergences": "keras_symvae.learners.adversarial.divergences",
    "keras_symvae.endpoints": "keras_symvae.model.questions",
    "keras_symvae.estimators": "keras_symvae.families.estimators",
    "keras_symvae.export": "keras_symvae.model.export",
    "keras_symvae.factors": "keras_symvae.model.factors",
    "keras_symvae.learners.as_vae": "keras_symvae.learners.adversarial.as_vae",
    "keras_symvae.learners.avb": "keras_symvae.learners.adversarial.avb",
    "keras_symvae.learners.base": "keras_symvae.learners.learner",
    "keras_symvae.learners.fgan": "keras_symvae.learners.adversarial.fgan",
    "keras_symvae.learners.guard": "keras_symvae.learners.step.guard",
    "keras_symvae.learners.meters": "keras_symvae.learners.step.meters",
    "keras_symvae.learners.optimizers": "keras_symvae.learners.step.optimizers",
    "keras_symvae.learners.svae": "keras_symvae.learners.adversarial.svae",
    "keras_symvae.learners.terms": "keras_symvae.learners.step.cost",
    "keras_symvae.learners.wae": "keras_symvae.learners.adversarial.wae",
    "keras_symvae.pair": "keras_symvae.model.pair",
    "keras_symvae.players": "keras_symvae.model.player",
    "keras_symvae.sources": "keras_symvae.data.sources",
    "keras_symvae.team": "keras_symvae.model.team",
    "keras_symvae.trunks": "keras_symvae.model.trunks",
    "zoo.architecture": "zoo.architectures.architecture",
    "zoo.blocks": "zoo.networks",
    "zoo.celeb_a_mask_hq": "zoo.datasets.celeb_a_mask_hq",
    "zoo.downloads": "zoo.datasets.downloads",
    "zoo.implicit": "zoo.architectures.implicit",
    "zoo.label_maps": "zoo.datasets.label_maps",
    "zoo.ladder": "zoo.architectures.ladder",
    "zoo.mask_folder": "zoo.datasets.mask_folder",
    "zoo.patches": "zoo.networks.patch_reader",
    "zoo.preparation": "zoo.datasets.preparation",
    "zoo.recipes": "zoo.presets.recipes",
    "zoo.segmentation": "zoo.architectures.segmentation",
    "zoo.semi_supervised": "zoo.architectures.semi_supervised",
    "zoo.silhouettes": "zoo.datasets.silhouettes",
    "zoo.splits": "zoo.datasets.splits",
    "zoo.unet": "zoo.networks",
}


def warn(name: str, *, now: str, stacklevel: int = 3) -> None:
    """Warns that something has another name."""
    message = f"{name} is now {now}; the former name will go in version {REMOVED_IN}."
    warnings.warn(message, DeprecationWarning, stacklevel=stacklevel)


def method(name: str, *, now: str) -> Callable[..., Any]:
    """Returns a method that warns and does what another, such as "chain.dream", does."""

    def renamed(self: Any, *args: Any, **kwargs: Any) -> Any:
        warn(f"{type(self).__name__}.{name}", now=now)
        return operator.attrgetter(now)(self)(*args, **kwargs)

    renamed.__doc__ = f"The former name of `{now}`."
    return renamed


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of `MODULES` where they are now."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in MODULES:
            return None
        return importlib.machinery.ModuleSpec(fullname, self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        warn(f"The module {spec.name}", now=MODULES[spec.name], stacklevel=2)
        module = importlib.import_module(MODULES[spec.name])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        """Gives the module its own spec back; it has been executed under its present name."""
        if module.__spec__ is not None:
            module.__spec__ = module.__spec__.loader_state


def install() -> None:
    """Lets Python find former modules, once."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.append(Finder())
