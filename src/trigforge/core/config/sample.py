"""The spec's ``sample`` section: which events, how they are made and how many."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

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


SampleSpec = Annotated[JetsHlf | TopImages, Field(discriminator="kind")]
