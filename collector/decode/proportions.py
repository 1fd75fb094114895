"""How much a payload may become: one judgement for every binary format.

Objects outgrow their bytes, up to 200 times where a message or struct is next to empty. So what is too small on average
to be a span is not made one, and a large span is not read when it has more parts than any real one.
"""

LEAST_MEAN_BYTES = 16
"""A span with both its ids takes 22 bytes or more in each format."""
SPANS_UNJUDGED = 4096
"""As many may be smaller than that on average: each is rejected by itself, with its reason."""
LARGE_BYTES = 256 * 1024
PARTS_MAX = 16_384
"""Attributes, events and links of one span, say; judged only in what is larger than LARGE_BYTES."""
