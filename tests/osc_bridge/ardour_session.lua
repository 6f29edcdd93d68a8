-- Ardour without a screen: makes a session, plays a motif into it, runs the shipped script.
--
-- Run by tests: ardour7-lua ardour_session.lua SCRIPT FOLDER CASE, where CASE is "region", "range"
-- or "nothing".  What is stood in for is the screen alone: what is selected, and the dialogs'
-- answers.  Says what it finds on lines that begin with a word in capitals.

io.stdout:setvbuf ("no")
local script, folder, case = arg[1], arg[2], arg[3]

AudioEngine:set_backend ("None (Dummy)", "", "")
Session = assert (create_session (folder .. "/session", "session", 48000))
local UI = ARDOUR.TransportRequestSource.TRS_UI
local one = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
local made = Session:new_midi_track (one, one, true, ARDOUR.PluginInfo (), nil, nil, 1, "Motif",
	ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
local track
for each in made:iter () do track = each:to_track () end
local playlist = track:playlist ()

local function wait_until (what, happened)
	for _ = 1, 1000 do
		if happened () then return end
		ARDOUR.LuaAPI.usleep (20000)
	end
	print ("ERROR waited in vain until " .. what)
	os.exit (1)
end

local function keyboard ()
	local _, ports = Session:engine ():get_ports (ARDOUR.DataType ("midi"), ARDOUR.PortList ())
	for port in ports[2]:iter () do
		if port:name () == "x-virtual-keyboard" then return port:to_asyncmidiport () end
	end
end

-- A take recorded from Ardour's own keyboard, while the transport rolls.
local function record ()
	local keys, parser = keyboard (), ARDOUR.RawMidiParser ()
	local function send (bytes)
		for _, byte in ipairs (bytes) do
			if parser:process_byte (byte) then keys:write (parser:midi_buffer (), parser:buffer_size (), 0) end
		end
	end
	track:input ():nth (0):connect ("x-virtual-keyboard")
	track:rec_enable_control ():set_value (1, PBD.GroupControlDisposition.NoGroup)
	Session:maybe_enable_record (false)
	Session:request_roll (UI)
	wait_until ("it records", function () return Session:actively_recording () and Session:transport_sample () > 0 end)
	send { 0xb0, 64, 127 }
	send { 0x90, 60, 100 }
	local before = Session:transport_sample ()
	wait_until ("the transport has rolled on", function () return Session:transport_sample () > before + 4800 end)
	send { 0x80, 60, 0 }
	send { 0xb0, 64, 0 }
	before = Session:transport_sample ()
	wait_until ("the transport has rolled on", function () return Session:transport_sample () > before + 4800 end)
	Session:request_stop (false, false, UI)
	wait_until ("the take is there", function () return playlist:n_regions () == 1 and Session:transport_stopped () end)
	track:rec_enable_control ():set_value (0, PBD.GroupControlDisposition.NoGroup)
	for region in playlist:region_list ():iter () do return region end
end

local function ticks (n) return Temporal.timecnt_t.from_ticks (n, Temporal.timepos_t (0)) end

-- The take's notes are not what the test wants: its own motif, a bar and a half of quarters.
local function rewrite (region)
	local model = region:to_midiregion ():model ()
	local change = model:new_note_diff_command ("motif")
	for note in ARDOUR.LuaAPI.note_list (model):iter () do change:remove (note) end
	for i, pitch in ipairs { 60, 64, 67, 72, 71, 127 } do
		change:add (ARDOUR.LuaAPI.new_noteptr (0, Temporal.Beats (i - 1, 0), Temporal.Beats (0, 1440), pitch, 60 + i))
	end
	model:apply_command (Session, change)
	region:set_length (ticks (6 * 1920))
	region:set_position (Temporal.timepos_t.from_ticks (4 * 1920))
end

local region = record ()
rewrite (region)

local function list_of (...)
	local items = { ... }
	return function ()
		local i = 0
		return function ()
			i = i + 1
			return items[i]
		end
	end
end

local function selection ()
	local regions, first, last = list_of (), 0, 0
	if case == "region" then regions = list_of (region) end
	if case == "range" then first, last = 4 * 1920, 6 * 1920 end
	local function at (n) return function () return Temporal.timepos_t.from_ticks (n) end end
	return {
		regions = { regionlist = function () return { iter = regions } end },
		tracks = { routelist = function () return { iter = list_of (track) } end },
		time = { start_time = at (first), end_time = at (last) },
	}
end

Editor = { get_selection = selection }
LuaDialog = {
	MessageType = { Error = "Error", Warning = "Warning" },
	ButtonType = { Close = "Close" },
	Message = function (title, text, kind)
		return { run = function () print ("MESSAGE " .. kind .. " " .. text:gsub ("%s+", " ")) end }
	end,
	Dialog = function (title, fields)
		return { run = function ()
			local chosen = {}
			for _, field in ipairs (fields) do
				chosen[field.key] = field.values and field.values[field.default] or field.default
			end
			chosen.bars, chosen.seed = 2, 7
			return chosen
		end }
	end,
}
function ardour (description) print ("SCRIPT " .. description.type) end

assert (loadfile (script)) ()
local exit, dump = os.exit, string.dump
-- With a screen Ardour keeps the function alone, without names, and takes these away.
local kept = assert (load (dump (factory, true)))
dofile, require, package, debug, rawget, rawset, coroutine = nil
os.exit, os.setlocale = nil
Session:request_roll (UI)                              -- a jam does not stop for it
wait_until ("it rolls", function () return Session:transport_rolling () end)
local before = playlist:n_regions ()
kept () ()
os.exit = exit
print ("ROLLING " .. tostring (Session:transport_rolling ()))
Session:request_stop (false, false, UI)
wait_until ("it stands", function () return Session:transport_stopped () end)

local exported = 0
for route in Session:get_tracks ():iter () do
	for found in route:to_track ():playlist ():region_list ():iter () do
		if found:name ():match ("^musai") then
			exported = exported + 1
			found:to_midiregion ():do_export (folder .. "/exported.mid")
			print (string.format ("REGION %s|%s|%d|%d", route:name (), found:name (),
				found:position ():ticks (), found:length ():ticks ()))
		end
	end
end
print ("REGIONS " .. exported)
Session:save_state ("")
close_session ()
quit ()
