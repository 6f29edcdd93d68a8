"""Works and what their owners allow."""

from musai.corpus.corpus import Corpus, Progress, folder_of
from musai.corpus.licences import LICENCES, USES, Permission, Term, Terms, Use, permission, terms_of
from musai.corpus.work import Creator, Evidence, Holder, Work

__all__ = [
    "LICENCES",
    "USES",
    "Corpus",
    "Creator",
    "Evidence",
    "Holder",
    "Permission",
    "Progress",
    "Term",
    "Terms",
    "Use",
    "Work",
    "folder_of",
    "permission",
    "terms_of",
]
