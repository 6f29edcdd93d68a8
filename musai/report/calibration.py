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
        (0.0085, 0.008, 0.026, 0.005),
        (".0050 to .0124", ".0038 to .0128", ".0201 to .0326", ".0012 to .0093"),
    ),
    ("the same, nothing excluded but the own work", (0.014, 0.042, 0.026, 0.011), ()),
    ("exact quotations told, single voices", (0.984, 0.738, 1.0, 1.0), ()),
    ("exact quotations told, all lines", (0.926, 0.726, 1.0, 0.976), ()),
    ("quotations with 20% edits told, single voices", (0.904, 0.338, 1.0, 0.988), ()),
    ("quotations with 20% edits told, all lines", (0.774, 0.320, 0.992, 0.948), ()),
    ("melodies made by chance told “no significant match”", (1.0, 1.0, 0.994, 1.0), ()),
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
        "An exact test would call one unrelated phrase in a hundred significant. In art songs and in "
        "dance tunes it was fewer. In a catalogue of a single song, which has no music of its own kind "
        "to be held against, it was one in forty: there the error rate of this report may be three "
        "times what it says.",
        "In dance tunes, which are made of shared formulas, three exact quotations of ten and seven "
        "edited ones of ten are not told from their own kind. “No significant match” is then no "
        "sign that nothing was quoted.",
        "Measured with phrases of 16 notes. Shorter ones are told less often, longer ones more; "
        "other kinds of music may behave differently.",
    ),
)
