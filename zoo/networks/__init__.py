"""Networks: Keras layers that know nothing of probability."""

from zoo.networks.basis_encoder import BasisEncoder
from zoo.networks.convolutional import ConvDecoder, ConvEncoder
from zoo.networks.ladder_trunk import LadderTrunk
from zoo.networks.map_encoder import MapEncoder
from zoo.networks.mlp import MLP
from zoo.networks.network import Network
from zoo.networks.noisy_encoder import NoisyEncoder
from zoo.networks.patch_reader import PatchReader
from zoo.networks.residual_block import ResidualBlock
from zoo.networks.residual_net import ResidualNet
from zoo.networks.unet import UNet

__all__ = [
    "MLP",
    "BasisEncoder",
    "ConvDecoder",
    "ConvEncoder",
    "LadderTrunk",
    "MapEncoder",
    "Network",
    "NoisyEncoder",
    "PatchReader",
    "ResidualBlock",
    "ResidualNet",
    "UNet",
]
