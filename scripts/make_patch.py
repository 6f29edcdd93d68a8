"""Writes osc_bridge/clients/musai.pd: `python -m scripts.make_patch`.

The patch is one file of vanilla objects.  Its window is the panel; what works lies in subpatches,
one function each, here, in `pd_talk` and in `pd_notes`.  They speak through names, so that other
patches can drive them (pd.md lists those that are meant for that).  Numbers that several need are
values called musai_...; ticks are 480 a quarter.
"""

from pathlib import Path

from scripts.pd_canvas import Canvas, box, say, send, wire
from scripts.pd_notes import TICKS_A_MS, hold, plan, play
from scripts.pd_panel import HEIGHT, LIGHTS, WIDTH, panel
from scripts.pd_talk import BAR, ask, jam, net

PATCH = Path(__file__).parents[1] / "osc_bridge" / "clients" / "musai.pd"


def time() -> Canvas:
    """Where the beat is: a place in ticks that was true once, and a timer since then."""
    c = Canvas("time", (80, 80, 1000, 480))
    c.column(20, "musai-calc sets musai_now; musai-hold starts from it")
    timer = c.obj("timer")
    c.receive("musai-zero").into(timer)
    c.receive("musai-calc").into(timer, 1)
    timer.to(f"expr musai_base + musai_playing * $f1 * {TICKS_A_MS}").to("v musai_now")
    c.receive("musai-hold").then(
        ("b", send("musai-calc")),
        ("b", lambda node: node.to("v musai_now").to("v musai_base")),
        ("b", send("musai-zero")),
    )
    c.column(370, "a new tempo, a new place, play and stop")
    for name, value, legal in (
        ("musai-tempo", "musai_tempo", "clip 20 400"),
        ("musai-locate", "musai_base", "clip 0 1.6e+07"),
        ("musai-play", "musai_playing", "> 0"),
    ):
        c.receive(name).to(legal).then(
            ("b", send("musai-hold")), ("f", box(f"v {value}")), ("b", send("musai-moved"))
        )
    c.receive("musai-beats").to("max 1").to("v musai_beats")
    c.receive("musai-rewind").msg("0").send("musai-locate")
    c.column(680, "bar and beat, to look at")
    metro = c.receive("musai-play").to("metro 50")
    metro.then(("b", send("musai-calc")), ("b", send("musai-look")))
    place = c.receive("musai-look").to("v musai_now").to("t f f")
    place.at(1).to(f"expr int($f1 / ({BAR})) + 1").send("musai-bar-set")
    place.at(0).to("expr int($f1 / 480) % int(musai_beats) + 1").send("musai-beat-set")
    return c


def host() -> Canvas:
    """In plugdata: the transport of the DAW, which comes again and again."""
    c = Canvas("host", (90, 90, 520, 420))
    c.column(20, "playhead in plugdata to 0.7, __playhead after it")
    routed = c.obj("route playing bpm position")
    for name in ("playhead", "__playhead"):
        c.receive(name).into(routed)
    for outlet, name in enumerate(("musai-play", "musai-tempo")):
        routed.at(outlet).to("unpack f").to("change -1").then(
            ("f", lambda node, to=name: node.msg("set $1").send(f"{to}-set")), ("f", send(name))
        )
    gate = c.obj("spigot")
    routed.at(2).to("unpack f f f").to("* 480").then(
        ("b", send("musai-calc")),
        ("f", lambda node: node.to("expr abs($f1 - musai_now) > 60").into(gate, 1)),
        ("f", wire(gate)),
    )
    gate.send("musai-locate")
    return c


def show() -> Canvas:
    """Counts, the light, the state in a word."""
    c = Canvas("show", (200, 200, 900, 520))
    c.column(20, "the light: its word and its number, 0 grey to 3 red")
    heard = (
        (c.receive("musai-overlap").to("unpack f s f f f"), 2),
        (c.receive("musai-jam-overlap").to("unpack f f s f f f"), 3),
    )
    for parts, first in heard:
        parts.at(first + 2).send("musai-run-set")
        parts.at(first).send("musai-light")
    chosen = c.receive("musai-light").to("sel 0 1 2 3")
    for outlet, (word, colour) in enumerate(LIGHTS):
        chosen.at(outlet).then(
            ("b", say(f"color {colour} #202020", "musai-light-box")),
            ("b", say(f"label {word}", "musai-light-box")),
        )
    c.column(460, "counts and words")
    kinds = c.receive("musai-midi").to("unpack f f f").at(1).to("sel 0")
    for outlet, name in enumerate(("off", "on")):
        count = kinds.at(outlet).to("t b").to(f"v musai_{name}").to("+ 1").to("t f f")
        count.at(1).to(f"v musai_{name}")
        count.at(0).send(f"musai-{name}-set")
    c.receive("musai-jam-take").to("unpack f f").at(1).send("musai-take-set")
    c.receive("musai-jam-state").to("unpack f s").at(1).send("musai-word-set")
    c.receive("musai-jam-failed").to("unpack f f s").at(2).send("musai-word-set")
    c.receive("musai-error").to("unpack f s").at(1).send("musai-word-set")
    return c


def patch() -> str:
    """The whole file."""
    main = Canvas("", (60, 60, WIDTH + 26, HEIGHT))
    panel(main)
    for place, part in enumerate((time, host, net, jam, ask, hold, plan, play, show)):
        main.sub(part(), 118 + 60 * place, 432)
    return "\n".join(main.body()) + "\n"


if __name__ == "__main__":
    PATCH.write_text(patch(), encoding="utf-8")
