"""The General MIDI program that a voice's name means, for files that name voices and set no program.

Scores call a line "Violine I" or "Singstimme" and leave the sound to the reader.  Words are
known in English, German, French, Italian and Spanish, whatever their accents and numbers.
"""

import re
import unicodedata
from itertools import chain, pairwise
from typing import Final

_WORDS: Final = {
    0: "piano pianos pianoforte klavier flugel pf pno hammerklavier fortepiano",
    6: "harpsichord cembalo clavecin clavicembalo clave",
    8: "celesta celeste",
    9: "glockenspiel glocken carillon",
    11: "vibraphone vibraphon vibrafono",
    12: "marimba",
    13: "xylophone xylophon xilofono",
    14: "bells campanas campane cloches",
    19: "organ orgel orgue organo pedals",
    20: "harmonium",
    21: "accordion akkordeon accordeon acordeon fisarmonica",
    23: "bandoneon",
    24: "lute laute luth laud liuto guitar guitars gitarre gitarren guitare guitarre guitarra chitarra",
    40: "violin violins violino violini violine violinen violon violons violines geige geigen fiddle vln vl vn",
    41: "viola violas viole violen bratsche bratschen vla",
    42: (
        "cello cellos celli violoncello violoncelli violoncelle violoncelles violoncell vc vcl "
        "violonchelo violonchelos"
    ),
    43: "contrabass kontrabass contrabasso contrabassi contrebasse contrebasses contrabajo contrabajos violone",
    46: "harp harps harfe harfen harpe harpes arpa arpe arpas",
    47: "timpani timpano pauken pauke timbales timbal",
    48: "strings streicher archi cuerdas cordes",
    52: (
        "voice voices vocals singstimme singstimmen stimme stimmen gesang chant canto voix voz voces voce "
        "soprano sopranos sopran soprani mezzosoprano mezzo contralto alto alt tenor tenore tenors tenores "
        "baritone bariton baryton baritono choir chorus chor choeur coro"
    ),
    56: "trumpet trumpets trompete trompeten trompette trompettes tromba trombe trompeta trompetas tpt",
    57: "trombone trombones tromboni posaune posaunen trombon",
    58: "tuba tubas",
    60: "horn horns horner corno corni cor cors trompa trompas waldhorn",
    61: "brass blechblaser",
    65: "saxophone saxophon saxofon sax",
    68: "oboe oboes oboen oboi hautbois",
    70: "bassoon bassoons fagott fagotte fagotto fagotti fagot fagotes basson bassons",
    71: (
        "clarinet clarinets clarinetto clarinetti clarinette clarinettes klarinette klarinetten clarinete "
        "clarinetes"
    ),
    72: "piccolo flautin ottavino",
    73: "flute flutes flote floten flauto flauti flauta flautas traverso",
    74: "recorder blockflote",
    81: "synth lead",
    89: "pad pads",
}  # fmt: skip

_PAIRS: Final = {
    ("double", "bass"): 43,
    ("english", "horn"): 69,
    ("corno", "inglese"): 69,
    ("corno", "ingles"): 69,
    ("cor", "anglais"): 69,
    ("bass", "guitar"): 33,
    ("electric", "guitar"): 27,
    ("electric", "piano"): 4,
    ("bass", "voice"): 52,
}

_WEAK: Final = {"bass": 33, "bajo": 33, "basse": 33, "basso": 43, "bajos": 43, "baixo": 33}
"""Of an instrument where nothing else is named: a "bass clarinet" is a clarinet."""

_STRUCK: Final = frozenset(
    ["drum", "drums", "cymbal", "cymbals", "snare", "tom", "hat", "hi", "kick", "trommel", "bombo"]
)
_OF: Final = {word: program for program, words in _WORDS.items() for word in words.split()}


def program_of(name: str) -> int | None:
    """The program, 0 to 127; None where the name says none.

    >>> [program_of(name) for name in ("Violine II", "Clarinete Bajo", "E-Bass", "Bass Drum 1")]
    [40, 71, 33, None]
    """
    plain = unicodedata.normalize("NFKD", name.casefold())
    words = re.findall(r"[a-z]+", "".join(c for c in plain if not unicodedata.combining(c)))
    if _STRUCK.intersection(words):
        return None
    pairs = (_PAIRS[pair] for pair in pairwise(words) if pair in _PAIRS)
    strong = (_OF[word] for word in words if word in _OF)
    weak = (_WEAK[word] for word in words if word in _WEAK)
    return next(chain(pairs, strong, weak), None)
