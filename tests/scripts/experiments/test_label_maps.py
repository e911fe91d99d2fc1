"""Experiments of label maps, from a folder of photographs to table and pictures."""

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from scripts.experiments import judge, label_maps
from scripts.experiments.camvid.experiment import StreetScenes
from scripts.experiments.celeb_a_mask_hq.experiment import Faces


class Painter:
    """A team whose paintings are the code of the donor, plus what a draw adds."""

    def __init__(self, noise):
        self.noise = noise

    def transfer(self, images, maps, label_maps, *, seed):
        rng = np.random.RandomState(seed)
        codes = images.mean(axis=(1, 2, 3)) + self.noise * rng.normal(size=len(images))
        shape = (len(images), *label_maps.shape, 1)
        return np.broadcast_to(codes[:, None, None, None, None], shape)


@pytest.mark.parametrize("noise", [0.02, 0.1])
def test_spread_over_donors_and_over_draws_of_one_donor(noise):
    rng = np.random.RandomState(0)
    x = np.broadcast_to(rng.normal(size=(400, 1, 1, 1)), (400, 4, 4, 1))
    data = {"x": x, "s": np.zeros((400, 4, 4), int)}
    options = {"donors": 300, "wearers": 1, "draws": 50, "seed": 1}
    found = label_maps.spreads(Painter(noise), data, **options)
    assert found["between"] == pytest.approx(np.hypot(x[:, 0, 0, 0].std(), noise), rel=0.1)
    assert found["within"] == pytest.approx(noise, rel=0.05)
    assert found["ratio"] == pytest.approx(found["between"] / found["within"])


def test_cells_are_means_and_deviations():
    x = np.zeros((2, 4, 8, 3), "float32")
    x[0, :, 4:, 1] = np.tile([0.0, 1.0], (4, 2))
    found = judge.cells((4, 8, 3), side=4)(x).reshape(2, 2, 2, 3)  # cells, statistics, colours
    assert not found[1].any() and not found[0, 0].any()
    np.testing.assert_allclose(found[0, 1], [[0.0, 0.5, 0.0], [0.0, 0.5, 0.0]], atol=1e-6)


@pytest.mark.slow
def test_faces_in_the_layout_of_their_data_set_become_figures_3_and_4(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "CelebA-HQ-img").mkdir()
    (tmp_path / "CelebAMask-HQ-mask-anno" / "0").mkdir(parents=True)
    rows = ["idx orig_idx orig_file"]
    for index in range(36):
        original = index if index < 24 else 190_000 + index  # the rest is for testing
        rows.append(f"{index} {original} {original + 1:06d}.jpg")
        middle = np.hypot(*(np.indices((128, 128)) - 64)) < rng.integers(30, 60)
        masks = {
            "skin": middle,
            "hair": np.arange(128)[:, None] < rng.integers(10, 40) + 0 * middle,
        }
        image = np.stack([masks["skin"], masks["hair"], ~middle], axis=-1) * rng.uniform(90, 250)
        image = Image.fromarray(image.astype(np.uint8))
        image.resize((256, 256)).save(tmp_path / f"CelebA-HQ-img/{index}.jpg")
        for part, mask in masks.items():
            file = tmp_path / f"CelebAMask-HQ-mask-anno/0/{index:05d}_{part}.png"
            Image.fromarray(255 * mask.astype(np.uint8)).save(file)
    (tmp_path / "CelebA-HQ-to-CelebA-mapping.txt").write_text("\n".join(rows))
    preset = Faces.defaults.preset
    tiny = {**preset.architecture, "filters": (4, 8), "width": 8, "latent": 4}
    small = dataclasses.replace(
        Faces.defaults,
        preset=dataclasses.replace(preset, architecture=tiny, batch_size=8),
        games={"symmetric": {}},
        steps=20,
        epochs=1,
        draws=2,
        likelihood_draws=2,
        chain=(1, 2),
        donors=4,
        wearers=4,
    )
    experiment = Faces(tmp_path / "runs", data=str(tmp_path), seeds=[0], config=small)
    experiment.make(tmp_path / "out")
    for name in ("", "_transfer", "_limiting"):
        assert (tmp_path / "out" / f"celeb_a_mask_hq{name}.png").stat().st_size > 1000


@pytest.mark.slow
def test_from_a_folder_of_photographs_to_table_and_pictures(tmp_path):
    rng = np.random.default_rng(0)
    for part, count in (("train", 24), ("test", 12)):
        for folder in ("images", "masks"):
            (tmp_path / part / folder).mkdir(parents=True)
        for index in range(count):
            mask = np.where(np.arange(72)[:, None] < rng.integers(20, 50), 0, 1) * np.ones(96)
            mask[:, :9] = 11  # void
            light = rng.uniform(0.3, 1.0)
            image = np.stack([mask < 1, mask == 1, mask == 11], axis=-1) * 200 * light
            for folder, pixels in (("images", image), ("masks", mask)):
                file = tmp_path / part / folder / f"{index}.png"
                Image.fromarray(pixels.astype(np.uint8)).save(file)
    small = dataclasses.replace(
        StreetScenes.defaults,
        steps=30,
        epochs=1,
        draws=2,
        likelihood_draws=2,
        chain=(1, 2),
        donors=4,
        wearers=4,
        side=24,
    )
    experiment = StreetScenes(tmp_path / "runs", data=str(tmp_path), seeds=[0], config=small)
    table = experiment.make(tmp_path / "out")
    kept = json.loads((tmp_path / "out" / "camvid.json").read_text())
    assert set(kept) == {"symmetric-seed-0", "symmetric draws=1-seed-0", "cross-entropy-seed-0"}
    assert kept["symmetric draws=1-seed-0"]["settings"]["options"]["draws"] == 1
    for result in kept.values():  # two classes and a border that all of them find at once
        assert result["found"]["pixel_accuracy"] > 0.7
    assert table.count("| symmetric |") == 4 and "| limiting, 2 steps |" in table
    assert "| sky |" in table and "| building |" in table  # their IoU
    for name in ("camvid", "camvid_transfer", "camvid_limiting"):
        assert (tmp_path / "out" / f"{name}.png").stat().st_size > 1000
