"""Callbacks: what happens beside training."""

from keras_symvae.callbacks.backup import Backup
from keras_symvae.callbacks.measures import Accuracy, Information
from keras_symvae.callbacks.metrics_log import MetricsLog
from keras_symvae.callbacks.pictures import Pictures
from keras_symvae.callbacks.progress import Progress
from keras_symvae.callbacks.tensorboard import TensorBoard

__all__ = [
    "Accuracy",
    "Backup",
    "Information",
    "MetricsLog",
    "Pictures",
    "Progress",
    "TensorBoard",
]
