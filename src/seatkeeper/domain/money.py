"""Money: integer minor units with an ISO 4217 currency; one rounding rule for the whole house."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

# Active ISO 4217 currencies by the number of decimal digits of their minor unit.
_DIGITS: Final = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD "
    "CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ "
    "GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL "
    "MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR "
    "PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT "
    "TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
MINOR_DIGITS: Final = {code: digits for digits, row in _DIGITS.items() for code in row.split()}
"""Decimal digits of each accepted currency. Source: ISO 4217, G1."""


def round_half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded half away from zero: the only rounding of money there is. Source: G1."""
    assert denominator > 0
    half_up = (2 * abs(numerator) + denominator) // (2 * denominator)
    return half_up if numerator >= 0 else -half_up


def rounded(exact: Fraction) -> int:
    """An exact amount in whole minor units. Source: G1."""
    return round_half_up(exact.numerator, exact.denominator)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount. Units: minor units of `currency`."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert self.currency in MINOR_DIGITS

    def __add__(self, other: Money) -> Money:
        assert self.currency == other.currency
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        assert self.currency == other.currency
        return Money(self.minor - other.minor, self.currency)

    def share(self, part: int, whole: int) -> Money:
        """This amount times part/whole, rounded half away from zero. Source: G1, G4."""
        assert 0 <= part <= whole
        return Money(round_half_up(self.minor * part, whole), self.currency)

    def __str__(self) -> str:
        digits = MINOR_DIGITS[self.currency]
        sign = "-" if self.minor < 0 else ""
        whole, fraction = divmod(abs(self.minor), 10**digits)
        tail = f".{fraction:0{digits}d}" if digits else ""
        return f"{sign}{whole:,}{tail} {self.currency}"
