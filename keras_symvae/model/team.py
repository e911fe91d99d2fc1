"""A team: several pairs, whose variables of one name are the same."""

import functools
import operator

import keras
import tensorflow as tf

from keras_symvae.data.intake import checked, named, trainable, typed
from keras_symvae.model.questions import Questions


@keras.saving.register_keras_serializable(package="keras_symvae")
class Team(keras.Model, Questions):
    """Pairs over shared variables: what a learner of several models trains.

    Data of a team are {member: data of that pair}, or values {name: [B, ...]} of which every
    member takes the variables it has; a tuple names the observed variables in the members' order.

    Args:
        members: {name: Pair}.
    """

    def __init__(self, members, *, name="team", **kwargs):
        super().__init__(name=name, dtype="float32", **kwargs)
        self.members = dict(members)
        self.families = {}
        for member, pair in self.members.items():
            for variable, family in pair.families.items():
                if self.families.setdefault(variable, family) != family:
                    raise ValueError(
                        f"Member '{member}' takes '{variable}' as {family!r}, another as "
                        f"{self.families[variable]!r}; rename one of them."
                    )
        self.built = True

    def __getitem__(self, member):
        """Returns the `Pair` of this name."""
        return self.members[member]

    @property
    def players(self):
        """{"member/decoder": Player}."""
        return self._of_members("players")

    @property
    def likelihoods(self):
        """{"member/decoder/x": Family} of the observed variables."""
        return self._of_members("likelihoods")

    def _of_members(self, table):
        return {
            f"{member}/{name}": entry
            for member, pair in self.members.items()
            for name, entry in getattr(pair, table).items()
        }

    @property
    def parts(self):
        """[("member/decoder/x", factor or trunk)]: the owners of all weights."""
        return [
            (f"{member}/{path}", part)
            for member, pair in self.members.items()
            for path, part in pair.parts
        ]

    def split(self, data):
        """Returns {member: {name: array}}."""
        if isinstance(data, dict) and data.keys() == self.members.keys():
            return {member: named(pair, data[member]) for member, pair in self.members.items()}
        if isinstance(data, (tuple, list)):
            observed = dict.fromkeys(n for pair in self.members.values() for n in pair.observed)
            data = dict(zip(observed, data, strict=False))
        unknown = sorted(data.keys() - self.families.keys())
        if unknown:
            raise ValueError(
                f"The data hold {unknown}; members are {sorted(self.members)}, their variables "
                f"{sorted(self.families)}."
            )
        return {
            member: {name: value for name, value in data.items() if name in pair.families}
            for member, pair in self.members.items()
        }

    def values(self, data):
        """Returns data as {member: {name: tensor}} in the types of the variables."""
        return {member: typed(self[member], part) for member, part in self.split(data).items()}

    def check(self, data):
        """Returns {name: np.ndarray} of the team's variables, or refuses them as a pair does."""
        return checked(self, data)

    def check_training(self, data, **options):
        """Returns data as arrays, or refuses them, see `values.trainable`."""
        parts = {
            member: trainable(self[member], part, alone=False, **options)
            for member, part in self.split(data).items()
        }
        shared = not (isinstance(data, dict) and data.keys() == self.members.keys())
        return functools.reduce(operator.or_, parts.values()) if shared else parts

    def call(self, data):
        """Reconstructs data: {member: {name: [B, ...]}}, the decoders' means."""
        return {member: self[member](part) for member, part in self.values(data).items()}

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {
            "members": {member: serialize(pair) for member, pair in self.members.items()},
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**keras.saving.deserialize_keras_object(config))


def lent(pair, values, known):
    """Returns `values` {name: [B, ...]} of the variables of `pair`, marked where not `known`."""
    return {
        name: pair.families[name].merged(known[name], value, _marked(pair.families[name], value))
        for name, value in values.items()
        if name in pair.families
    }


def _marked(family, value):
    return tf.cast(tf.fill(tf.shape(value), family.marker), value.dtype)
