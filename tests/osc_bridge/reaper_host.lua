-- What the REAPER script sees of REAPER: its functions by their real names, with the types of their
-- arguments and results as its ReaScript documentation gives them, over a small project in memory.
-- Any other name, or an argument of another type, is an error.  ExecProcess runs the command for real.
--
-- lua5.4 reaper_host.lua SCRIPT CASE: "items", "range", "nothing", "full", "empty", "words", "cancel".
-- 3/4 at 96 quarters a minute; the motif lies in bar 2, from its second quarter on, at 960 a quarter.

local script, case = arg[1], arg[2]
local TEMPO, BAR, PPQ = 96, 3, 960

local function item (from, to, notes)
	local take = { kind = "MediaItem_Take", notes = {}, name = "" }
	local made = { kind = "MediaItem", from = from, to = to, take = take, selected = false }
	take.item = made
	for _, n in ipairs (notes) do
		take.notes[#take.notes + 1] = { muted = n.muted or false, start = n[1] * PPQ, stop = n[2] * PPQ, pitch = n[3], velocity = n[4], channel = 0 }
	end
	return made
end

local motif = item (4, 9, { { 0, 0.5, 60, 61 }, { 1, 1.75, 64, 62 }, { 2, 3, 67, 63 }, { 2, 3, 1, 9, muted = true }, { 4, 6, 72, 127 } })
local audio = item (4, 9, {})
audio.take = nil
local tracks = { { kind = "MediaTrack", name = "Klavier  links", items = { motif } }, { kind = "MediaTrack", name = "Chor", items = { audio } } }
motif.track, audio.track = tracks[1], tracks[2]
motif.selected = case ~= "range" and case ~= "nothing"
audio.selected = motif.selected
if case == "full" then
	local other = item (9, 30, {})
	other.track = tracks[1]
	table.insert (tracks[1].items, other)
end
if case == "empty" then motif.take.notes = {} end

local function all_items ()
	local found = {}
	for _, track in ipairs (tracks) do
		for _, one in ipairs (track.items) do found[#found + 1] = one end
	end
	return found
end

local function selected_items ()
	local found = {}
	for _, one in ipairs (all_items ()) do
		if one.selected then found[#found + 1] = one end
	end
	return found
end

local function command_of (line)
	-- A shell stands in for ExecProcess's own splitting: what is inside double quotes stays as it is.
	return (line:gsub ("[$`\\]", "\\%0"))
end

-- name = { types of arguments, types of results, what it does }
local API = {
	TimeMap2_timeToQN = { "project number", "number", function (_, t) return t * TEMPO / 60 end },
	TimeMap2_QNToTime = { "project number", "number", function (_, qn) return qn * 60 / TEMPO end },
	TimeMap_QNToMeasures = { "project number", "number number number", function (_, qn)
		local bar = math.floor (qn / BAR)
		return bar, bar * BAR + 0.0, (bar + 1) * BAR + 0.0
	end },
	TimeMap_GetTimeSigAtTime = { "project number", "number number number", function () return 3, 4, TEMPO + 0.0 end },
	CountSelectedMediaItems = { "project", "number", function () return #selected_items () end },
	GetSelectedMediaItem = { "project number", "MediaItem", function (_, i) return selected_items ()[i + 1] end },
	CountMediaItems = { "project", "number", function () return #all_items () end },
	GetMediaItem = { "project number", "MediaItem", function (_, i) return all_items ()[i + 1] end },
	GetActiveTake = { "MediaItem", "MediaItem_Take|nil", function (one) return one.take end },
	TakeIsMIDI = { "MediaItem_Take", "boolean", function () return true end },
	GetMediaItem_Track = { "MediaItem", "MediaTrack", function (one) return one.track end },
	GetMediaItemInfo_Value = { "MediaItem string", "number", function (one, name)
		if name == "D_POSITION" then return one.from * 60 / TEMPO end
		if name == "D_LENGTH" then return (one.to - one.from) * 60 / TEMPO end
		error ("no item info " .. name)
	end },
	GetTrackName = { "MediaTrack", "boolean string", function (track) return true, track.name end },
	CountTrackMediaItems = { "MediaTrack", "number", function (track) return #track.items end },
	GetTrackMediaItem = { "MediaTrack number", "MediaItem", function (track, i) return track.items[i + 1] end },
	CountTracks = { "project", "number", function () return #tracks end },
	GetTrack = { "project number", "MediaTrack", function (_, i) return tracks[i + 1] end },
	GetSelectedTrack = { "project number", "MediaTrack|nil", function () return case == "nothing" and tracks[2] or nil end },
	InsertTrackAtIndex = { "number boolean", "", function (i) table.insert (tracks, i + 1, { kind = "MediaTrack", name = "Track", items = {} }) end },
	GetSetMediaTrackInfo_String = { "MediaTrack string string boolean", "boolean string", function (track, name, value, set)
		assert (name == "P_NAME" and set)
		track.name = value
		return true, value
	end },
	GetSet_LoopTimeRange = { "boolean boolean number number boolean", "number number", function (set)
		assert (not set)
		if case == "range" then return 3 * 60 / TEMPO, 6 * 60 / TEMPO end
		return 0.0, 0.0
	end },
	GetCursorPosition = { "", "number", function () return 7.5 * 60 / TEMPO end },
	MIDI_CountEvts = { "MediaItem_Take", "number number number number", function (take) return #take.notes, #take.notes, 0, 0 end },
	MIDI_GetNote = { "MediaItem_Take number", "boolean boolean boolean number number number number number", function (take, i)
		local n = take.notes[i + 1]
		return true, false, n.muted, n.start + 0.0, n.stop + 0.0, n.channel, n.pitch, n.velocity
	end },
	MIDI_GetProjQNFromPPQPos = { "MediaItem_Take number", "number", function (take, ppq) return take.item.from + ppq / PPQ end },
	MIDI_GetPPQPosFromProjQN = { "MediaItem_Take number", "number", function (take, qn) return (qn - take.item.from) * PPQ end },
	CreateNewMIDIItemInProj = { "MediaTrack number number boolean", "MediaItem", function (track, from, to, in_quarters)
		assert (not in_quarters)
		local made = item (from * TEMPO / 60, to * TEMPO / 60, {})
		made.track = track
		table.insert (track.items, made)
		print (string.format ("ITEM %s|%.6f|%.6f", track.name, made.from, made.to))
		return made
	end },
	GetSetMediaItemTakeInfo_String = { "MediaItem_Take string string boolean", "boolean string", function (take, name, value, set)
		assert (name == "P_NAME" and set)
		print ("NAME " .. value)
		return true, value
	end },
	MIDI_InsertNote = { "MediaItem_Take boolean boolean number number number number number boolean|nil", "boolean",
		function (_, _, _, start, stop, channel, pitch, velocity)
			print (string.format ("NOTE %.6f %.6f %d %d %d", start / 2, (stop - start) / 2, pitch, velocity, channel))
			return true
		end },
	MIDI_Sort = { "MediaItem_Take", "", function () print ("SORTED") end },
	Undo_BeginBlock2 = { "project", "", function () print ("UNDO begin") end },
	Undo_EndBlock2 = { "project string number", "", function (_, name) print ("UNDO end " .. name) end },
	UpdateArrange = { "", "", function () end },
	ShowMessageBox = { "string string number", "number", function (text) print ("MESSAGE " .. text:gsub ("%s+", " ")) return 1 end },
	GetUserInputs = { "string number string string", "boolean string", function (_, count, captions, values)
		local _, commas = captions:gsub (",", "")
		assert (commas == count - 1)
		if case == "cancel" then return false, values end
		if case == "words" then return true, "two,7,0.9,answer" end
		return true, (values:gsub ("^4,0,", "2,7,"))
	end },
	ExecProcess = { "string number", "string", function (line, limit)
		assert (limit > 0)
		print ("RUNS " .. line)
		local pipe = io.popen (command_of (line) .. " 2>&1")
		local said = pipe:read ("a")
		local _, _, code = pipe:close ()
		return code .. "\n" .. said
	end },
	time_precise = { "", "number", function () return 1234.5 end },
}

local function is_a (value, type_)
	for each in type_:gmatch ("[^|]+") do
		if each == "project" and value == 0 then return true end
		if type (value) == each or (type (value) == "table" and value.kind == each) then return true end
	end
	return false
end

local function check (name, what, types, values, count)
	local i = 0
	for type_ in types:gmatch ("%S+") do
		i = i + 1
		assert (is_a (values[i], type_), string.format ("%s: %s %d is %s, not %s", name, what, i, tostring (values[i]), type_))
	end
	assert (count <= i, name .. ": too many " .. what .. "s")
end

reaper = setmetatable ({}, { __index = function (_, name)
	local row = assert (API[name], "REAPER has no " .. name)
	return function (...)
		check (name, "argument", row[1], { ... }, select ("#", ...))
		local results = table.pack (row[3] (...))
		check (name, "result", row[2], results, results.n)
		return table.unpack (results, 1, results.n)
	end
end })

dofile (script)
