"""The classes of well-known label maps, as literals."""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

from zoo.datasets import class_table
from zoo.datasets.class_table import ClassTable

Classes = ClassTable | Mapping[str, Any] | str | os.PathLike

# CamVid's 31 classes, and the 11 to which nearly all who work with them join these.
CAMVID_32 = ClassTable(
    {
        "Animal": (64, 128, 64),
        "Archway": (192, 0, 128),
        "Bicyclist": (0, 128, 192),
        "Bridge": (0, 128, 64),
        "Building": (128, 0, 0),
        "Car": (64, 0, 128),
        "CartLuggagePram": (64, 0, 192),
        "Child": (192, 128, 64),
        "Column_Pole": (192, 192, 128),
        "Fence": (64, 64, 128),
        "LaneMkgsDriv": (128, 0, 192),
        "LaneMkgsNonDriv": (192, 0, 64),
        "Misc_Text": (128, 128, 64),
        "MotorcycleScooter": (192, 0, 192),
        "OtherMoving": (128, 64, 64),
        "ParkingBlock": (64, 192, 128),
        "Pedestrian": (64, 64, 0),
        "Road": (128, 64, 128),
        "RoadShoulder": (128, 128, 192),
        "Sidewalk": (0, 0, 192),
        "SignSymbol": (192, 128, 128),
        "Sky": (128, 128, 128),
        "SUVPickupTruck": (64, 128, 192),
        "TrafficCone": (0, 0, 64),
        "TrafficLight": (0, 64, 64),
        "Train": (192, 64, 128),
        "Tree": (128, 128, 0),
        "Truck_Bus": (192, 128, 192),
        "Tunnel": (64, 0, 64),
        "VegetationMisc": (192, 192, 0),
        "void": (0, 0, 0),
        "Wall": (64, 192, 0),
    }
)
_JOINED = {
    "sky": "Sky",
    "building": "Building Archway Bridge Tunnel Wall",
    "pole": "Column_Pole TrafficCone",
    "road": "Road LaneMkgsDriv LaneMkgsNonDriv",
    "pavement": "Sidewalk ParkingBlock RoadShoulder",
    "tree": "Tree VegetationMisc",
    "sign": "SignSymbol Misc_Text TrafficLight",
    "fence": "Fence",
    "car": "Car SUVPickupTruck Truck_Bus Train OtherMoving",
    "pedestrian": "Pedestrian Child CartLuggagePram Animal",
    "bicyclist": "Bicyclist MotorcycleScooter",
    "void": "void",
}
CAMVID = ClassTable(
    {
        name: [CAMVID_32.colours[part][0] for part in parts.split()]
        for name, parts in _JOINED.items()
    }
)
VOC = ClassTable(
    {
        "background": (0, 0, 0),
        "aeroplane": (128, 0, 0),
        "bicycle": (0, 128, 0),
        "bird": (128, 128, 0),
        "boat": (0, 0, 128),
        "bottle": (128, 0, 128),
        "bus": (0, 128, 128),
        "car": (128, 128, 128),
        "cat": (64, 0, 0),
        "chair": (192, 0, 0),
        "cow": (64, 128, 0),
        "diningtable": (192, 128, 0),
        "dog": (64, 0, 128),
        "horse": (192, 0, 128),
        "motorbike": (64, 128, 128),
        "person": (192, 128, 128),
        "pottedplant": (0, 64, 0),
        "sheep": (128, 64, 0),
        "sofa": (0, 192, 0),
        "train": (128, 192, 0),
        "tvmonitor": (0, 64, 128),
        "void": (224, 224, 192),
    }
)
# The 19 classes that are trained and measured, in the order of their train ids.
_CITYSCAPES = {
    "road": (128, 64, 128),
    "sidewalk": (244, 35, 232),
    "building": (70, 70, 70),
    "wall": (102, 102, 156),
    "fence": (190, 153, 153),
    "pole": (153, 153, 153),
    "traffic light": (250, 170, 30),
    "traffic sign": (220, 220, 0),
    "vegetation": (107, 142, 35),
    "terrain": (152, 251, 152),
    "sky": (70, 130, 180),
    "person": (220, 20, 60),
    "rider": (255, 0, 0),
    "car": (0, 0, 142),
    "truck": (0, 0, 70),
    "bus": (0, 60, 100),
    "train": (0, 80, 100),
    "motorcycle": (0, 0, 230),
    "bicycle": (119, 11, 32),
    # Unlabelled and out of sight, dynamic, ground, parking, rail track, guard rail, bridge, tunnel,
    # caravan, trailer. Groups of poles and licence plates have the colours of poles and cars.
    "void": [
        (0, 0, 0),
        (111, 74, 0),
        (81, 0, 81),
        (250, 170, 160),
        (230, 150, 140),
        (180, 165, 180),
        (150, 100, 100),
        (150, 120, 90),
        (0, 0, 90),
        (0, 0, 110),
    ],
}
_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
CITYSCAPES = ClassTable(
    _CITYSCAPES,
    numbers={
        **dict(zip(_CITYSCAPES, _IDS, strict=False)),
        "void": sorted({*range(34)} - {*_IDS}),
    },
)
CITYSCAPES_TRAIN_IDS = ClassTable(_CITYSCAPES)
# Parts of faces in the numbering of CelebAMask-HQ's authors, and in their colours.
FACES = ClassTable(
    {
        "background": (0, 0, 0),
        "skin": (204, 0, 0),
        "nose": (76, 153, 0),
        "eye_g": (204, 204, 0),
        "l_eye": (51, 51, 255),
        "r_eye": (204, 0, 204),
        "l_brow": (0, 255, 255),
        "r_brow": (255, 204, 204),
        "l_ear": (102, 51, 0),
        "r_ear": (255, 0, 0),
        "mouth": (102, 204, 0),
        "u_lip": (255, 255, 0),
        "l_lip": (0, 0, 153),
        "hair": (0, 0, 204),
        "hat": (255, 51, 153),
        "ear_r": (0, 204, 204),
        "neck_l": (0, 51, 0),
        "neck": (255, 153, 51),
        "cloth": (0, 204, 0),
    }
)
TABLES = {
    "camvid": CAMVID,
    "camvid_32": CAMVID_32,
    "celeb_a_mask_hq": FACES,
    "cityscapes": CITYSCAPES,
    "cityscapes_train_ids": CITYSCAPES_TRAIN_IDS,
    "voc": VOC,
}


def settled(name: str) -> str:
    """Returns the name of a table as it is, and that of a file in full."""
    return name if name in TABLES else str(pathlib.Path(name).expanduser().resolve())


def get(classes: Classes) -> ClassTable:
    """Returns a table of classes.

    Args:
        classes: a key of `TABLES`, a file that `class_table.read` reads, {name: colour}, or a
            `ClassTable`.

    Raises:
        TypeError, ValueError: it is none of these.
    """
    if isinstance(classes, ClassTable):
        return classes
    if isinstance(classes, (str, os.PathLike)):
        if isinstance(classes, str) and classes in TABLES:
            return TABLES[classes]
        if not os.path.exists(os.path.expanduser(classes)):
            raise ValueError(
                f"classes is one of {', '.join(TABLES)}, a .json or a .csv; there is no file "
                f"{os.fspath(classes)!r}."
            )
        return class_table.read(classes)
    return ClassTable(classes)
