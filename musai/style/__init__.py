"""What kind of music is this phrase: features, percentiles, nearest composers.  For information only."""

from musai.style.overlap import Distances, Group, Nearest, Overlap
from musai.style.style import Style

__all__ = ["Distances", "Group", "Nearest", "Overlap", "Style"]
