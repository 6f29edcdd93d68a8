"""How the Pd patch keeps notes that were told ahead, and plays them at their beat."""

from scripts.pd_canvas import Canvas, Node, box, send, wire
from scripts.pd_talk import NEVER

SLOTS = 1024
"""Notes that the patch remembers."""
TAKES = 64
"""Takes whose commitments it remembers; take 0 is what was asked for outside a jam."""
TICKS_A_MS = "(musai_tempo * 0.008)"
LATEST = 30
"""Milliseconds after which a note is not played any more."""
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
    c.receive("musai-fields").then(
        ("b", lambda node: node.to("v musai_slot").send("musai-index")), ("l", send("musai-row"))
    )
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
