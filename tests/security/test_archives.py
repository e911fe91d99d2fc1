"""Arrays of strangers: .npz, .npy and IDX files that lie about what they hold."""

import gzip
import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest

from keras_symvae import archive
from tests.security import watch
from zoo import datasets
from zoo.cli import train
from zoo.datasets import label_maps, npz

X = np.zeros((20, 8, 8), np.uint8)
MAGIC = bytes((0, 0, 8, 3))


class Evil:
    """An object that writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.fixture
def folder(tmp_path):
    """An empty folder, beside which nothing may appear."""
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def npy(array):
    content = io.BytesIO()
    np.lib.format.write_array(content, array)
    return content.getvalue()


def claims(shape, *, content=b"", dtype="<f4"):
    """An array whose header says more than follows."""
    head = io.BytesIO()
    described = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(head, described)
    return head.getvalue() + content


def archived(path, *, kind=zipfile.ZIP_DEFLATED, **arrays):
    with zipfile.ZipFile(path, "w", kind) as file:
        for name, content in arrays.items():
            file.writestr(name, content)
    return path


def pickled(path):
    np.savez(path, x=np.array([Evil(path.parent / "ran")] * 3, object))


def pickled_beside(path):
    np.savez(path, x=X, y=np.array([Evil(path.parent / "ran")] * 20, object))


def a_pickle(path):
    path.write_bytes(pickle.dumps(Evil(path.parent / "ran")))


def a_bare_array(path):
    path.write_bytes(npy(X))


def claims_tera(path):
    archived(path, **{"x.npy": claims((10**6, 10**6))})


def claims_more_than_integers_hold(path):
    archived(path, **{"x.npy": claims((2**62, 2**62))})


def claims_less_than_nothing(path):
    archived(path, **{"x.npy": claims((-1, 8, 8))})


def a_long_header(path):
    archived(path, **{"x.npy": claims((1,) * 50_000)})


def an_array_without_its_suffix(path):
    archived(path, x=claims((10**6, 10**6)))


def a_later_version(path):
    archived(path, **{"x.npy": b"\x93NUMPY\x07\x00" + bytes(100)})


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("x.npy", "w") as x:
        x.write(claims((300, 2**20), dtype="|u1"))
        for _ in range(300):
            x.write(bytes(2**20))


def climbs_out(path):
    archived(path, **{"x.npy": npy(X), "../../evil.npy": npy(X)})


def packed_in_another_way(path):
    archived(path, kind=zipfile.ZIP_LZMA, **{"x.npy": npy(X)})


def cut(path):
    np.savez(path, x=X)
    path.write_bytes(path.read_bytes()[:-30])


def cut_and_closed(path):
    archived(path, **{"x.npy": npy(X)[:-30]})


def damaged(path):
    np.savez_compressed(path, x=np.random.default_rng(0).integers(0, 9, (20, 8, 8), np.uint8))
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)


def nothing(path):
    path.write_bytes(b"")


def a_folder(path):
    path.mkdir()


def a_pipe(path):
    os.mkfifo(path)


def a_device(path):
    path.symlink_to("/dev/zero")


ARCHIVES = (pickled, a_pickle, a_bare_array, claims_tera, claims_more_than_integers_hold)
ARCHIVES += (claims_less_than_nothing, a_long_header, an_array_without_its_suffix)
ARCHIVES += (a_later_version, bomb, climbs_out, packed_in_another_way, cut, cut_and_closed)
ARCHIVES += (damaged, nothing, a_folder, a_pipe, a_device)


@pytest.mark.parametrize("make", ARCHIVES, ids=lambda make: make.__name__)
def test_archives_are_looked_at_before_they_are_read(make, folder):
    path = folder / "data.npz"
    make(path)
    for load in (datasets.load, label_maps.load):
        with watch.over(folder, memory=200), pytest.raises(ValueError) as refused:
            load(path)
        assert "data.npz" in str(refused.value) and "\n" not in str(refused.value)
    asked = [(f"--data={path}",), (f"--prior={path}", "--preset=digits_ladder")]
    for flags in asked:
        with watch.over(folder, memory=200):
            message = watch.refused(train.COMMAND, *flags, f"--out={folder / 'run'}")
        assert ("data.npz" in message or "/dev/zero" in message) and len(message) < 600
    assert os.listdir(folder) == ["data.npz"]
    assert not list(folder.parent.rglob("evil*"))


def test_pickles_beside_honest_images_are_not_run_either(folder):
    pickled_beside(folder / "data.npz")
    with watch.over(folder), pytest.raises(ValueError, match=r"data\.npz.*pickled objects"):
        datasets.load(folder / "data.npz")
    assert os.listdir(folder) == ["data.npz"]


SINGLE = {
    "pickled": lambda folder: npz_of(folder, np.array([Evil(folder / "ran")], object)),
    "claims": lambda folder: claims((10**6, 10**6)),
    "cut": lambda folder: npy(X)[:-3],
    "none": lambda folder: b"",
    "another": lambda folder: b"PK\3\4" + bytes(60),
}


def npz_of(folder, array):
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


@pytest.mark.parametrize("name", SINGLE)
def test_single_arrays_are_looked_at_before_they_are_read(name, folder):
    path = folder / "z0.npy"
    path.write_bytes(SINGLE[name](folder))
    with watch.over(folder, memory=200):
        message = watch.refused(train.COMMAND, f"--prior={path}", f"--out={folder / 'run'}")
    assert "z0.npy is no .npy of numbers" in message
    assert os.listdir(folder) == ["z0.npy"]


def test_honest_arrays_load_however_they_are_packed(folder):
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (50, 8, 8)).astype("float32")
    for save in (np.savez, np.savez_compressed):
        save(folder / "data.npz", x=x, y=np.arange(50) % 5, **{"a/b:0": np.array(["text"])})
        assert len(datasets.load(folder / "data.npz", split="all").x) == 50
    np.savez(folder / "data.npz", x=np.asfortranarray(x))
    np.testing.assert_array_equal(datasets.load(folder / "data.npz", split="all").x[..., 0], x)
    np.save(folder / "z0.npy", x)
    np.testing.assert_array_equal(npz.array(folder / "z0.npy"), x)


def test_much_of_nothing_is_read_where_it_is_not_compressed(folder):
    """What is refused as a bomb has a way to be read: its bytes on the disk."""
    many = archive.HARMLESS // 64 + 100
    np.savez_compressed(folder / "small.npz", x=np.zeros((many, 8, 8), bool))
    np.savez(folder / "large.npz", x=np.zeros((many, 8, 8), bool))
    refused = pytest.raises(ValueError, match="store it without compression")
    with refused, npz.opened(folder / "small.npz"):
        pass
    with npz.opened(folder / "large.npz") as file:
        assert file["x"].shape == (many, 8, 8)


def idx(folder, content, *, name="train-images-idx3-ubyte", packed=False):
    path = folder / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(content) if packed else content)
    return path


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("sizes", [(2**32 - 1,) * 3, (1000, 1000, 1000), (0, 2**32 - 1, 2**32 - 1)])
def test_idx_files_that_claim_too_much_are_refused(sizes, packed, folder):
    path = idx(folder, MAGIC + struct.pack(">3I", *sizes) + bytes(100), packed=packed)
    with watch.over(folder, memory=200):
        message = watch.refused(train.COMMAND, f"--data={folder}", f"--out={folder / 'run'}")
    assert path.name in message


def test_gzip_bombs_are_not_unpacked(folder):
    path = folder / "train-images-idx3-ubyte.gz"

    def write(*claimed):
        with gzip.open(path, "w") as file:
            file.write(MAGIC + struct.pack(">3I", *claimed))
            for _ in range(300):
                file.write(bytes(2**20))

    write(300, 1024, 1024)
    with watch.over(folder, memory=100), pytest.raises(ValueError, match=r"\.gz would grow.*-fold"):
        datasets.load(folder)
    write(1, 8, 8)
    with watch.over(folder, memory=100), pytest.raises(ValueError, match=r"\.gz is damaged: more"):
        datasets.load(folder)


@pytest.mark.parametrize("make", [a_pipe, a_device, a_folder], ids=lambda make: make.__name__)
def test_what_is_no_file_is_not_waited_for(make, folder):
    for name in ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"):
        make(folder / name)
        with watch.over(folder), pytest.raises(ValueError, match=r"idx3-ubyte.* is no file"):
            datasets.load(folder)
        make_away(folder / name)


def make_away(path):
    path.rmdir() if path.is_dir() else path.unlink()
