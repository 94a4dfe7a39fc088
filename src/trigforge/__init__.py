"""From a trained trigger network to FPGA firmware that is proven bit-exact."""

__version__ = "0.1.0"
