"""What music21 ships, folder by folder: what `tunebook` takes, on what grounds, and what stays out.

music21's own licence text says that encodings in its corpus may carry
restrictions stated in the files or folders.  So each folder is decided on
here, and each file's own statement of rights is read as well (`REFUSALS`).
"""

import re
from dataclasses import dataclass

from musai.corpus.licences import MUSIC21
from musai.corpus.work import Creator

UNSTATED = "the work is in the public domain; its encoder states no terms"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A folder (or files in it by pattern) that tunebook takes, as one collection."""

    pattern: str
    collection: str
    creators: tuple[Creator, ...]
    grounds: str
    licence: str = MUSIC21
    title: str = ""
    attribution: str = ""


_BACH = (Creator("Johann Sebastian Bach", born=1685, died=1750),)
_MONTEVERDI = (Creator("Claudio Monteverdi", born=1567, died=1643),)
_HAYDN = (Creator("Joseph Haydn", born=1732, died=1809),)
_MOZART = (Creator("Wolfgang Amadeus Mozart", born=1756, died=1791),)
_BEETHOVEN = (Creator("Ludwig van Beethoven", born=1770, died=1827),)
_SCHUMANN = (Creator("Robert Schumann", born=1810, died=1856),)

TAKEN: tuple[Shelf, ...] = (
    Shelf(r"ryansMammoth/.*\.abc", "ryansMammoth", (),
          "Ryan's Mammoth Collection, printed in Boston in 1883; " + UNSTATED),
    Shelf(r"oneills1850/.*\.abc", "oneills1850", (),
          "O'Neill's Music of Ireland, printed in Chicago in 1903; " + UNSTATED),
    Shelf(r"airdsAirs/.*\.abc", "airdsAirs", (),
          "Aird's Airs, printed in Glasgow from 1778 to 1801; " + UNSTATED),
    Shelf(r"miscFolk/northumbrianminstrelsyopus\.abc", "northumbrian-minstrelsy", (),
          "Bruce and Stokoe, Northumbrian Minstrelsy, printed in 1882; " + UNSTATED),
    Shelf(r"bach/bwv(?!846).*\.(mxl|xml)", "bach-chorales", _BACH, UNSTATED
          + "; a notice in some files speaks of a site's PDF, used by permission"),
    Shelf(r"monteverdi/madrigal\.\d+\.\d+\.mxl", "monteverdi-madrigals", _MONTEVERDI, UNSTATED),
    Shelf(r"trecento/.*\.(xml|mxl)", "trecento", (), "music of the 14th century; " + UNSTATED),
    Shelf(r"haydn/opus1no1/.*\.mxl", "haydn-quartets", _HAYDN, UNSTATED, title="String Quartet, op. 1 no. 1"),
    Shelf(r"haydn/opus74no1/.*\.mxl", "haydn-quartets", _HAYDN, UNSTATED, title="String Quartet, op. 74 no. 1"),
    Shelf(r"mozart/k80/.*\.mxl", "mozart-quartets", _MOZART, UNSTATED, title="String Quartet, K. 80"),
    Shelf(r"mozart/k155/.*\.mxl", "mozart-quartets", _MOZART, UNSTATED, title="String Quartet, K. 155"),
    Shelf(r"mozart/k156/.*\.mxl", "mozart-quartets", _MOZART, UNSTATED, title="String Quartet, K. 156"),
    Shelf(r"mozart/k458/.*\.mxl", "mozart-quartets", _MOZART, UNSTATED, title="String Quartet, K. 458"),
    Shelf(r"beethoven/opus18no1/.*\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 18 no. 1"),
    Shelf(r"beethoven/opus18no3\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 18 no. 3"),
    Shelf(r"beethoven/opus18no4\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 18 no. 4"),
    Shelf(r"beethoven/opus18no5\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 18 no. 5"),
    Shelf(r"beethoven/opus59no1/.*\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 59 no. 1"),
    Shelf(r"beethoven/opus59no2/.*\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 59 no. 2"),
    Shelf(r"beethoven/opus59no3/.*\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 59 no. 3"),
    Shelf(r"beethoven/opus74\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 74"),
    Shelf(r"beethoven/opus132\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="String Quartet, op. 132"),
    Shelf(r"beethoven/opus133\.mxl", "beethoven-quartets", _BEETHOVEN, UNSTATED, title="Great Fugue, op. 133"),
    Shelf(r"schumann_robert/opus41no1/.*\.mxl", "schumann-quartets", _SCHUMANN, UNSTATED, title="String Quartet, op. 41 no. 1"),
    Shelf(r"schumann_robert/opus48no2\.mxl", "single-works", _SCHUMANN, UNSTATED,
          title="Dichterliebe, op. 48 no. 2: Aus meinen Tränen sprießen"),
    Shelf(r"mozart/k545/.*\.mxl", "single-works", _MOZART, UNSTATED, title="Piano Sonata, K. 545: exposition of the first movement"),
    Shelf(r"handel/rinaldo/.*\.mxl", "single-works", (Creator("George Frideric Handel", born=1685, died=1759),), UNSTATED,
          title="Rinaldo: Lascia ch'io pianga"),
    Shelf(r"cpebach/h186\.mxl", "single-works", (Creator("Carl Philipp Emanuel Bach", born=1714, died=1788),), UNSTATED,
          title="Keyboard Sonata, H. 186"),
    Shelf(r"verdi/laDonnaEMobile\.mxl", "single-works", (Creator("Giuseppe Verdi", born=1813, died=1901),), UNSTATED,
          title="Rigoletto: La donna è mobile"),
    Shelf(r"schoenberg/opus19/.*\.mxl", "single-works", (Creator("Arnold Schoenberg", born=1874, died=1951),),
          "printed in 1913 by a composer who died in 1951; its encoder states no terms", title="Little Piano Piece, op. 19"),
    Shelf(r"weber/concertino_clarinet\.mxl", "single-works", (Creator("Carl Maria von Weber", born=1786, died=1826),),
          "the encoding is assigned to the public domain by its maker", "LicenseRef-public-domain",
          "Concertino for clarinet, op. 26"),
    Shelf(r"lusitano/allor_che_ignuda\.mxl", "single-works", (Creator("Vicente Lusitano"),),
          "the encoding is released as CC0 by its maker", "CC0-1.0", "Allor che ignuda"),
    Shelf(r"liliuokalani/aloha_oe\.mxl", "single-works", (Creator("Lili\N{MODIFIER LETTER TURNED COMMA}uokalani", born=1838, died=1917),),
          "published in 1884; the encoding is released as CC0 by its maker", "CC0-1.0", "Aloha \N{MODIFIER LETTER TURNED COMMA}Oe"),
    Shelf(r"johnson_j_r/lift_every_voice\.mxl", "single-works",
          (Creator("J. Rosamond Johnson", born=1873, died=1954), Creator("James Weldon Johnson", "lyricist", 1871, 1938)),
          "published in 1900; the encoding is released as CC0 by its maker", "CC0-1.0", "Lift Every Voice and Sing"),
)  # fmt: skip
"""Patterns in order; the first that fits a file's path decides."""

LEFT_OUT: tuple[tuple[str, str], ...] = (
    (r"essenFolksong/", "its licence text allows non-commercial distribution and use only"),
    (
        r"palestrina/",
        "the encoder's copyright: rights to all derivative electronic formats reserved",
    ),
    (
        r"bach/.*\.krn",
        "the encoder's copyright: rights to all derivative electronic formats reserved",
    ),
    (r"bach/bwv846", "taken from a site whose terms the file does not state"),
    (r"joplin/", "taken from a site whose terms the file does not state"),
    (r"josquin/", "the encoder's copyright, under the GNU General Public License"),
    (
        r"nottingham-dataset/",
        "tunes of unstated age and authors, in a database that states no terms",
    ),
    (r"miscFolk/americanfife", "its transcriber does not know where it comes from"),
    (r"(beach|ciconia|luca|webern)/", "it is under a share-alike licence"),
    (r"schumann_clara/(?!opus17)", "it is under a share-alike licence"),
    (r"schumann_clara/opus17|schubert/", "its rights statement claims copyright"),
    (r"leadSheet/berlin", "its rights statement reserves all rights"),
    (r"chopin/", "a Humdrum file: this format is not read"),
    (r"corelli/", "the encoder's copyright: a Creative Commons licence of no stated version"),
    (
        r"leadSheet/fosterBrownHair",
        "a lead sheet from a site that has closed; its arranger is not named",
    ),
    (r"monteverdi/madrigal\.3\.1_old", "an older state of monteverdi/madrigal.3.1.mxl"),
    (r"schumann_robert/dichterliebe_no2", "the same song as schumann_robert/opus48no2.mxl"),
    (r"demos/|theoryExercises/", "an exercise or demonstration, not a work"),
    (r".*\.(rntxt|krn)$", "an analysis or a format that is not read"),
)
"""Patterns in order, for what no shelf takes; what fits neither table stays out too."""

REFUSALS: tuple[tuple[str, str], ...] = (
    (r"(?i)all rights reserved", "its rights statement reserves all rights"),
    (r"(?i)cc.?by.?sa|cc.?sa.?by|share.?alike", "it is under a share-alike licence"),
    (r"(?i)ut ?orpheus|ed[il]z[i!]on", "a publisher's notice"),
    (r"(?i)edition by|copyright|©", "its rights statement claims copyright"),
)
"""Statements of rights that keep a file out, in order; read in the file itself."""

HARMLESS: tuple[str, ...] = (
    r"(?i)^pdf ?© ?200\d margaret greentree",
    r"(?i)public domain|cc0",
)
"""Statements that are no refusal: the first speaks of a PDF, the second gives the work away."""


def shelf_of(path: str) -> Shelf | None:
    """The shelf that takes a file, by its path below music21's corpus."""
    return next((shelf for shelf in TAKEN if re.fullmatch(shelf.pattern, path)), None)


def left_out_because(path: str) -> str:
    """Why a file that no shelf takes stays out."""
    for pattern, reason in LEFT_OUT:
        if re.match(pattern, path):
            return reason
    return "a single work whose terms were not settled"


def refused_because(notices: tuple[str, ...]) -> str:
    """Why a file's own statements of rights keep it out; empty where they do not."""
    if any(re.search(HARMLESS[1], notice) for notice in notices):
        return ""
    for pattern, reason in REFUSALS:
        for notice in notices:
            if re.search(pattern, notice) and not re.search(HARMLESS[0], notice):
                return f"{reason}: “{notice[:120]}”"
    return ""
