"""Two traces of the shop that are alike enough to be compared."""

import httpx

from tests.process.clew_process import Clew


def two_checkouts(shop: Clew) -> str:
    """As the address of a comparison has them."""
    found = httpx.get(f"{shop.url('jaeger')}/api/traces?service=checkout&limit=2").json()["data"]
    return "...".join(trace["traceID"] for trace in found)
