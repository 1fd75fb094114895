"""Times inside the program: epoch nanoseconds, as many as a column of 64 bits holds (the years 1677 to 2262)."""

_LARGEST_NS = 2**63 - 1


def clamped_ns(time_ns: int) -> int:
    """The nearest time or duration that 64 bits hold."""
    return max(-_LARGEST_NS - 1, min(time_ns, _LARGEST_NS))
