"""Writes osc_bridge/clients/musai.pd: `python -m scripts.make_patch`.

The patch is one file of vanilla objects.  Its window is the panel; what works lies in subpatches,
one function each below.  They speak through names, so that other patches can drive them (pd.md
lists those that are meant for that).  Numbers that several need are values called musai_...;
ticks are 480 a quarter.
"""

from pathlib import Path

from scripts.pd_canvas import Canvas, Node, box, say, send, wire
from scripts.pd_panel import HEIGHT, LIGHTS, WIDTH, panel

PATCH = Path(__file__).parents[1] / "osc_bridge" / "clients" / "musai.pd"

SLOTS = 1024
"""Notes that the patch remembers."""
TAKES = 64
"""Takes whose commitments it remembers; take 0 is what was asked for outside a jam."""
TICKS_A_MS = "(musai_tempo * 0.008)"
LATEST = 30
"""Milliseconds after which a note is not played any more."""
NEVER = "1e+09"
BAR = "480 * musai_beats"


def new_id(bang: Node) -> Node:
    """The next id, at each bang."""
    number = bang.to("v musai_id").to("+ 1").to("t f f")
    number.at(1).to("v musai_id")
    return number.at(0)


def command(asked: Node, kinds: str, address: str, *values: str) -> None:
    """At each bang a command with a new id and these values."""
    packed = asked.canvas.obj("pack f " + "f " * len(values))
    asked.then(
        *(
            ("b", lambda node, at=place, name=value: node.to(f"v {name}").into(packed, at))
            for place, value in enumerate(values, 1)
        ),
        ("b", lambda node: new_id(node).into(packed)),
    )
    packed.to(f"oscformat -f i{kinds} musai {address}").send("musai-out")


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


def net() -> Canvas:
    """The socket, hello, who hears which reply, and what is told again and again."""
    c = Canvas("net", (100, 100, 1050, 480))
    c.column(20, "connect, then hello; short 1: no long strings")
    c.receive("musai-port-box").to("v musai_port")
    c.receive("musai-connect").to("v musai_port").send("musai-port")
    line = c.obj("netsend -u -b")
    c.receive("musai-port").then(
        ("b", say("0", "musai-connected-set")),
        ("b", lambda node: node.msg("disconnect").into(line)),
        ("f", lambda node: node.msg("connect 127.0.0.1 $1").into(line)),
    )
    c.receive("musai-out").into(line)
    hello = new_id(line.to("sel 1")).msg("$1 1 0 pd 1")
    hello.to("oscformat -f iiisi musai hello").send("musai-out")
    c.column(390, "what the server says: each to its name")
    names = ("welcome", "started", "note", "end", "overlap", "error", "decision", "jam", "silence")
    heard = line.at(1).to("oscparse").to("list trim").to("route musai")
    routed = heard.to(f"route {' '.join(names)}")
    routed.at(0).then(("b", say("1", "musai-connected-set")), ("b", send("musai-ready")))
    for outlet, name in enumerate(names[1:7], 1):
        routed.at(outlet).send(f"musai-{name}")
    routed.at(8).to("t b").send("musai-silence")
    told = ("take", "note", "commit", "clear", "overlap", "end", "state", "failed", "silence")
    inner = routed.at(7).to(f"route {' '.join(told)}")
    for outlet, name in enumerate(told[:-1]):
        inner.at(outlet).send(f"musai-jam-{name}")
    inner.at(8).to("t b").send("musai-silence")
    c.column(720, "the transport, at each change and each second")
    c.receive("musai-play").to("metro 1000").send("musai-tell")
    c.receive("musai-moved").send("musai-tell")
    c.receive("musai-tell").then(
        ("b", send("musai-calc")),
        ("b", lambda node: node.to("v musai_now").to("/ 480").to("v musai_quarter")),
        ("b", send("musai-transport")),
    )
    command(
        c.receive("musai-transport"), "ffi", "transport",
        "musai_tempo", "musai_quarter", "musai_playing",
    )  # fmt: skip
    return c


def jam() -> Canvas:
    """Joining, what the human plays, and the buttons of the takes."""
    c = Canvas("jam", (120, 120, 1150, 620))
    c.column(20, "join and leave; what changes in between is told")
    changed = c.obj("spigot")
    c.receive("musai-jam").then(
        ("f", wire(changed, 1)),
        ("f", box("v musai_jam")),
        ("b", send("musai-tell")),
        ("f", lambda node: node.to("sel 0 1").at(0).send("musai-leave")),
        ("f", lambda node: node.to("sel 0 1").at(1).send("musai-join")),
    )
    for name in ("style", "call", "bars"):
        c.receive(f"musai-{name}").then(("f", box(f"v musai_{name}")), ("b", wire(changed)))
    changed.send("musai-join")
    styles = c.receive("musai-join").to("v musai_style").to("sel 0 1")
    for outlet, style in enumerate(("answer", "accompany")):
        packed = c.obj("pack f f f")
        styles.at(outlet).then(
            ("b", lambda node, to=packed: node.to("v musai_bars").into(to, 2)),
            ("b", lambda node, to=packed: node.to("v musai_call").into(to, 1)),
            ("b", lambda node, to=packed: new_id(node).into(to)),
        )
        asked = packed.msg(f"$1 style {style} call $2 bars $3")
        asked.to("oscformat -f isssisi musai jam").send("musai-out")
    c.column(420, "what the human plays, or a list of pitch and velocity to musai-human")
    gate = c.obj("spigot")
    c.receive("musai-jam").into(gate, 1)
    keys, pair = c.obj("notein"), c.obj("pack f f")
    keys.at(1).into(pair, 1)
    keys.at(0).into(pair)
    pair.into(gate)
    c.receive("musai-human").into(gate)
    parts = gate.to("unpack f f")
    packs = c.obj("pack f f f"), c.obj("pack f f")
    kind = c.obj("sel 0")
    parts.at(1).then(("f", wire(packs[0], 2)), ("f", box("v musai_velocity")))
    parts.at(0).then(
        ("f", wire(packs[0], 1)),
        ("f", wire(packs[1], 1)),
        ("b", lambda node: node.to("v musai_velocity").into(kind)),
    )
    new_id(kind.at(1).to("t b")).into(packs[0])
    new_id(kind.at(0)).into(packs[1])
    packs[0].to("oscformat -f iii musai jam on").send("musai-out")
    packs[1].to("oscformat -f ii musai jam off").send("musai-out")
    c.column(780, "buttons")
    for name in ("turn", "again", "vary", "back", "keep", "discard", "leave"):
        command(c.receive(f"musai-{name}"), "", f"jam {name}")
    panic = c.receive("musai-panic")
    command(panic, "", "panic")
    panic.to("t b").send("musai-silence")
    return c


def ask() -> Canvas:
    """A phrase from nothing, outside a jam: its notes start on a bar line."""
    c = Canvas("ask", (140, 140, 1000, 420))
    c.column(20, "musai-ask takes a list: bars seed tempo")
    words = c.receive("musai-ask").to("unpack f f f")
    for outlet, name in ((2, "tempo"), (1, "seed"), (0, "length")):
        words.at(outlet).send(f"musai-{name}-set")
    words.at(0).to("t b").send("musai-ask-now")
    c.receive("musai-length").to("v musai_length")
    c.receive("musai-seed").to("v musai_seed")
    packed = c.obj("pack f f f f")
    c.receive("musai-ask-now").then(
        ("b", lambda node: node.to("v musai_tempo").into(packed, 3)),
        ("b", lambda node: node.to("v musai_seed").into(packed, 2)),
        ("b", lambda node: node.to("v musai_length").into(packed, 1)),
        ("b", lambda node: new_id(node).into(packed)),
    )
    asked = packed.msg("$1 bars $2 seed $3 tempo $4")
    asked.to("oscformat -f isisisf musai generate").send("musai-out")
    c.column(350, "a stopped transport starts with the phrase")
    c.receive("musai-started").then(
        ("b", lambda node: node.to("v musai_playing").to("sel 0").send("musai-begin")),
        ("b", send("musai-calc")),
        ("b", lambda node: node.to(f"expr (int(musai_now / ({BAR})) + 1) * {BAR}").to("v musai_start")),
        ("b", lambda node: node.to("v musai_start").msg("0 0 $1").send("musai-jam-clear")),
        ("b", say(f"0 0 {NEVER}", "musai-jam-commit")),
    )  # fmt: skip
    c.receive("musai-begin").then(
        ("b", lambda node: node.to(f"expr {BAR} - 96").send("musai-locate")),
        ("b", say("1", "musai-play-set")),
    )
    c.column(680, "id index onset duration pitch velocity voice")
    told, stored = c.receive("musai-note").to("unpack f f f f f f f"), c.obj("pack f f f f f f")
    for outlet in (6, 5, 4, 3):
        told.at(outlet).into(stored, outlet - 1)
    at = told.at(2).to("expr $f1 + musai_start")
    at.then(("f", wire(stored, 1)), ("b", lambda node: node.msg("0").into(stored)))
    stored.send("musai-store")
    return c


COLUMNS = ("take", "at", "dur", "pitch", "vel", "voice")


def hold() -> Canvas:
    """Notes told ahead, in slots: when a new one comes the oldest goes."""
    c = Canvas("hold", (150, 150, 1100, 620))
    c.column(20, "a slot is live until it is played, cleared or late")
    for name in (*COLUMNS, "live"):
        c.obj(f"table musai-q-{name} {SLOTS}")
    c.obj(f"table musai-until {TAKES}")
    c.column(300, "a jam tells: id take index at duration pitch velocity voice")
    told, row = c.receive("musai-jam-note").to("unpack f f f f f f f f"), c.obj("pack f f f f f f")
    for outlet in (7, 6, 5, 4, 3):
        told.at(outlet).into(row, outlet - 2)
    told.at(1).into(row)
    # The take would go before the rest: it waits for the place.
    c.wires.pop()
    told.at(1).then(("f", wire(row)))
    row.send("musai-store")
    c.receive("musai-store").then(
        ("b", lambda node: node.to("v musai_slot").to("+ 1").to(f"mod {SLOTS}").to("v musai_slot")),
        ("l", send("musai-fields")),
        ("b", lambda node: node.to("v musai_slot").send("musai-live")),
        ("b", lambda node: node.to("v musai_slot").send("musai-schedule")),
    )
    fields = c.receive("musai-fields").then(
        ("b", lambda node: node.to("v musai_slot").send("musai-index")), ("l", send("musai-row"))
    )
    assert fields is None
    parts, index = c.receive("musai-row").to("unpack f f f f f f"), c.receive("musai-index")
    for outlet, name in enumerate(COLUMNS):
        index.into(parts.at(outlet).to(f"tabwrite musai-q-{name}"), 1)
    c.column(720, "life and death of a slot")
    for name, value in (("musai-live", "1"), ("musai-dead", "0")):
        live = c.obj("tabwrite musai-q-live")
        c.receive(name).then(
            ("f", wire(live, 1)),
            ("b", lambda node, to=live, said=value: node.msg(said).into(to)),
        )
    c.column(720)
    c.y = 260
    write = c.obj("tabwrite musai-until")
    until = c.obj("f")
    commit = c.receive("musai-jam-commit").to("unpack f f f")
    commit.at(2).into(until, 1)
    commit.at(1).to(f"mod {TAKES}").then(("f", wire(write, 1)), ("b", wire(until)))
    until.into(write)
    clear = c.receive("musai-jam-clear").to("unpack f f f")
    clear.at(2).to("v musai_since")
    clear.at(1).then(("f", box("v musai_which")), ("b", send("musai-drop")))
    return c


def each_slot(c: Canvas, start: Node) -> Node:
    """The number of each slot, at a bang."""
    count = c.obj("f")
    start.then(
        ("b", lambda node: node.msg("0").into(count, 1)),
        ("b", lambda node: node.msg(str(SLOTS)).to("until").into(count)),
    )
    number = count.to("t f f")
    number.at(1).to("+ 1").into(count, 1)
    return number.at(0)


def plan() -> Canvas:
    """When slots are due; what is taken back."""
    c = Canvas("plan", (160, 160, 1150, 520))
    c.column(20, "in how many milliseconds is a slot's tick?")
    wait, soon = c.obj("pipe 0 1"), c.obj("spigot")
    c.receive("musai-forget").msg("clear").into(wait)
    delay = c.obj("tabread musai-q-at")
    c.receive("musai-schedule").then(
        ("f", box("v musai_this")),
        ("b", send("musai-calc")),
        ("f", wire(delay)),
        ("f", wire(soon)),
    )
    formula = f"expr if(musai_playing > 0, ($f1 - musai_now) / {TICKS_A_MS}, {NEVER})"
    delay.to(formula).then(
        ("f", lambda node: node.to(f"expr $f1 >= -{LATEST} && $f1 < {NEVER}").into(soon, 1)),
        ("f", lambda node: node.to("max 0").into(wait, 1)),
        ("f", lambda node: node.to(f"moses -{LATEST}").to("t b").send("musai-missed")),
    )
    soon.into(wait)
    wait.send("musai-due")
    c.receive("musai-missed").then(
        ("b", lambda node: node.to("v musai_this").send("musai-dead")),
        ("b", lambda node: node.to("v musai_late").to("+ 1").to("v musai_late")),
        ("b", lambda node: node.to("v musai_late").send("musai-late-set")),
    )
    c.column(440, "a stop, a new place or tempo: every wait is made anew")
    c.receive("musai-moved").then(
        ("b", send("musai-forget")),
        ("b", lambda node: node.to("v musai_playing").to("sel 0").send("musai-silence")),
        ("b", lambda node: node.to("v musai_playing").to("sel 1").send("musai-each")),
    )
    living = c.obj("spigot")
    each_slot(c, c.receive("musai-each")).then(
        ("f", lambda node: node.to("tabread musai-q-live").into(living, 1)), ("f", wire(living))
    )
    living.send("musai-schedule")
    c.column(800, "taken back: that take, from that tick on")
    dying = c.obj("spigot")
    each_slot(c, c.receive("musai-drop")).then(
        ("f", lambda node: node.to("tabread musai-q-take").to("v musai_its_take")),
        ("f", lambda node: node.to("tabread musai-q-at").to(
            "expr $f1 >= musai_since && musai_its_take == musai_which").into(dying, 1)),
        ("f", wire(dying)),
    )  # fmt: skip
    dying.send("musai-dead")
    return c


def play() -> Canvas:
    """A slot that is due sounds, if it lives and its take is committed so far."""
    c = Canvas("play", (170, 170, 1100, 560))
    c.column(20, "due")
    gate = c.obj("spigot")
    c.receive("musai-due").then(
        ("f", lambda node: node.to("tabread musai-q-take").to(f"mod {TAKES}").to(
            "tabread musai-until").to("v musai_until")),
        ("f", lambda node: node.to("tabread musai-q-at").to("v musai_at")),
        ("f", lambda node: node.to("tabread musai-q-live").to(
            "expr $f1 > 0 && musai_at < musai_until && musai_playing > 0").into(gate, 1)),
        ("f", wire(gate)),
    )  # fmt: skip
    gate.send("musai-sound")
    c.column(440, "makenote releases it; the channel rides on the pitch")
    note = c.obj("makenote 64 100")
    c.receive("musai-silence").msg("stop").into(note)
    c.receive("musai-channel").to("v musai_channel")
    by_voice = "expr if(musai_channel > 0, musai_channel - 1, int($f1) % 16)"
    c.receive("musai-sound").then(
        ("f", send("musai-dead")),
        ("f", lambda node: node.to("tabread musai-q-dur").to(f"expr $f1 / {TICKS_A_MS}").into(note, 2)),
        ("f", lambda node: node.to("tabread musai-q-vel").into(note, 1)),
        ("f", lambda node: node.to("tabread musai-q-voice").to(by_voice).to("v musai_line")),
        ("f", lambda node: node.to("tabread musai-q-pitch").to("expr $f1 + 128 * musai_line").into(note)),
    )  # fmt: skip
    c.column(800, "to MIDI, and as pitch velocity channel to musai-midi")
    out, port = c.obj("pack f f f"), c.obj("noteout")
    note.at(1).into(out, 1)
    note.at(0).then(
        ("f", lambda node: node.to("expr int($f1 / 128) + 1").into(out, 2)),
        ("f", lambda node: node.to("expr int($f1) % 128").into(out)),
    )
    out.send("musai-midi")
    last = c.receive("musai-midi").to("unpack f f f")
    for outlet in (2, 1, 0):
        last.at(outlet).into(port, outlet)
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
