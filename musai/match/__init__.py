"""Is this phrase like that work, and how surprising is it?"""

from musai.match.hits import Chance, Common, Hit, Light, Matches, Verdict
from musai.match.matcher import Matcher, match_all
from musai.match.versions import Version

__all__ = [
    "Chance",
    "Common",
    "Hit",
    "Light",
    "Matcher",
    "Matches",
    "Verdict",
    "Version",
    "match_all",
]
