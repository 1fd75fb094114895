"""Times inside the program: epoch nanoseconds, as many as a column of 64 bits holds (the years 1677 to 2262)."""

GO_ZERO_TIME_S = -62_135_596_800
"""0001-01-01T00:00:00Z in epoch seconds: what clients in Go send for a time that is not set."""
_LARGEST_NS = 2**63 - 1


def clamped_ns(time_ns: int) -> int:
    """The nearest time or duration that 64 bits hold."""
    return max(-_LARGEST_NS - 1, min(time_ns, _LARGEST_NS))
