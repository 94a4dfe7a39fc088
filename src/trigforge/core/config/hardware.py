"""The spec's ``hardware``, ``budget`` and ``acceptance`` sections."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trigforge.core.config.section import Fraction, IoType, Positive, Section

Multipliers = Literal["dsp", "da", "auto"]


class Hardware(Section):
    """The device and how high-level synthesis is to build for it."""

    part: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="FPGA part as the vendor writes it")
    clock_mhz: float = Field(gt=0, le=1000, description="clock the firmware is built for")
    io_type: IoType = Field(
        description="of the delivered HLS project: all values side by side, or one by one"
    )
    backend: Literal["Vitis", "Vivado", "Quartus", "oneAPI", "Catapult"] = Field(
        default="Vitis", description="whose C++ hls4ml writes; Vitis and Vivado can be simulated"
    )
    strategy: Literal["Latency", "Resource"] = Field(
        default="Latency", description="of hls4ml: unrolled, or weights kept in memory"
    )
    reuse_factor: int = Field(
        default=1, ge=1, description="of the HLS project: products a multiplier does in turn"
    )
    implementation: Literal["hls", "da", "timemux", "auto"] = Field(
        default="hls",
        description="what becomes firmware: the HLS project by the vendor's tools, RTL by "
        "distributed arithmetic, time-multiplexed RTL, or the cheapest RTL within the budget",
    )
    multipliers: Multipliers = Field(
        default="dsp",
        description="of time-multiplexed RTL: DSPs, distributed arithmetic (constant weights), "
        "or for each layer what takes less of the part",
    )
    layer_multipliers: dict[str, Multipliers] = Field(
        default_factory=dict, description="for single layers, by name: instead of multipliers"
    )

    @property
    def has_rtl(self) -> bool:
        """RTL is written, not only the HLS project."""
        return self.implementation != "hls"

    def multipliers_of(self, layer: str) -> Multipliers:
        """Return how a layer of time-multiplexed RTL multiplies."""
        return self.layer_multipliers.get(layer, self.multipliers)


class Budget(Section):
    """What the trigger allows."""

    interval_crossings: int = Field(default=1, ge=1, description="a new event every so many")
    latency_ns: float = Field(gt=0, description="from an event to its result, at most")
    lut_share: float = Field(gt=0, le=1, description="of the part's LUTs, at most")
    ff_share: float = Field(gt=0, le=1, description="of the part's flip-flops, at most")
    dsp_share: float = Field(gt=0, le=1, description="of the part's DSPs, at most")
    bram_share: float = Field(
        gt=0, le=1, description="of the part's block RAM, and of its UltraRAM, at most"
    )


class Acceptance(Section):
    """When the result is good enough; losses are float minus quantised."""

    bit_exact: Literal[True] = Field(
        default=True, description="every bit of every implementation is equal; no other value"
    )
    io_types: tuple[IoType, ...] = Field(
        min_length=1, description="io types whose C simulation must agree"
    )
    signal_efficiency: Fraction = Field(
        description="where the background rejection of a class is quoted"
    )
    accuracy_loss: Fraction | None = Field(
        default=None, description="largest loss of accuracy; null: none is demanded"
    )
    auc_loss: Fraction | None = Field(
        default=None, description="largest loss of mean AUC; null: none is demanded"
    )
    efficiency_loss: Fraction | None = Field(
        default=None,
        description="largest loss of a signal's efficiency at trigger.rate_khz; null: none",
    )
    deviation: Positive | None = Field(
        default=None, description="largest distance of an output from the original model's"
    )
