"""The former name of `zoo.runs.model_file.load`, for experiments that still use it."""

from zoo.runs.model_file import load as load_model

__all__ = ["load_model"]
