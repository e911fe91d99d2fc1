"""A team: several pairs, whose variables of one name are the same."""

import functools
import operator
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

import keras
import tensorflow as tf

from keras_symvae import arguments
from keras_symvae.data import intake
from keras_symvae.data.batch import Batch
from keras_symvae.data.variables import ROWS, Variables, joined, unwrapped
from keras_symvae.families import Family
from keras_symvae.model.model import Model
from keras_symvae.model.pair import Pair
from keras_symvae.model.player import Player
from keras_symvae.model.questions import Endpoint


@keras.saving.register_keras_serializable(package="keras_symvae")
class Team(Model):
    """Pairs over shared variables: what a learner of several models trains.

    Data of a team are {member: data of that pair}, or values {name: [B, ...]} of which every
    member takes the variables it has; a tuple names the observed variables in the members' order.

    Args:
        members: {name: Pair}.

    Raises:
        ValueError: two members differ in the family of a variable.
    """

    def __init__(self, members: Mapping[str, Pair], *, name: str = "team", **kwargs: Any) -> None:
        super().__init__(name=name, dtype="float32", **kwargs)
        self.members = arguments.table("members", members)
        if not self.members:
            raise ValueError("members are several pairs; received none.")
        for member, pair in self.members.items():
            arguments.instance(f"Member '{member}' of members", pair, Pair)
        self.families = {}
        for member, pair in self.members.items():
            for variable, family in pair.families.items():
                if self.families.setdefault(variable, family) != family:
                    raise ValueError(
                        f"Member '{member}' takes '{variable}' as {family!r}, another as "
                        f"{self.families[variable]!r}; rename one of them."
                    )
        self.built = True

    def __getitem__(self, member: str) -> Pair:
        """Returns the `Pair` of this name."""
        return self.members[member]

    @property
    def schema(self) -> Variables:
        """The variables of all members."""
        return joined([pair.schema for pair in self.members.values()])

    @property
    def players(self) -> dict[str, Player]:
        """{"member/decoder": Player}."""
        return self._of_members(lambda pair: pair.players)

    @property
    def likelihoods(self) -> dict[str, Family]:
        """{"member/decoder/x": Family} of the observed variables."""
        return self._of_members(lambda pair: pair.likelihoods)

    @property
    def parts(self) -> list[tuple[str, keras.Layer]]:
        """[("member/decoder/x", factor or trunk)]: the owners of all weights."""
        return [
            (f"{member}/{path}", part)
            for member, pair in self.members.items()
            for path, part in pair.parts
        ]

    def _of_members(self, table) -> dict[str, Any]:
        return {
            f"{member}/{name}": entry
            for member, pair in self.members.items()
            for name, entry in table(pair).items()
        }

    def split(self, data: Any) -> dict[str, dict[str, Any]]:
        """Returns {member: {name: array}}.

        Raises:
            ValueError: the data hold something that no member has.
        """
        data = unwrapped(data)
        if isinstance(data, Mapping) and data.keys() == self.members.keys():
            return {m: pair.schema.named(data[m]) for m, pair in self.members.items()}
        if isinstance(data, Mapping):
            unknown = sorted(data.keys() - self.families.keys() - {ROWS})
            if unknown:
                raise ValueError(
                    f"The data hold {unknown}; members are {sorted(self.members)}, their variables "
                    f"{sorted(self.families)}."
                )
        values = self.schema.named(data)
        return {
            member: {n: value for n, value in values.items() if n in pair.families or n == ROWS}
            for member, pair in self.members.items()
        }

    def named(self, data: Any) -> dict[str, Any]:
        """Returns data as {member: {name: value}}, see `split`."""
        return self.split(data)

    def schemas(self, named: dict[str, Any]) -> list[tuple[Variables, dict[str, Any]]]:
        """Returns the variables and the named data of every member."""
        return [(self[member].schema, values) for member, values in named.items()]

    def batch(self, data: Any, *, lacking: Collection[str] = ()) -> dict[str, Batch]:
        """Returns data as {member: Batch}, see `Model.batch`."""
        return {m: self[m].batch(part, lacking=lacking) for m, part in self.split(data).items()}

    def check_training(
        self, data: Any, *, may_lack: Collection[str], full: bool, learner: str
    ) -> intake.Arrays | dict[str, intake.Arrays]:
        """Returns data as arrays, or refuses them, see `intake.trainable`."""
        options = {"may_lack": may_lack, "full": full, "learner": learner, "alone": False}
        parts = {
            member: intake.trainable(self[member].schema, part, **options)
            for member, part in self.split(data).items()
        }
        data = unwrapped(data)
        apart = isinstance(data, Mapping) and data.keys() == self.members.keys()
        return parts if apart else functools.reduce(operator.or_, parts.values())

    def lacking(self, arrays: Mapping[str, Any]) -> frozenset[str]:
        """Returns the names of the variables that some example of some member lacks."""
        parts = self.split(arrays).items()
        return frozenset().union(*(self[member].lacking(part) for member, part in parts))

    def single(self, question: str) -> NoReturn:
        """Refuses: says which members may be asked instead."""
        first = next(iter(self.members))
        pair = f"learner.pair[{first!r}]"
        own = hasattr(self[first], question)  # others are those of `keras_symvae.evaluation`
        call = f"{pair}.{question}(...)" if own else f"evaluation.{question}({pair}, ...)"
        raise ValueError(
            f"A team of several pairs has no {question} of its own; ask one of its members "
            f"{list(self.members)}, such as {call}."
        )

    def generate(self, n: int | None = None, **options: Any) -> intake.Arrays:
        """Refuses: a question for a member."""
        return self.single("generate")

    def encode(self, data: Any, **options: Any) -> intake.Arrays:
        """Refuses: a question for a member."""
        return self.single("encode")

    def decode(self, latents: Any, **options: Any) -> intake.Arrays:
        """Refuses: a question for a member."""
        return self.single("decode")

    def reconstruct(self, data: Any, **options: Any) -> intake.Arrays:
        """Refuses: a question for a member."""
        return self.single("reconstruct")

    def limiting(self, n: int | None = None, **options: Any) -> intake.Arrays:
        """Refuses: a question for a member."""
        return self.single("limiting")

    def common_endpoints(self) -> dict[str, Endpoint]:
        """None: what a team answers is up to its architecture."""
        return {}

    def _predicted(self, data: Any) -> dict[str, intake.Arrays]:
        return {member: self[member].predict(part) for member, part in self.split(data).items()}

    def call(self, data: Any) -> dict[str, dict[str, tf.Tensor]]:
        """Reconstructs data: {member: {name: [B, ...]}}, the decoders' means."""
        return {member: self[member](part) for member, part in self.split(data).items()}
