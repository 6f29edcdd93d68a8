"""What a work's owner allows: four uses, the licence table, and `permission`.

Uses: *match* a phrase against the work on this machine; *train* a model on
it; show its *influence* on what was generated; put what a model trained on it
generates to *commercial* use.  Each is allowed, denied, unclear, or
conditional (allowed on conditions that travel with it).

Where nothing is known of the terms, matching on this machine is allowed and
everything else denied.  The table below states how musai reads a licence; a
manifest may state the owner's own terms per use, and those go before it.
None of this is legal advice: a licence says what it says.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import lru_cache
from typing import Any, Literal, Protocol, get_args

from musai.errors import BadManifest

Use = Literal["match", "train", "influence", "commercial"]
Status = Literal["allowed", "denied", "unclear", "conditional"]
USES: tuple[Use, ...] = get_args(Use)
STATUSES: tuple[Status, ...] = get_args(Status)

UNKNOWN = "LicenseRef-unknown"
OWN = "LicenseRef-own-work"
MUSIC21 = "LicenseRef-music21-corpus"


_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI
BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN
CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP
NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
VN VU WF WS YE YT ZA ZM ZW
"""
_TERRITORIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2."""


def checked_territory(code: str) -> str:
    """The code, if it is a country's.  Raises `BadManifest`."""
    if code not in _TERRITORIES:
        raise BadManifest(
            f"a territory is {code!r}; legal is a country's code like DE (ISO 3166-1)"
        )
    return code


@dataclass(frozen=True, slots=True)
class Term:
    """One use of one work: its status, why, and the conditions of an allowance.

    `share` is the owner's share of revenue in basis points (10,000 is all);
    `recall`, of the term for training, is the highest probability that the owner accepts of a model
    giving back a passage of the work in 10,000 takes that begin as it does (`musai audit
    memorization`), None for no limit; `territory` holds ISO 3166 country codes, empty for everywhere; `since` and
    `until` are the first and last day on which the term holds.
    """

    status: Status
    reason: str = ""
    attribution: str = ""
    share: int = 0
    territory: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    also: tuple[str, ...] = ()
    recall: float | None = None

    def __post_init__(self) -> None:
        if self.status not in STATUSES:
            raise BadManifest(f"a term's status is {self.status!r}; legal is {', '.join(STATUSES)}")
        if not 0 <= self.share <= 10_000:
            raise BadManifest(f"a share is {self.share} basis points; legal is 0 to 10000")
        if self.recall is not None and not 0 <= self.recall <= 1:
            raise BadManifest(f"a term's recall is {self.recall}; legal is a probability, 0 to 1")
        for code in self.territory:
            checked_territory(code)
        if self.since and self.until and self.since > self.until:
            raise BadManifest(f"a term holds from {self.since} to {self.until}; legal is rising")

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions as sentences."""
        said = []
        if self.attribution:
            said.append(f"credit: {self.attribution}")
        if self.share:
            said.append(f"{self.share / 100:g}% of revenue to the owner")
        if self.territory:
            said.append(f"only in {', '.join(self.territory)}")
        if self.since:
            said.append(f"from {self.since.isoformat()}")
        if self.until:
            said.append(f"until {self.until.isoformat()}")
        if self.recall is not None:
            said.append(f"no passage given back in 10,000 takes likelier than {self.recall:g}")
        return (*said, *self.also)


@dataclass(frozen=True, slots=True)
class Terms:
    """A term for each use.  Without further word: matching here allowed, all else denied."""

    match: Term = field(
        default_factory=lambda: Term("allowed", "terms unknown: matching on this machine only")
    )
    train: Term = field(default_factory=lambda: Term("denied", "terms unknown"))
    influence: Term = field(default_factory=lambda: Term("denied", "terms unknown"))
    commercial: Term = field(default_factory=lambda: Term("denied", "terms unknown"))

    def of(self, use: Use) -> Term:
        """The term of one use; raises `BadManifest` for a word that is no use."""
        if use not in USES:
            raise BadManifest(f"a use is {use!r}; legal is {', '.join(USES)}")
        term: Term = getattr(self, use)
        return term

    def changed(self, use: Use, term: Term) -> "Terms":
        """The same terms but for one use."""
        self.of(use)
        return replace(self, **{use: term})


@dataclass(frozen=True, slots=True)
class Permission:
    """The answer to "may I": `allowed` says yes or no, `conditions` what a yes asks for."""

    use: Use
    status: Status
    reason: str
    conditions: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the use may go ahead, its conditions kept; what is unclear may not."""
        return self.status in ("allowed", "conditional")


class Licensed(Protocol):
    """What `permission` asks of a work."""

    @property
    def terms(self) -> Terms: ...

    @property
    def licence(self) -> str: ...


def permission(
    work: Licensed, use: Use, *, on: date | None = None, territory: str | None = None
) -> Permission:
    """Whether a work's terms allow a use, on a day and in a country where these are given.

    A term bound to days or countries that the question does not name stays
    conditional on them.  Raises `BadManifest` for a word that is no use.
    """
    term = work.terms.of(use)
    if term.status in ("denied", "unclear"):
        return Permission(
            use, term.status, term.reason or f"{work.licence} leaves it {term.status}"
        )
    if on is not None and term.since and on < term.since:
        return Permission(use, "denied", f"allowed only from {term.since.isoformat()}")
    if on is not None and term.until and on > term.until:
        return Permission(use, "denied", f"allowed only until {term.until.isoformat()}")
    if territory is not None and term.territory and territory not in term.territory:
        return Permission(use, "denied", f"allowed only in {', '.join(term.territory)}")
    reason = term.reason or work.licence
    if term.conditions:
        return Permission(use, "conditional", reason, term.conditions)
    return Permission(use, term.status, reason)


_CREDIT: tuple[Status, ...] = ("allowed", "conditional", "conditional", "conditional")
_FREE: tuple[Status, ...] = ("allowed", "allowed", "allowed", "allowed")
_ALIKE: tuple[Status, ...] = ("allowed", "unclear", "conditional", "unclear")
_NO_TRADE: tuple[Status, ...] = ("allowed", "conditional", "conditional", "denied")
_NO_CHANGE: tuple[Status, ...] = ("allowed", "unclear", "conditional", "unclear")
_NEITHER: tuple[Status, ...] = ("allowed", "denied", "conditional", "denied")
_COPYLEFT: tuple[Status, ...] = ("allowed", "unclear", "conditional", "unclear")
_NOTHING: tuple[Status, ...] = ("allowed", "denied", "denied", "denied")

_VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")


@dataclass(frozen=True, slots=True)
class Licence:
    """How musai reads one licence: a status for each use of `USES`, and why."""

    id: str
    statuses: tuple[Status, ...]
    reason: str
    conditions: tuple[str, ...] = ()


def _family(stem: str, statuses: tuple[Status, ...], reason: str, *also: str) -> list[Licence]:
    return [Licence(f"{stem}-{v}", statuses, reason, also) for v in _VERSIONS]


_ROWS: tuple[Licence, ...] = (
    Licence("CC0-1.0", _FREE, "dedicated to the public domain"),
    Licence("PDDL-1.0", _FREE, "dedicated to the public domain"),
    Licence("Unlicense", _FREE, "dedicated to the public domain"),
    Licence("0BSD", _FREE, "allowed without conditions"),
    Licence("LicenseRef-public-domain", _FREE, "in the public domain"),
    Licence(OWN, _FREE, "the composer's own declaration"),
    Licence(
        MUSIC21,
        ("allowed", "allowed", "allowed", "unclear"),
        "the work is in the public domain; its encoder states no terms",
    ),
    *_family("CC-BY", _CREDIT, "allowed with credit"),
    Licence("LicenseRef-CC-BY-unversioned", _CREDIT, "allowed with credit; version not stated"),
    *_family("CC-BY-SA", _ALIKE, "what share-alike asks of a model is not settled", "share alike"),
    *_family("CC-BY-NC", _NO_TRADE, "no commercial use", "no commercial use"),
    *_family("CC-BY-ND", _NO_CHANGE, "no derivatives: what that asks of a model is not settled"),
    *_family("CC-BY-NC-SA", _NEITHER, "no commercial use, share alike", "no commercial use"),
    *_family("CC-BY-NC-ND", _NEITHER, "no commercial use, no derivatives", "no commercial use"),
    *(Licence(i, _CREDIT, "allowed with its notice") for i in ("MIT", "ISC", "BSD-2-Clause")),
    *(Licence(i, _CREDIT, "allowed with its notice") for i in ("BSD-3-Clause", "Apache-2.0")),
    *(
        Licence(f"{stem}-{tail}", _COPYLEFT, "what copyleft asks of a model is not settled")
        for stem in ("GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0", "AGPL-3.0")
        for tail in ("only", "or-later")
    ),
    Licence("LicenseRef-all-rights-reserved", _NOTHING, "all rights reserved"),
    Licence(UNKNOWN, _NOTHING, "terms unknown"),
)

LICENCES: dict[str, Licence] = {row.id: row for row in _ROWS}
"""The licence table by id."""

_RANK: dict[Status, int] = {"denied": 0, "unclear": 1, "conditional": 2, "allowed": 3}


def terms_of(licence: str, attribution: str = "") -> Terms:
    """The terms that a licence gives: an id of the table or an SPDX expression of such ids.

    Of alternatives (OR) the more generous holds, of requirements (AND) the
    stricter, use by use.  An id that is not in the table gives unknown terms.
    """
    return _terms(licence.strip() or UNKNOWN, attribution.strip())


_OPERATORS = {"AND", "OR", "WITH"}
"""Words that make a text an expression; one without them that cannot be read is somebody's own words."""


@lru_cache(maxsize=4096)
def _terms(licence: str, attribution: str) -> Terms:
    if licence in LICENCES or (" " not in licence and "(" not in licence):
        return _of_one(licence, attribution)
    from license_expression import ExpressionError

    try:
        parsed = _grammar().parse(licence, validate=False, strict=False)
    except ExpressionError as fault:
        if not _OPERATORS & set(licence.upper().split()):
            return _of_one(licence, attribution)
        raise BadManifest(f"licence is {licence!r}; legal is an SPDX expression") from fault
    return _by_expression(parsed, attribution)


@lru_cache(maxsize=1)
def _grammar() -> Any:
    """Reads the list of all licences, which takes a second."""
    from license_expression import get_spdx_licensing

    return get_spdx_licensing()


def _of_one(licence: str, attribution: str) -> Terms:
    """Terms of a single licence; of one that is not in the table, and of words that are none, unknown."""
    row = LICENCES.get(licence)
    return _by_row(
        row or replace(LICENCES[UNKNOWN], reason=f"terms of {licence} unknown"), attribution
    )


def _by_row(row: Licence, attribution: str) -> Terms:
    terms = {}
    for use, status in zip(USES, row.statuses, strict=True):
        conditional = status == "conditional"
        credit = (attribution or f"as {row.id} asks") if conditional else ""
        here = use == "match" and "conditional" in row.statuses
        reason = "matching on this machine" if here else row.reason
        terms[use] = Term(status, reason, credit, also=row.conditions if conditional else ())
    return Terms(**terms)


def _by_expression(parsed: Any, attribution: str) -> Terms:
    operator = getattr(parsed, "operator", "").strip().upper()
    if operator not in ("AND", "OR"):
        return _of_one(str(parsed), attribution)
    sides = [_by_expression(side, attribution) for side in parsed.args]
    choose = max if operator == "OR" else min
    return Terms(
        **{use: choose((s.of(use) for s in sides), key=lambda t: _RANK[t.status]) for use in USES}
    )


def own_terms(by: str = "") -> Terms:
    """All uses, by the composer's own declaration (`--mine`)."""
    reason = f"declared by {by} as their own work" if by else LICENCES[OWN].reason
    return Terms(*(Term("allowed", reason) for _ in USES))


def read_term(value: Any, use: Use) -> Term:
    """A term from a manifest: a status, or an object with the fields of `Term`.

    Raises `BadManifest` naming the value for anything else.
    """
    if isinstance(value, str):
        return Term(value.strip().lower())  # type: ignore[arg-type]  # Term checks it
    if not isinstance(value, Mapping):
        raise BadManifest(f"the term for {use} is {value!r}; legal is a status or an object")
    known = {"status", "reason", "attribution", "share", "territory", "since", "until", "recall"}
    strange = sorted(set(map(str, value)) - known)
    if strange:
        raise BadManifest(f"the term for {use} has {strange}; legal is {sorted(known)}")
    territory = value.get("territory") or ()
    codes = territory.replace(",", " ").split() if isinstance(territory, str) else territory
    try:
        return Term(
            value.get("status", "conditional"),
            str(value.get("reason") or ""),
            str(value.get("attribution") or ""),
            int(value.get("share") or 0),
            tuple(map(str, codes)),
            _day(value.get("since")),
            _day(value.get("until")),
            recall=None if value.get("recall") is None else float(value["recall"]),
        )
    except BadManifest:
        raise
    except (TypeError, ValueError) as fault:
        raise BadManifest(f"the term for {use} cannot be read: {fault}") from fault


def _day(value: Any) -> date | None:
    return date.fromisoformat(str(value)) if value else None
