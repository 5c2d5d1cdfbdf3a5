"""Country codes of AirNow, which are those of FIPS 10-4 and not of ISO 3166: its CH is China."""

from __future__ import annotations

import re

_DIFFERENT = dict(
    re.findall(
        r"(\w\w):(\w\w)",
        """
    AC:AG AG:DZ AJ:AZ AN:AD AS:AU AU:AT BA:BH BC:BW BF:BS BG:BD BH:BZ BK:BA BL:BO BM:MM BO:BY BP:SB BU:BG BX:BN
    BY:BI CB:KH CD:TD CE:LK CF:CG CG:CD CH:CN CI:CL CN:KM CS:CR CT:CF DA:DK DO:DM DR:DO EI:IE EK:GQ EN:EE ES:SV
    EZ:CZ GA:GM GB:GA GG:GE GJ:GD GM:DE GV:GN GZ:PS HA:HT HO:HN IC:IS IS:IL IV:CI IZ:IQ JA:JP KN:KP KR:KI KS:KR
    KU:KW KV:XK LE:LB LG:LV LH:LT LI:LR LO:SK LS:LI LT:LS MA:MG MC:MO MG:MN MI:MW MJ:ME MO:MA MP:MU MU:OM NG:NE
    NH:VU NI:NG NS:SR NU:NI OD:SS PA:PY PM:PA PO:PT PP:PG RI:RS RM:MH RP:PH RQ:PR RS:RU SC:KN SE:SC SF:ZA SG:SN
    SN:SG SP:ES SU:SD SW:SE SZ:CH TD:TT TI:TJ TO:TG TP:ST TS:TN TT:TL TU:TR TX:TM UK:GB UP:UA UV:BF VM:VN WA:NA
    WE:PS WZ:SZ YM:YE ZA:ZM ZI:ZW
    """,
    )
)
"""ISO 3166 by FIPS 10-4, where the two differ."""


def iso_of_fips(code: str) -> str:
    """The ISO 3166 code of a country for its FIPS 10-4 code; nothing for what is not a code of two letters."""
    plain = code.strip().upper()
    return _DIFFERENT.get(plain, plain) if len(plain) == 2 and plain.isalpha() else ""
