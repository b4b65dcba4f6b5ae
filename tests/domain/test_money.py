"""Money: whole minor units, one currency at a time, one rounding."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatkeeper.domain.money import MINOR_DIGITS, Money, round_half_up

minors = st.integers(min_value=-(10**15), max_value=10**15)
wholes = st.integers(min_value=1, max_value=10**9)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [
        (0, 7, 0),
        (1, 3, 0),  # 0.33
        (2, 3, 1),  # 0.67
        (1, 2, 1),  # 0.5 goes up
        (3, 2, 2),  # 1.5 goes up
        (5, 2, 3),  # 2.5 goes up, not to the even 2
        (-1, 2, -1),  # a credit of 0.5 is one of 1
        (-5, 2, -3),  # a credit of 2.5 is one of 3
        (-1, 3, 0),  # -0.33
        (501, 2, 251),  # 2.505 dollars are 2.51
        (10**18 + 1, 2, 5 * 10**17 + 1),  # a float would lose the last digit
    ],
)
def test_g1_halves_round_away_from_zero(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@given(minors, wholes)
def test_g1_rounding_equals_exact_fractions(numerator: int, denominator: int) -> None:
    exact = floor(abs(Fraction(numerator, denominator)) + Fraction(1, 2))
    assert round_half_up(numerator, denominator) == (exact if numerator >= 0 else -exact)


@given(minors, wholes)
def test_g1_a_charge_and_its_credit_are_equal(numerator: int, denominator: int) -> None:
    assert round_half_up(-numerator, denominator) == -round_half_up(numerator, denominator)


@pytest.mark.parametrize("denominator", [0, -1])
def test_nothing_is_divided_by_zero_or_less(denominator: int) -> None:
    with pytest.raises(AssertionError):
        round_half_up(1, denominator)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(0, "USD"), "0.00 USD"),
        (Money(5, "USD"), "0.05 USD"),
        (Money(-5, "USD"), "-0.05 USD"),
        (Money(1006_03, "USD"), "1,006.03 USD"),
        (Money(-12_345_678_90, "EUR"), "-12,345,678.90 EUR"),
        (Money(0, "JPY"), "0 JPY"),
        (Money(1_500, "JPY"), "1,500 JPY"),  # a yen has no smaller coin
        (Money(-99, "KRW"), "-99 KRW"),
        (Money(1, "KWD"), "0.001 KWD"),  # a dinar has a thousand parts
        (Money(12_345, "KWD"), "12.345 KWD"),
        (Money(1_000_000, "TND"), "1,000.000 TND"),
    ],
)
def test_g1_amounts_print_with_the_digits_of_their_currency(money: Money, text: str) -> None:
    assert str(money) == text


@given(minors, st.sampled_from(sorted(MINOR_DIGITS)))
def test_g1_no_digit_is_lost_in_print(minor: int, currency: str) -> None:
    number, code = str(Money(minor, currency)).split(" ")
    assert code == currency
    assert Fraction(number.replace(",", "")) == Fraction(minor, 10 ** MINOR_DIGITS[currency])


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        ("USD", 2),
        ("EUR", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("CLP", 0),
        ("BHD", 3),
        ("KWD", 3),
        ("JOD", 3),
    ],
)
def test_g1_currencies_have_the_digits_of_iso_4217(currency: str, digits: int) -> None:
    assert MINOR_DIGITS[currency] == digits


def test_g1_currency_codes_are_three_capitals() -> None:
    assert all(len(code) == 3 and code.isalpha() and code.isupper() for code in MINOR_DIGITS)
    assert set(MINOR_DIGITS.values()) == {0, 2, 3}


@pytest.mark.parametrize("currency", ["usd", "US", "XXX", "BTC", "", "USD "])
def test_b057_what_is_not_a_currency_cannot_be_money(currency: str) -> None:
    with pytest.raises(AssertionError):
        Money(1, currency)


def test_m13_amounts_of_one_currency_add_and_subtract() -> None:
    assert Money(10_00, "USD") + Money(5, "USD") == Money(10_05, "USD")
    assert Money(5, "USD") - Money(10_00, "USD") == Money(-9_95, "USD")


def test_m13_two_currencies_never_mix() -> None:
    with pytest.raises(AssertionError):
        Money(1, "USD") + Money(1, "EUR")
    with pytest.raises(AssertionError):
        Money(1, "USD") - Money(1, "EUR")


@pytest.mark.parametrize(
    ("money", "part", "whole", "share"),
    [
        (Money(129_89, "USD"), 20, 100, Money(25_98, "USD")),  # 20 % off 129.89: 25.978
        (Money(5_01, "USD"), 15, 30, Money(2_51, "USD")),  # 2.505
        (Money(-5_01, "USD"), 15, 30, Money(-2_51, "USD")),  # -2.505
        (Money(2_400, "JPY"), 275, 365, Money(1_808, "JPY")),  # 1,808.2 yen
        (Money(240_000, "KWD"), 275, 365, Money(180_822, "KWD")),  # 180.82191 dinars
        (Money(1_00, "USD"), 0, 30, Money(0, "USD")),
        (Money(1_00, "USD"), 30, 30, Money(1_00, "USD")),
    ],
)
def test_g1_a_share_is_rounded_once(money: Money, part: int, whole: int, share: Money) -> None:
    assert money.share(part, whole) == share


def test_g5_price_after_the_discount_and_the_discount_add_up() -> None:
    full = Money(129_89, "USD")
    assert full - full.share(20, 100) == Money(103_91, "USD")  # 129.89 - 25.98


@given(minors, st.integers(min_value=0, max_value=366), st.integers(min_value=1, max_value=366))
def test_g4_a_share_is_never_more_than_the_whole(minor: int, part: int, whole: int) -> None:
    money = Money(minor, "USD")
    if part > whole:
        with pytest.raises(AssertionError):
            money.share(part, whole)
    else:
        assert abs(money.share(part, whole).minor) <= abs(minor)


@pytest.mark.parametrize(("part", "whole"), [(-1, 30), (31, 30), (0, 0)])
def test_g4_a_share_lies_between_nothing_and_all(part: int, whole: int) -> None:
    with pytest.raises(AssertionError):
        Money(1_00, "USD").share(part, whole)
