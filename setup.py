"""The distribution `keras-symvae`."""

import runpy
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# Tried with the wheel, by training, sampling and exporting. Python 3.11: all lower bounds at once.
# Python 3.13: the same, but numpy 2.1.0, scipy 1.14.1, scikit-learn 1.5.2 and matplotlib 3.9.2.
# Both: the newest of November 2026, TensorFlow 2.21.0, Keras 3.15.1, numpy 2.4.6 and 2.5.5.
setup(
    name="keras-symvae",
    version=runpy.run_path(str(HERE / "keras_symvae" / "version.py"))["__version__"],
    description="Symmetric equilibrium learning of variational autoencoders: a Keras 3 model zoo.",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    packages=find_packages(include=["keras_symvae*", "zoo*"]),
    package_data={"keras_symvae": ["py.typed"], "zoo": ["datasets/files/*", "trained/weights/*/*"]},
    entry_points={"console_scripts": ["keras-symvae = zoo.cli.__main__:main"]},
    python_requires=">=3.11,<3.14",
    install_requires=[
        "absl-py",
        "importlib_resources",  # tensorflow-datasets imports it and does not ask for it
        "keras>=3.15,<4",
        "matplotlib>=3.9",
        "numpy>=2,<3",
        "pillow>=11",
        "scikit-learn>=1.5",
        "scipy>=1.13",
        "tensorboard>=2.20",
        "tensorflow>=2.20,<3",
        "tensorflow-datasets>=4.9.8",
        "tensorflow-probability[tf]>=0.25,<1",
    ],
    extras_require={
        "dev": [
            "POT>=0.9.5",  # the extra "transport"
            "dill>=0.3.8",  # tfds.testing imports it and does not ask for it
            "huggingface_hub>=1.0",  # the extra "hub"
            "hypothesis>=6.170",  # odd arguments, tests/properties
            "kagglehub>=1.0",
            "pyright[nodejs]>=1.1.400",
            "pytest>=8",
            "pytest-xdist>=3.6",
            "ruff>=0.12,<1",
            "setuptools>=77",  # builds the wheel that a test installs
        ],
        "hub": ["huggingface_hub>=1.0", "kagglehub>=1.0"],  # hf:// and kaggle://
        "transport": ["POT>=0.9.5"],  # entropic transport in the experiment primal_dual
    },
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
