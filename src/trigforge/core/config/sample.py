"""The spec's ``sample`` section: which events, how they are made and how many."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from trigforge.core.config.section import Fraction, Range, Section


class JetSample(Section):
    """What every jet sample says: how jets are made and how many."""

    jets_per_class: int = Field(ge=100, description="jets of each class, train and test together")
    test_fraction: Fraction = Field(description="share of the events held out for testing")
    seed: int = Field(ge=1, description="seed of the event generator")
    jet_radius: float = Field(gt=0, le=1.5, description="R of the anti-kT algorithm")
    multi_parton_interactions: bool = Field(description="slower and softer; off for quick samples")


class JetsHlf(JetSample):
    """Five classes of jets described by 16 high-level features."""

    kind: Literal["jets_hlf"]
    parton_pt_gev: Range = Field(description="range of the hard process' transverse momentum")
    boson_source: Literal["scalar", "graviton", "pair"] = Field(
        description="W and Z from a 2 TeV scalar, a 2 TeV graviton or qqbar -> VV",
    )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name the classes, in the order of their labels."""
        return ("gluon", "light_quark", "w", "z", "top")


class TopImages(JetSample):
    """Top against QCD jets as images of calorimeter towers."""

    kind: Literal["top_images"]
    jet_pt_gev: Range = Field(description="window of the jets' transverse momentum")
    n_pixels: int = Field(ge=4, le=128, description="rows and columns of the image")
    image_width: float = Field(gt=0, le=3.2, description="side of the image in eta and phi")
    tower_size: float = Field(gt=0, le=0.2, description="side of a calorimeter tower")
    normalise: Literal["none", "sum", "maximum"] = Field(
        description="none keeps transverse energy; sum and maximum divide each image by its own",
    )
    pixel_bits: int = Field(ge=1, le=16, description="bits a link carries for a pixel")
    pixel_lsb: float = Field(
        gt=0, description="value of the lowest bit: GeV, or a share if normalised"
    )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name the classes, in the order of their labels."""
        return ("qcd", "top")

    @property
    def image_shape(self) -> tuple[int, int]:
        """Return rows and columns of the image."""
        return self.n_pixels, self.n_pixels


ZERO_BIAS = "zero_bias"
"""The class of crossings that nothing was asked of: label 0 of every crossing sample."""
CROSSING_VARIABLES = (
    "generated_jet_pt_gev",
    "generated_ht_gev",
    "generated_met_gev",
    "n_interactions",
)
"""What is known of each held-out crossing beyond what the link carries."""
N_REGION_ROWS, N_REGION_COLUMNS = 18, 14
"""Regions of the calorimeter trigger in azimuth and in pseudorapidity (|eta| < 3)."""
SignalName = Literal["top_pair", "higgs_tau_tau", "higgs_four_leptons", "leptoquark_pair"]


class CrossingSample(Section):
    """What every sample of bunch crossings says: zero bias and signals, both with pile-up."""

    zero_bias_events: int = Field(
        ge=100, description="crossings without a selection, train and test together"
    )
    signal_events: int = Field(ge=10, description="crossings of each signal, all held out")
    signals: tuple[SignalName, ...] = Field(
        min_length=1, description="processes the trigger is to find"
    )
    pileup: float = Field(gt=0, le=300, description="mean of inelastic collisions a crossing")
    pool_collisions: int = Field(
        ge=100, le=100_000, description="minimum-bias collisions that each chunk draws from"
    )
    test_fraction: Fraction = Field(description="share of the zero-bias crossings held out")
    seed: int = Field(ge=1, description="seed of the event generator")

    @field_validator("signals")
    @classmethod
    def _no_signal_twice(cls, signals: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(signals)) < len(signals):
            msg = f"each signal once, not {', '.join(signals)}"
            raise ValueError(msg)
        return signals

    @property
    def class_names(self) -> tuple[str, ...]:
        """Name the classes, in the order of their labels: zero bias, then the signals."""
        return (ZERO_BIAS, *self.signals)


class CalorimeterRegions(CrossingSample):
    """Crossings as 18 x 14 regions of the calorimeters' transverse energy."""

    kind: Literal["calorimeter_regions"]
    region_bits: int = Field(ge=1, le=16, description="bits a link carries for a region")
    region_lsb_gev: float = Field(gt=0, description="transverse energy of the lowest bit")

    @property
    def pixel_bits(self) -> int:
        """Return the bits of a pixel of the image that the regions are."""
        return self.region_bits

    @property
    def image_shape(self) -> tuple[int, int]:
        """Return regions in azimuth and in pseudorapidity."""
        return N_REGION_ROWS, N_REGION_COLUMNS


class TriggerObjects(CrossingSample):
    """Crossings as 19 objects of pt, eta and phi: missing energy, e/gamma, muons, jets."""

    kind: Literal["trigger_objects"]


ImageSample = TopImages | CalorimeterRegions
SampleSpec = Annotated[
    JetsHlf | TopImages | CalorimeterRegions | TriggerObjects, Field(discriminator="kind")
]
