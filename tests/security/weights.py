"""Weights that no honest file holds: functions that write them into an open HDF5 file."""

import io

import h5py
import numpy as np


def h5(write):
    """Returns the bytes of the file that a function writes."""
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    return content.getvalue()


def external_link(file):
    file["layers"] = h5py.ExternalLink("/etc/other.h5", "/secret")


def soft_link(file):
    file["layers"] = h5py.SoftLink("/vars")


def external_storage(file):
    file.create_dataset("vars/0", (64,), "u1", external=[("/etc/passwd", 0, 64)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", (4,))
    file.create_virtual_dataset("vars/0", layout)


def circle(file):
    file.create_group("layers")["layers"] = file["/"]


def never_stored(file):
    file.create_dataset("vars/0", (10**12,), "f4", chunks=(1000,), fillvalue=1.0)


def squeezed(file):
    file.create_dataset("vars/0", data=np.zeros(10**7), compression="gzip")


def texts(file):
    file["vars/0"] = np.array(["a", "b"], object)


BOMBS = [external_link, soft_link, external_storage, virtual, circle]
BOMBS += [never_stored, squeezed, texts]
