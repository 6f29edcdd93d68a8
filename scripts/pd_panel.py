"""The panel of the Pd patch: every button, box and light, by the name that it sends to.

A control NAME sends to NAME and is set by NAME-set.
"""

from scripts.pd_canvas import Canvas, label

WIDTH, HEIGHT = 664, 500
INK, PAPER, BOX, DARK = "#24303c", "#e9eef2", "#ffffff", "#2f4356"
GREEN, RED = "#2f9e44", "#e06050"
LIGHTS = (("grey", "#b4b4b4"), ("green", "#58b868"), ("amber", "#f0b040"), ("red", RED))
"""Word and colour of the overlap light, by its number."""


def button(main: Canvas, x: int, y: int, name: str, words: str, colour: str = BOX) -> None:
    """Bangs its name."""
    look = f"{label(words)} 27 10 0 12 {colour} {INK} {INK}"
    main.add("obj", x, y, f"bng 20 150 50 0 {name} {name}-set {look}")


def switch(main: Canvas, x: int, y: int, name: str, words: str) -> None:
    """Sends 0 or 1."""
    look = f"{label(words)} 27 10 0 12 {BOX} {GREEN} {INK}"
    main.add("obj", x, y, f"tgl 20 0 {name} {name}-set {look} 0 1")


def lamp(main: Canvas, x: int, y: int, name: str, words: str) -> None:
    """Shows 0 or 1."""
    look = f"{label(words)} 27 10 0 12 {PAPER} {GREEN} {INK}"
    main.add("obj", x, y, f"tgl 20 0 empty {name}-set {look} 0 1")


def number(
    main: Canvas, x: int, y: int, name: str, words: str, low: int, high: int, value: int
) -> None:
    """Sends a number, its first one when the patch opens."""
    look = f"{label(words)} 70 10 0 12 {BOX} {INK} {INK}"
    main.add("obj", x, y, f"nbx 5 20 {low} {high} 0 1 {name} {name}-set {look} {value} 256")


def shown(main: Canvas, x: int, y: int, name: str, words: str) -> None:
    """Shows a number."""
    look = f"{label(words)} 70 10 0 12 {PAPER} {INK} {INK}"
    main.add("obj", x, y, f"nbx 5 20 -1e+09 1e+09 0 0 empty {name}-set {look} 0 256")


def field(main: Canvas, x: int, y: int, width: int, height: int, words: str) -> None:
    """A coloured field with its title."""
    look = f"{label(words)} 10 14 0 14 {PAPER} {DARK} 0"
    main.add("obj", x, y, f"cnv 10 {width} {height} empty empty {look}")


def choice(main: Canvas, x: int, y: int, name: str, words: str) -> None:
    """Sends 0 or 1: one of two."""
    look = f"{label(words)} 48 10 0 12 {BOX} {INK} {INK}"
    main.add("obj", x, y, f"hradio 20 1 1 2 {name} {name}-set {look} 0")


def panel(main: Canvas) -> None:
    """What the user sees."""
    title = f"musai 14 23 0 24 {DARK} #ffffff 0"
    main.add("obj", 0, 0, f"cnv 15 {WIDTH} 46 empty empty {title}")
    words = f"{label('play two bars - it answers in notes and says what they are like')} 6 9 0 12"
    main.add("obj", 108, 16, f"cnv 15 540 20 empty empty {words} {DARK} #c8d4de 0")

    field(main, 10, 56, 200, 112, "1 server")
    number(main, 24, 82, "musai-port-box", "port", 1, 65535, 7733)
    button(main, 24, 110, "musai-connect", "connect")
    lamp(main, 24, 138, "musai-connected", "connected")

    field(main, 220, 56, 242, 112, "2 time")
    switch(main, 234, 82, "musai-play", "play")
    button(main, 346, 82, "musai-rewind", "to the start")
    number(main, 234, 110, "musai-tempo", "tempo", 20, 400, 120)
    number(main, 346, 110, "musai-beats", "a bar", 1, 16, 4)
    shown(main, 234, 138, "musai-bar", "bar")
    shown(main, 346, 138, "musai-beat", "beat")

    field(main, 472, 56, 182, 112, "what it is like")
    light = f"{label('not yet')} 14 20 0 16 #b4b4b4 #202020 0"
    main.add("obj", 486, 82, f"cnv 15 154 38 empty musai-light-box {light}")
    shown(main, 486, 138, "musai-run", "shared run")

    field(main, 10, 178, 300, 172, "3 jam")
    switch(main, 24, 204, "musai-jam", "jam")
    button(main, 110, 204, "musai-turn", "your turn")
    choice(main, 24, 232, "musai-style", "answer | play along")
    number(main, 24, 260, "musai-call", "bars that I play", 0, 64, 2)
    number(main, 24, 288, "musai-bars", "bars that it answers", 1, 64, 2)
    main.add("symbolatom", 24, 320, "16 0 0 0 - musai-word-set - 12")
    shown(main, 196, 318, "musai-take", "take")

    field(main, 320, 178, 182, 172, "its last take")
    for row, (name, said) in enumerate(
        (
            ("again", "once more"),
            ("vary", "again - different"),
            ("back", "the one before"),
            ("keep", "keep"),
            ("discard", "discard"),
        )
    ):
        button(main, 334, 204 + 28 * row, f"musai-{name}", said)

    field(main, 512, 178, 142, 172, "from nothing")
    number(main, 526, 204, "musai-length", "bars", 1, 64, 4)
    number(main, 526, 232, "musai-seed", "seed", 0, 999999, 1)
    button(main, 526, 260, "musai-ask-now", "ask")

    field(main, 10, 360, 644, 60, "MIDI out")
    number(main, 24, 388, "musai-channel", "channel - 0 by voice", 0, 16, 0)
    shown(main, 254, 388, "musai-on", "on")
    shown(main, 354, 388, "musai-off", "off")
    shown(main, 454, 388, "musai-late", "late")
    button(main, 574, 388, "musai-panic", "panic", RED)
    main.add("text", 10, 432, "The works:")
