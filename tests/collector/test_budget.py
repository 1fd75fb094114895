import pytest

from collector.budget import ByteBudget
from collector.errors import Overloaded, PayloadTooLarge


def test_reservation_gives_its_bytes_back_when_the_block_ends() -> None:
    budget = ByteBudget(100)
    with budget.reservation() as reservation:
        reservation.grow(60)
        reservation.grow(40)
        assert budget.used_bytes == 100
    assert budget.used_bytes == 0


def test_reservation_gives_its_bytes_back_when_the_block_fails() -> None:
    budget = ByteBudget(100)
    reservation = budget.reservation()
    reservation.grow(60)
    with pytest.raises(Overloaded), reservation:
        budget.reservation().grow(41)
    assert budget.used_bytes == 0


def test_a_handed_over_reservation_outlives_the_block_until_it_is_released() -> None:
    budget = ByteBudget(100)
    with budget.reservation() as reservation:
        reservation.grow(60)
        reservation.hand_over()
    assert budget.used_bytes == 60
    reservation.release()
    assert budget.used_bytes == 0


def test_growing_is_refused_with_a_time_to_retry_when_others_hold_the_room() -> None:
    budget = ByteBudget(100)
    other, mine = budget.reservation(), budget.reservation()
    other.grow(60)
    mine.grow(40)
    with pytest.raises(Overloaded, match="queue of 100 bytes") as caught:
        mine.grow(1)
    assert caught.value.retry_after_s == 1.0
    assert budget.used_bytes == 100


def test_growing_is_refused_for_ever_when_an_empty_queue_would_not_hold_it() -> None:
    reservation = ByteBudget(100).reservation()
    reservation.grow(60)
    with pytest.raises(PayloadTooLarge, match="CLEW_QUEUE_BYTES"):
        reservation.grow(41)
