"""How people are reached and told apart: phones, addresses, e-mail, licence plates and numbers with check digits."""

from __future__ import annotations

import unicodedata

from masking.sample.chart import Json
from masking.sample.draw import Draw
from masking.sample.names import Place, State

_VIN_SYMBOLS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
_VIN_VALUES = dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)) | {
    str(digit): digit for digit in range(10)
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_PHONE_FORMS = ("{}-{}-{}", "({}) {}-{}", "+1 {} {} {}", "{}.{}.{}", "{}{}{}", "+1-{}-{}-{}")


def phone(draw: Draw, state: State, *, extension: bool = False) -> str:
    """A number in one of the ways people write them; its exchange is never 555, so no fictional number can equal it."""
    exchange = draw.between(200, 554) if draw.chance(0.5) else draw.between(556, 999)
    number = draw.pick(_PHONE_FORMS).format(draw.pick(state.area_codes), exchange, f"{draw.between(0, 9999):04}")
    return f"{number} x{draw.between(10, 9999)}" if extension else number


def point(system: str, value: str, use: str | None = None) -> Json:
    """A ContactPoint."""
    return {"system": system, "value": value} | ({"use": use} if use else {})


def address(draw: Draw, place: Place, *, use: str = "home") -> Json:
    """An Address; its text agrees with its parts. Some ZIPs have nine digits, some houses a flat."""
    line = [f"{draw.between(1, 9999)} {draw.pick(place.words.streets)}"]
    if draw.chance(0.25):
        line.append(f"Apt {draw.between(1, 899)}")
    city, postal = draw.pick(place.words.towns), draw.pick(place.zips)
    if draw.chance(0.3):
        postal = f"{postal}-{draw.between(1, 9999):04}"
    text = f"{', '.join(line)}, {city}, {place.state.code} {postal}"
    parts = {"line": line, "city": city, "state": place.state.code, "postalCode": postal, "country": "US"}
    return {"use": use, "type": "both", "text": text, **parts}


def mailbox(given: str, family: str, number: int) -> str:
    """An e-mail address that gives the name away, as they do; plain ASCII."""
    local = unicodedata.normalize("NFKD", f"{given}.{family}").encode("ascii", "ignore").decode()
    local = "".join(character for character in local.lower() if character.isalnum() or character == ".").strip(".")
    return f"{local or 'patient'}{number % 1000}@{('brightmail', 'postbox', 'quickmail')[number % 3]}.test"


def luhn(digits: str) -> str:
    """The check digit that makes `digits` + it pass Luhn's test (ISO/IEC 7812-1, annex B)."""
    total = 0
    for position, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if position % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return str(-total % 10)


def npi(nine: str) -> str:
    """A National Provider Identifier: nine digits and Luhn's over them with the prefix 80840 (45 CFR 162.406)."""
    return nine + luhn("80840" + nine)


def dea(draw: Draw, family: str) -> str:
    """A DEA number: two letters, six digits, and a check digit made of them."""
    initial = family[0].upper() if family[0].isascii() and family[0].isalpha() else "9"
    six = f"{draw.between(0, 999_999):06}"
    first, second = sum(map(int, six[::2])), sum(map(int, six[1::2]))
    return f"{draw.pick('ABFM')}{initial}{six}{(first + 2 * second) % 10}"


def vin(draw: Draw) -> str:
    """A vehicle identification number with its check digit in the ninth place (49 CFR 565.15)."""
    symbols = [draw.pick(_VIN_SYMBOLS) for _ in range(17)]
    total = sum(_VIN_VALUES[symbol] * weight for symbol, weight in zip(symbols, _VIN_WEIGHTS, strict=True))
    symbols[8] = "0123456789X"[total % 11]
    return "".join(symbols)


def plate(draw: Draw) -> str:
    """A licence plate, e.g. `7KDR294`."""
    letters = "".join(draw.pick("ABCDEFGHJKLMNPRSTUVWXYZ") for _ in range(3))
    return f"{draw.between(1, 9)}{letters}{draw.between(0, 999):03}"


def ssn(number: int) -> str:
    """The `number`-th number of the shape the SSA issues: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    rest, serial = divmod(number, 9_999)
    area, group = divmod(rest, 99)
    area = area + 1 if area < 665 else area + 2
    return f"{area:03}-{group + 1:02}-{serial + 1:04}"


#: How many social security numbers `ssn` has.
SSN_COUNT = 898 * 99 * 9_999
