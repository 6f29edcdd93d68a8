"""Who sits at the desk, how they want to judge, what they have seen: cookies of this browser, no account."""

from dataclasses import dataclass
from urllib.parse import quote, unquote

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from musai.errors import BadInput
from musai.report.svg import printable

NAME = "musai-reviewer"
EAR = "musai-listen-first"
SEEN = "musai-seen"
LONGEST = 80
UNNAMED = "unnamed"
_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Reviewer:
    """The name that judgements are signed with, and whether numbers wait until a hit is rated."""

    name: str = ""
    listens_first: bool = False

    @property
    def signature(self) -> str:
        """What the ledger is told."""
        return self.name or UNNAMED


def reviewer_of(request: HttpRequest) -> Reviewer:
    """What this browser's cookies say."""
    name = unquote(request.cookies.get(NAME, ""))
    return Reviewer(printable(name).strip()[:LONGEST], request.cookies.get(EAR) == "yes")


def checked_name(text: str) -> str:
    """A name as it is kept.  Raises `BadInput` for none and for one that is too long."""
    name = " ".join(printable(text).split())
    if not name or len(name) > LONGEST:
        raise BadInput(f"the reviewer's name is {name[:20]!r}; legal is 1 to {LONGEST} characters")
    return name


def remember(response: Response, reviewer: Reviewer) -> None:
    """Keep it in this browser for a year."""
    values = {NAME: quote(reviewer.name), EAR: "yes" if reviewer.listens_first else "no"}
    for cookie, value in values.items():
        response.set_cookie(cookie, value, max_age=_YEAR, samesite="strict", httponly=True)


def last_seen(request: HttpRequest) -> int:
    """The newest ledger record that this browser was shown among the changes; 0 for none."""
    text = request.cookies.get(SEEN, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def remember_seen(response: Response, seq: int) -> None:
    """Keep it in this browser for a year."""
    response.set_cookie(SEEN, str(seq), max_age=_YEAR, samesite="strict", httponly=True)
