"""What was measured of the test itself: the rates that docs/matching.md gives, as a report prints them.

A test holds these figures against that page.
"""

from musai.report.dossier import Calibration, Cell

MUSIC = ("Lieder", "tunebook", "1 song", "50 songs")
"""Corpora that it was measured with: 715 art songs; 4,860 dance tunes, chorales and quartets."""

_Rows = tuple[tuple[str, tuple[float, ...], tuple[str, ...]], ...]

ROWS: _Rows = (
    (
        "unrelated real phrases called significant",
        (0.021, 0.0075, 0.020, 0.015),
        (".012 to .033", ".0015 to .014", ".012 to .028", "0 to .034"),
    ),
    ("the same, nothing excluded but the own work", (0.026, 0.036, 0.020, 0.020), ()),
    ("exact quotations told, single voices", (0.980, 0.700, 1.0, 1.0), ()),
    ("exact quotations told, all lines", (0.965, 0.735, 1.0, 0.960), ()),
    ("quotations with 20% edits told, single voices", (0.890, 0.375, 1.0, 0.960), ()),
    ("quotations with 20% edits told, all lines", (0.765, 0.300, 1.0, 0.940), ()),
    ("melodies made by chance told “no significant match”", (1.0, 1.0, 0.993, 1.0), ()),
)

CALIBRATION = Calibration(
    title="Phrases of 16 notes, judged at p of .01 or below",
    cells=tuple(
        Cell(
            question=question,
            music=music,
            rate=rate,
            interval=intervals[at] if intervals else "",
        )
        for question, rates, intervals in ROWS
        for at, (music, rate) in enumerate(zip(MUSIC, rates, strict=True))
    ),
    limits=(
        "An exact test would call one unrelated phrase in a hundred significant. In art songs it was "
        "two in a hundred (95% of it 1 to 3), so that there the error rate of this report may be "
        "twice what it says.",
        "In dance tunes, which are made of shared formulas, three exact quotations of ten and seven "
        "edited ones of ten are not told from their own kind. “No significant match” is then no "
        "sign that nothing was quoted.",
        "Measured with phrases of 16 notes. Shorter ones are told less often, longer ones more; "
        "other kinds of music may behave differently.",
    ),
)
