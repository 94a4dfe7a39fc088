"""Convert a QKeras network with hls4ml: ``(model, Hardware) -> HlsProject``."""
