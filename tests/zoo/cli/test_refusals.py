"""Tests of what families refuse: impossible data and impossible shapes, by name."""

import numpy as np
import pytest

from keras_symvae import families

BITS, LABELS = families.Bernoulli((2, 2, 1)), families.Categorical((), num_classes=3)
REFUSED = {
    "shape": (
        BITS,
        np.zeros((3, 2)),
        r"'v' has shape \(3, 2\); Bernoulli expects \(n, \*\(2, 2, 1",
    ),
    "missing channel": (BITS, np.zeros((3, 2, 2)), r"Add the channel axis: v\[\.\.\., None\]"),
    "bytes": (BITS, np.full((3, 2, 2, 1), 255), r"\[255, 255\].*Divide by 255\?"),
    "nan": (BITS, np.full((3, 2, 2, 1), np.nan), "'v' holds NaN"),
    "infinity": (families.Normal(1), np.full((3, 1), np.inf), "infinite"),
    "text": (families.Normal(1), np.full((3, 1), "a"), "needs numbers"),
    "float labels": (LABELS, np.zeros(3), r"dtype float64; labels are integers 0 \.\.\. 2"),
    "label too large": (
        LABELS,
        np.array([0, 3]),
        r"\[0, 3\]; Categorical expects values in \[0, 2",
    ),
    "label too small": (LABELS, np.array([0, -2]), r"\[-2, 0\]"),
    "negative count": (families.Poisson(1), np.full((3, 1), -1), "Poisson expects"),
    "zero": (families.Gamma(1), np.zeros((3, 1)), "Gamma expects"),
    "one": (families.Beta(1), np.ones((3, 1)), "Beta expects"),
    "degrees": (families.VonMises(1), np.full((3, 1), 90.0), "VonMises expects"),
}


@pytest.mark.parametrize(("family", "value", "match"), REFUSED.values(), ids=REFUSED)
def test_impossible_data_are_refused(family, value, match):
    with pytest.raises(ValueError, match=match):
        family.check("v", value)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: families.Bernoulli((2, 0)), "positive integers"),
        (lambda: families.Normal(-1), "positive integers"),
        (
            lambda: families.Normal(2, scale="row"),
            "'element', 'each', 'shared' or a positive number",
        ),
        (lambda: families.Normal(2, scale=0.0), "'element', 'each', 'shared' or a positive number"),
        (lambda: families.Normal(2, spread=0.0), "spread"),
        (lambda: families.Categorical(num_classes=1), "num_classes >= 2"),
    ],
)
def test_impossible_families_are_refused(make, match):
    with pytest.raises(ValueError, match=match):
        make()
