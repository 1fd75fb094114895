"""Where ClickHouse is: what a `clickhouse://` URL says, and its name in messages, without the password."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from storage.errors import StoreConfigurationError

EXPECTED = "clickhouse://USER:PASSWORD@HOST:PORT/DATABASE (clickhouses:// for TLS)"
SCHEMES = {"clickhouse": 8123, "clickhouses": 8443}
"""With the port of each when the URL names none: ClickHouse's HTTP interface, plain and TLS."""


@dataclass(frozen=True, slots=True)
class Address:
    """secure: by TLS, whose certificate must be good."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    secure: bool

    @property
    def where(self) -> str:
        """How messages name the store."""
        return f"{'clickhouses' if self.secure else 'clickhouse'}://{self.host}:{self.port}/{self.database}"


def address_of(url: str, variable: str) -> Address:
    """The address that a setting's URL gives. Nothing is connected. StoreConfigurationError names `variable`.

    Without a user it is ClickHouse's `default`; without a database, too. Reserved characters are percent-encoded.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or SCHEMES[parts.scheme]
    except (ValueError, KeyError):
        # Neither the URL nor what was said of it is shown: a password with an unquoted "/" or ":" ends up here.
        raise StoreConfigurationError(f"{variable}: expected {EXPECTED}, got one that is no URL") from None
    database = unquote(parts.path.removeprefix("/")) or "default"
    if not parts.hostname or "/" in database or parts.query or parts.fragment:
        raise StoreConfigurationError(
            f"{variable}: expected {EXPECTED}, got one without a host, or with a '?', a '#' or a second '/'"
        )
    return Address(
        parts.hostname,
        port,
        database,
        unquote(parts.username or "default"),
        unquote(parts.password or ""),
        parts.scheme == "clickhouses",
    )
