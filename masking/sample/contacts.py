"""How people are reached and told apart: phones, addresses, e-mail, licence plates and numbers with check digits."""

from __future__ import annotations

import unicodedata

from masking.checkdigits import VIN_SYMBOLS, with_check
from masking.sample.chart import Json
from masking.sample.draw import Draw
from masking.sample.names import Place, State

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


def npi(nine: str) -> str:
    """A National Provider Identifier of these nine digits."""
    return with_check("npi", nine)


def dea(draw: Draw, family: str) -> str:
    """A DEA number: a letter for the kind of registrant, the initial of the name, digits."""
    initial = family[0].upper() if family[0].isascii() and family[0].isalpha() else "9"
    return with_check("dea", f"{draw.pick('ABFM')}{initial}{draw.between(0, 999_999):06}")


def vin(draw: Draw) -> str:
    """A vehicle identification number."""
    return with_check("vin", "".join(draw.pick(VIN_SYMBOLS) for _ in range(16)))


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
