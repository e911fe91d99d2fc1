"""Windows: what is true of images of the network's size, and of what is constant, stays true."""

import numpy as np
import pytest

import zoo
from zoo.architectures import windows

SIZE = (8, 12, 1)


def answering(probabilities, samples=3):
    """A segmentation with these probabilities [K] everywhere, or by a function of the window."""

    def answer(images):
        p = probabilities(images) if callable(probabilities) else np.array(probabilities)
        drawn = np.full((len(images), samples, *SIZE[:2]), p.argmax(), np.int32)
        return {"probabilities": np.tile(p, (*images.shape[:3], 1)), "samples": drawn}

    return answer


@pytest.mark.parametrize("shape", [(8, 12), (9, 12), (8, 13), (16, 24), (37, 30), (100, 12)])
def test_a_constant_network_gives_a_constant(shape):
    images = np.zeros((2, *shape, 1), np.float32)
    options = {"size": SIZE, "num_classes": 3, "samples": 3, "seed": 0}
    found = windows.segmented(answering([0.2, 0.5, 0.3]), images, **options)
    assert {name: value.shape for name, value in found.items()} == {
        "s": (2, *shape),
        "probabilities": (2, *shape, 3),
        "samples": (2, 3, *shape),
        "uncertainty": (2, *shape),
    }
    expected = np.broadcast_to([0.2, 0.5, 0.3], (2, *shape, 3))
    np.testing.assert_allclose(found["probabilities"], expected, rtol=1e-5)
    assert (found["s"] == 1).all() and (found["samples"] == 1).all()
    entropy = -np.sum(expected * np.log(expected), axis=-1)
    np.testing.assert_allclose(found["uncertainty"], entropy, rtol=1e-5)


def test_samples_have_the_distribution_of_the_blend_and_few_seams():
    """Every window is sure of its own class: a pixel's share of samples is that of the window."""
    images = np.arange(16.0)[None, :, None, None] * np.ones((1, 1, 12, 1))
    names = {0.0: 0, 4.0: 1, 8.0: 2}  # by the first row of the window

    def own(part):
        return np.eye(3)[names[part[0, 0, 0, 0]]]

    options = {"size": SIZE, "num_classes": 3, "samples": 4000, "seed": 0}
    found = windows.segmented(answering(own, samples=4000), images, **options)
    p = found["probabilities"][0]
    share = (found["samples"][0][..., None] == np.arange(3)).mean(axis=0)
    np.testing.assert_allclose(share, p, atol=6 * np.sqrt(0.25 / 4000))
    assert (p[4:12].max(axis=-1) < 1).all() and (p[:4, :, 0] == 1).all()
    # The middle of a window counts most, and a seam crosses a column once or twice.
    assert p[6, 6, 1] > p[4, 6, 1] and p[9, 6, 1] > p[11, 6, 1]
    seams = (np.diff(found["samples"][0], axis=1) != 0).sum(axis=1)
    assert seams.max() <= 2


def test_only_larger_images_need_windows():
    for shape, needed in [
        ((2, 8, 12, 1), False),
        ((2, 9, 12, 1), True),
        ((2, 8, 24, 1), True),
        ((2, 7, 24, 1), False),
        ((2, 16, 24, 3), False),
        ((16, 24, 1), False),
    ]:
        assert windows.needed(np.zeros(shape), size=SIZE) == needed
    assert not windows.needed(None, size=SIZE)


@pytest.mark.usefixtures("eagerly")
def test_the_model_segments_its_own_size_as_before_and_larger_ones_by_windows():
    team = zoo.Segmentation((8, 12, 1), 3, latent=2, filters=(3,), width=4)
    images = np.random.default_rng(0).random((2, 8, 20, 1)).astype("float32")
    part = images[:, :, :12]
    usual = team.ask("segment", {"x": part}, seed=5, samples=2)
    for name, value in team.segment(part, samples=2, seed=5).items():
        np.testing.assert_array_equal(value, usual[name])
    found = team.segment(images, samples=2, seed=5)
    assert found["samples"].shape == (2, 2, 8, 20)
    # The left edge lies in the first window alone, which has the draws of a window by itself.
    for name in ("probabilities", "samples", "uncertainty"):
        left = np.s_[:, :, :4] if name != "samples" else np.s_[..., :4]
        np.testing.assert_allclose(found[name][left], usual[name][left], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match="shape"):
        team.segment(images[:, :6], samples=2)
