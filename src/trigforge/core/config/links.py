"""The spec's ``links`` section: how events travel over 64-bit links."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MAX_FRAMES = 1024
"""Frames a file, as deep as the buffers that play and capture it (a convention of the field)."""


def _distinct(numbers: tuple[int, ...]) -> tuple[int, ...]:
    twice = sorted({number for number in numbers if numbers.count(number) > 1})
    if twice:
        msg = f"link {twice[0]} is named twice"
        raise ValueError(msg)
    return numbers


LinkNumber = Annotated[int, Field(ge=0, le=999)]
LinkNumbers = Annotated[
    tuple[LinkNumber, ...], Field(min_length=1, max_length=512), AfterValidator(_distinct)
]


class Links(BaseModel):
    """Links of 64 bits a frame, in and out; a frame is one clock cycle of the link.

    An event occupies a window of ``frames_per_crossing * crossings_per_event`` frames on all
    links at once: a packet, then idle frames. A file is what a buffer plays from its start.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    inputs: LinkNumbers = Field(description="numbers of the links, in the order they are filled")
    outputs: LinkNumbers = Field(description="likewise, for the results")
    frames_per_crossing: int = Field(ge=1, le=64, description="clocks a crossing: 8 at 320 MHz")
    crossings_per_event: int = Field(default=1, ge=1, le=64, description="time multiplexing")
    gap_frames: int = Field(default=0, ge=0, description="idle frames after a packet, at least")
    order: Literal["frame_major", "link_major"] = Field(
        default="frame_major",
        description="the next 64-bit word of an event goes to the next link, or to the next frame",
    )
    lead_frames: int = Field(default=0, ge=0, description="idle frames at the start of a file")
    orbit_crossings: int = Field(
        default=3564, ge=1, description="a packet that begins an orbit has the flag for it"
    )
    first_crossing: int = Field(
        default=0, ge=0, description="of the orbit, where the first packet of a file is"
    )
    frames_per_file: int = Field(
        default=MAX_FRAMES, ge=1, le=MAX_FRAMES, description="frames a file, at most"
    )
    board: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}$",
        description="who the file is for; null: the name of the model",
    )

    @property
    def window_frames(self) -> int:
        """Frames from the start of one event to the start of the next."""
        return self.frames_per_crossing * self.crossings_per_event

    @model_validator(mode="after")
    def _windows_fit(self) -> Links:
        if self.gap_frames >= self.window_frames:
            msg = f"gap_frames: {self.gap_frames} leave nothing of {self.window_frames} frames"
            raise ValueError(msg)
        if self.lead_frames + self.window_frames > self.frames_per_file:
            msg = (
                f"frames_per_file: {self.frames_per_file} hold no event of {self.window_frames} "
                f"frames after {self.lead_frames} lead_frames"
            )
            raise ValueError(msg)
        for key in ("orbit_crossings", "first_crossing"):
            if getattr(self, key) % self.crossings_per_event:
                msg = (
                    f"{key}: {getattr(self, key)} is no multiple of "
                    f"{self.crossings_per_event} crossings_per_event"
                )
                raise ValueError(msg)
        return self
