"""Units of concentration, however they are spelt."""

from __future__ import annotations

import re
import unicodedata

from deepcams.errors import InputError

_MASSES = {"kg": 1e9, "g": 1e6, "mg": 1e3, "ng": 1e-3} | dict.fromkeys(("ug", "mcg", "microg"), 1.0)
_WORDS = {"nano": "n", "micro": "u", "milli": "m", "kilo": "k", "": ""}
_IGNORED = re.compile(r"[\s.·^*_]|\(lc\)|â")  # (LC): at local conditions; â: of UTF-8 that was read as Windows-1252
_MICRO = re.compile("μ|\ufffd(?=g)")
_LONG = re.compile(r"(nano|micro|milli|kilo|)gram(?:me)?s?")
_VOLUME = re.compile(r"(?:/|per)(?:m3|m\ufffd|cum|cubicmet(?:er|re)s?)|m-3|m−3")


def factor_of(unit: str) -> float | None:
    """What a value in this unit is multiplied with to be in ug m-3; None if it is no mass in a volume of air.

    Args:
        unit: like ``µg/m³``, ``UG/M3``, ``ug.m-3``, ``Micrograms/cubic meter (LC)`` or ``mg/m3``.
    """
    plain = _MICRO.sub("u", _IGNORED.sub("", unicodedata.normalize("NFKC", unit).lower()))
    plain = _LONG.sub(lambda found: f"{_WORDS[found[1]]}g", plain, count=1)
    volume = _VOLUME.search(plain)
    return _MASSES.get(plain[: volume.start()]) if volume and volume.end() == len(plain) else None


def check_unit(unit: str | None) -> None:
    """Refuse a unit given by the user that values of PM2.5 cannot have.

    Raises:
        InputError: if it is no mass in a volume of air.
    """
    if unit is not None and factor_of(unit) is None:
        raise InputError(f"units {unit!r}: wanted a mass in a volume of air, like ug/m3 or mg/m3")
