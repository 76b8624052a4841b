"""People to register: bodies with what a test wants to change, and ID numbers that hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

CONSENT = {"version": "2024-09", "given_at": "2025-01-01T09:00:00+08:00"}
GUARDIAN = {"name": "王秀英", "phone": "13600001111"}
# GB 11643: each digit's weight, and the check digit by the sum's remainder of 11.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"


def person(**fields: Any) -> dict[str, Any]:
    """The body that registers somebody."""
    return {"name": "李佳儒", "phone": "13800005678", "consent": CONSENT, **fields}


def id_number(born: dt.date, place: str = "630105", serial: str = "001") -> str:
    """An ID number of somebody born on a day, with its right check digit."""
    return checked(f"{place}{born:%Y%m%d}{serial}")


def checked(digits: str) -> str:
    """Seventeen digits with their check digit, whether or not they mean anything."""
    return digits + _CHECKS[sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True)) % 11]


def in_other_digits(number: str, zero: str) -> str:
    """A number in the digits of another script, which Python takes for digits as well."""
    return "".join(chr(ord(zero) + int(digit)) if digit.isdigit() else digit for digit in number)
