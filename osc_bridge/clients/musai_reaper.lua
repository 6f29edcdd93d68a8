-- musai for REAPER: answers or continues the selected MIDI items, or what lies in the time
-- selection, and puts the answer on the bar line behind it. With nothing selected it plays from
-- nothing, at the edit cursor. Needs a running server: musai serve. Stock Lua, no extensions.

-- The command, where it is not on the path. `musai clients` writes it here.
local MUSAI = [[]]

local TICKS = 480                                      -- musai's, a quarter
local PROJECT = 0                                      -- the open one
local TITLE = "musai"

-- shared: begin (the same lines in musai_ardour.lua and musai_reaper.lua)
local WINDOWS = os.getenv ("WINDIR") ~= nil

-- The lines of a note list: one voice for each name in `voices`.
local function note_list (prompt)
	local lines = { "musai 1",
		string.format ("tempo %.4f", prompt.tempo),
		string.format ("signature %d %d", prompt.numerator, prompt.denominator),
		string.format ("length %d", prompt.length) }
	for i, name in ipairs (prompt.voices) do
		lines[#lines + 1] = string.format ("voice %d 0 0 %s", i - 1, (name:gsub ("%s+", " ")))
	end
	for _, n in ipairs (prompt.notes) do
		lines[#lines + 1] = string.format ("note %d %d %d %d %d",
			n.onset, n.duration, n.pitch, n.velocity, n.voice)
	end
	return table.concat (lines, "\n") .. "\n"
end

-- What a note list says: { notes = {...}, length = ticks, seed =, light =, says =, error = }.
local function heard (text)
	local answer = { notes = {}, voices = {} }
	for line in text:gmatch ("[^\r\n]+") do
		local word, rest = line:match ("^(%S+)%s*(.*)$")
		if word == "note" then
			local o, d, p, v, voice = rest:match ("^(%d+) (%d+) (%d+) (%d+) (%d+)$")
			answer.notes[#answer.notes + 1] = { onset = tonumber (o), duration = tonumber (d),
				pitch = tonumber (p), velocity = tonumber (v), voice = tonumber (voice) }
		elseif word == "voice" then
			local index, program, drum = rest:match ("^(%d+) (%d+) (%d+)")
			answer.voices[tonumber (index)] = { program = tonumber (program), drum = drum == "1" }
		elseif word then
			answer[word] = rest
		end
	end
	answer.length = tonumber (answer.length)
	return answer
end

-- The words of a command that asks musai; `wishes` are options without their dashes.
local function words_of (command, source, target, wishes)
	local words = { command, "ask", "--out", target }
	if source then
		words[#words + 1] = "--in"
		words[#words + 1] = source
	end
	for _, name in ipairs { "mode", "bars", "seed", "tempo", "signature", "temperature" } do
		if wishes[name] then
			words[#words + 1] = "--" .. name
			words[#words + 1] = tostring (wishes[name])
		end
	end
	return words
end

local function read_whole (path)
	local file = io.open (path, "rb")
	if not file then return nil end
	local text = file:read ("a")
	file:close ()
	return text
end

-- Where the command may be: written above, in the environment, where pipx puts it, on the path.
local function commands ()
	local home = os.getenv ("HOME") or os.getenv ("USERPROFILE") or ""
	local found = {}
	for _, one in ipairs { MUSAI, os.getenv ("MUSAI_COMMAND") or "", home .. "/.local/bin/musai",
		home .. "\\.local\\bin\\musai.exe", "/opt/homebrew/bin/musai", "/usr/local/bin/musai" } do
		local file = one ~= "" and io.open (one, "rb")
		if file then
			file:close ()
			found[#found + 1] = one
		end
	end
	found[#found + 1] = "musai"
	return found
end

-- Asks through files whose names begin with `stem`. `run` runs words and hands back what was
-- printed. Hands back what musai said, or nil and why.
local function ask (prompt, wishes, stem, run)
	local source, target = stem .. "-in.notes", stem .. "-out.notes"
	if prompt then
		local file, why = io.open (source, "wb")
		if not file then return nil, "cannot write a temporary file: " .. tostring (why) end
		file:write (note_list (prompt))
		file:close ()
	end
	os.remove (target)
	local text, shown
	for _, command in ipairs (commands ()) do
		shown = run (words_of (command, prompt and source, target, wishes))
		text = read_whole (target)
		if text then break end
	end
	os.remove (source)
	os.remove (target)
	if not text then
		return nil, "musai did not run. Install it (pipx install musai), then let it write this script "
			.. "anew, with its own place inside: musai clients.\n\n" .. (shown or "")
	end
	local answer = heard (text)
	if answer.error then return nil, answer.error end
	return answer
end

-- The beginning of names for temporary files.
local function stem_of (stamp)
	local folder = os.getenv ("TMPDIR") or os.getenv ("TEMP") or os.getenv ("TMP") or "/tmp"
	return folder:gsub ("[/\\]$", "") .. (WINDOWS and "\\" or "/") .. "musai-" .. stamp
end
-- shared: end

-- ExecProcess has no shell: double quotes on every system.
local function run (words)
	local line = {}
	for i, word in ipairs (words) do line[i] = '"' .. word:gsub ('"', "") .. '"' end
	return reaper.ExecProcess (table.concat (line, " "), 120000)
end

local function say (text)
	reaper.ShowMessageBox (text, TITLE, 0)
end

local function quarters (seconds) return reaper.TimeMap2_timeToQN (PROJECT, seconds) end
local function seconds (at) return reaper.TimeMap2_QNToTime (PROJECT, at) end
local function rounded (x) return math.floor (x + 0.5) end

-- The bar line at or before a place, and the next one, in quarters. A hair after it counts as on it.
local function bar_of (at)
	local _, first, last = reaper.TimeMap_QNToMeasures (PROJECT, at + 1e-6)
	return first, last
end

local function bar_line_from (at)
	local first, last = bar_of (at)
	return at - first < 1e-5 and first or last
end

local function metre_at (at)
	local numerator, denominator = reaper.TimeMap_GetTimeSigAtTime (PROJECT, seconds (at))
	return numerator, denominator, 60 / (seconds (at + 1) - seconds (at))
end

local function extent (item)
	local first = reaper.GetMediaItemInfo_Value (item, "D_POSITION")
	return quarters (first), quarters (first + reaper.GetMediaItemInfo_Value (item, "D_LENGTH"))
end

local function midi_take (item)
	local take = reaper.GetActiveTake (item)
	return take and reaper.TakeIsMIDI (take) and take or nil
end

local function parts_among (items, from, to)
	local parts = {}
	for _, item in ipairs (items) do
		local take = midi_take (item)
		local first, last = extent (item)
		if take and first < to and from < last then
			parts[#parts + 1] = { take = take, track = reaper.GetMediaItem_Track (item), from = first, to = last }
		end
	end
	return parts
end

-- The selection as { from =, to = (quarters), parts = {...} }, or nil.
local function selected ()
	local items = {}
	for i = 0, reaper.CountSelectedMediaItems (PROJECT) - 1 do
		items[#items + 1] = reaper.GetSelectedMediaItem (PROJECT, i)
	end
	local first, last = reaper.GetSet_LoopTimeRange (false, false, 0, 0, false)
	if first < last then
		if #items == 0 then
			for i = 0, reaper.CountMediaItems (PROJECT) - 1 do
				items[#items + 1] = reaper.GetMediaItem (PROJECT, i)
			end
		end
		local from, to = quarters (first), quarters (last)
		return { from = from, to = to, parts = parts_among (items, from, to) }
	end
	local parts = parts_among (items, -math.huge, math.huge)
	if #parts == 0 then return nil end
	local from, to = math.huge, -math.huge
	for _, part in ipairs (parts) do from, to = math.min (from, part.from), math.max (to, part.to) end
	return { from = from, to = to, parts = parts }
end

-- What musai is to answer: the notes that start inside the selection, from its first bar line on.
local function prompt_of (chosen)
	local zero = bar_of (chosen.from)
	local numerator, denominator, tempo = metre_at (zero)
	local prompt = { notes = {}, voices = {}, tempo = tempo, numerator = numerator,
		denominator = denominator, length = math.max (1, rounded ((chosen.to - zero) * TICKS)) }
	local index = {}
	for _, part in ipairs (chosen.parts) do
		if not index[part.track] then
			local _, name = reaper.GetTrackName (part.track)
			prompt.voices[#prompt.voices + 1] = name
			index[part.track] = #prompt.voices - 1
		end
		local first, last = math.max (part.from, chosen.from), math.min (part.to, chosen.to)
		local _, count = reaper.MIDI_CountEvts (part.take)
		for i = 0, count - 1 do
			local _, _, muted, start, stop, _, pitch, velocity = reaper.MIDI_GetNote (part.take, i)
			local onset = reaper.MIDI_GetProjQNFromPPQPos (part.take, start)
			local ending = math.min (reaper.MIDI_GetProjQNFromPPQPos (part.take, stop), chosen.to)
			if not muted and onset >= first - 1e-6 and onset < last - 1e-6 then
				prompt.notes[#prompt.notes + 1] = { onset = rounded ((onset - zero) * TICKS),
					duration = math.max (1, rounded ((ending - onset) * TICKS)),
					pitch = pitch, velocity = velocity, voice = index[part.track] }
			end
		end
	end
	return prompt
end

local function is_free (track, from, to)
	for i = 0, reaper.CountTrackMediaItems (track) - 1 do
		local first, last = extent (reaper.GetTrackMediaItem (track, i))
		if first < to - 1e-6 and from < last - 1e-6 then return false end
	end
	return true
end

-- The track for the answer: the wished one where there is room, else one called musai.
local function track_for (wished, from, to)
	if wished and is_free (wished, from, to) then return wished end
	for i = 0, reaper.CountTracks (PROJECT) - 1 do
		local track = reaper.GetTrack (PROJECT, i)
		local _, name = reaper.GetTrackName (track)
		if name == "musai" and is_free (track, from, to) then return track end
	end
	local last = reaper.CountTracks (PROJECT)
	reaper.InsertTrackAtIndex (last, true)
	local track = reaper.GetTrack (PROJECT, last)
	reaper.GetSetMediaTrackInfo_String (track, "P_NAME", "musai", true)
	return track
end

local function place (answer, wished, from)
	local to = from + answer.length / TICKS
	local track = track_for (wished, from, to)
	local item = reaper.CreateNewMIDIItemInProj (track, seconds (from), seconds (to), false)
	local take = reaper.GetActiveTake (item)
	reaper.GetSetMediaItemTakeInfo_String (take, "P_NAME",
		string.format ("musai seed %s %s", answer.seed, answer.light), true)
	for _, n in ipairs (answer.notes) do
		local function ppq (ticks) return reaper.MIDI_GetPPQPosFromProjQN (take, from + ticks / TICKS) end
		local voice = answer.voices[n.voice]
		reaper.MIDI_InsertNote (take, false, false, ppq (n.onset), ppq (n.onset + n.duration),
			voice and voice.drum and 9 or 0, n.pitch, n.velocity, true)
	end
	reaper.MIDI_Sort (take)
end

-- What to play, asked of the user; nil where the user gave up, false where a word was not understood.
local function wishes_from (prompt)
	local captions = "Bars (1 to 64),Seed (0: a new one),How daring (0 to 4)"
	local values = "4,0,0.9"
	if prompt then
		captions, values = captions .. ",answer or continue", values .. ",answer"
	end
	local ok, said = reaper.GetUserInputs (TITLE, prompt and 4 or 3, captions, values)
	if not ok then return nil end
	local bars, seed, daring, mode = said:match ("^%s*(%d+)%s*,%s*(%d+)%s*,%s*([%d.]+)%s*,?%s*(%a*)%s*$")
	if not bars or (prompt and mode ~= "answer" and mode ~= "continue") then
		say ("Not understood: " .. said .. "\nLegal is whole numbers of bars and seed, a number from 0 to 4"
			.. (prompt and ", and the word answer or continue." or "."))
		return nil
	end
	local wishes = { mode = prompt and mode or "generate", bars = bars, temperature = daring }
	if tonumber (seed) > 0 then wishes.seed = seed end
	return wishes
end

local function main ()
	local chosen = selected ()
	local prompt = chosen and prompt_of (chosen)
	if prompt and #prompt.notes == 0 then
		return say ("There are no notes in the selection. Select MIDI items, or a time range over some; "
			.. "with nothing selected musai plays from nothing, at the edit cursor.")
	end
	local wishes = wishes_from (prompt)
	if not wishes then return end
	local from = bar_line_from (chosen and chosen.to or quarters (reaper.GetCursorPosition ()))
	if not prompt then
		local numerator, denominator, tempo = metre_at (from)
		wishes.tempo = string.format ("%.4f", tempo)
		wishes.signature = string.format ("%d/%d", numerator, denominator)
	end
	local stem = stem_of (string.format ("%d", rounded (reaper.time_precise () * 1e6)))
	local answer, why = ask (prompt, wishes, stem, run)
	if not answer then return say (why) end
	reaper.Undo_BeginBlock2 (PROJECT)
	place (answer, chosen and chosen.parts[1].track or reaper.GetSelectedTrack (PROJECT, 0), from)
	reaper.Undo_EndBlock2 (PROJECT, "musai: " .. wishes.mode, -1)
	reaper.UpdateArrange ()
	if answer.light == "amber" or answer.light == "red" then
		say (answer.light .. ": " .. answer.says .. "\n" .. (answer.nearest or ""))
	end
end

main ()
