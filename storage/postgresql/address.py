"""Where the database is: a `postgresql://` URL as libpq takes it, and its name in messages, without the password."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict

from storage.errors import StoreConfigurationError

EXPECTED = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=..."

_DEFAULTS = {
    "application_name": "clew",
    "connect_timeout": "10",
    # A peer that vanished without a word is noticed within a minute, not after the kernel's quarter of an hour.
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}


@dataclass(frozen=True, slots=True)
class Address:
    """uri: for libpq, secrets included, so never shown. where: how messages name the database."""

    uri: str
    where: str

    def __repr__(self) -> str:
        return f"Address({self.where})"


def address_of(url: str, variable: str) -> Address:
    """The address that a setting's URL gives. Nothing is connected. StoreConfigurationError names `variable`."""
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        uri = parts._replace(
            scheme="postgresql", query=urlencode({**_DEFAULTS, **options}, quote_via=quote), fragment=""
        ).geturl()
        known = conninfo_to_dict(uri)
    except (ValueError, psycopg.Error) as error:
        # What libpq says of a URL may quote it; its cause would be shown with it.
        raise StoreConfigurationError(f"{variable}: expected {EXPECTED}, got one that libpq cannot read") from (
            None if "@" in url else error
        )
    if parts.fragment or not known.get("dbname"):
        raise StoreConfigurationError(f"{variable}: expected {EXPECTED}, got one without a database name or with a #")
    host, port = known.get("host") or known.get("hostaddr") or "localhost", known.get("port") or "5432"
    return Address(uri, f"postgresql://{host}:{port}/{known['dbname']}")
