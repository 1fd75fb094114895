"""Where the database is, and that nobody sees the password."""

import traceback

import pytest

from storage.errors import StoreConfigurationError
from storage.postgresql.address import address_of

VARIABLE = "CLEW_STORAGE_URL"


def test_an_address_is_named_without_its_user_and_password() -> None:
    address = address_of("postgresql://me:s3cret@db.example:5433/traces?sslmode=require", VARIABLE)
    assert address.where == "postgresql://db.example:5433/traces"
    assert "s3cret" not in repr(address) + str(address)


def test_what_the_url_says_goes_before_the_defaults() -> None:
    uri = address_of("postgres://h/d?connect_timeout=3&application_name=mine", VARIABLE).uri
    assert "connect_timeout=3&" in uri + "&"
    assert "application_name=mine" in uri
    assert "keepalives_idle=" in uri


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:s3cret@h",
        "postgresql://me:s3cret@h/",
        "postgresql://me:s3cret@h/d?no_such_option=1",
        "postgresql://me:s3cret@h/d?sslmode",
        "postgresql://me:s3#cret@h/d",
        "postgresql://me:s3cret@[h/d",
    ],
)
def test_a_url_that_cannot_work_is_refused_with_what_was_expected_and_without_the_password(url: str) -> None:
    with pytest.raises(StoreConfigurationError, match="CLEW_STORAGE_URL: expected postgresql://USER") as refusal:
        address_of(url, VARIABLE)
    assert "cret" not in "".join(traceback.format_exception(refusal.value))
