ardour {
	["type"] = "EditorAction",
	name = "musai: answer the selection",
	license = "Apache-2.0",
	author = "musai",
	description = [[Answers or continues the selected MIDI regions, or what lies in the selected range, and puts the answer on the bar line behind it. With nothing selected it plays from nothing, at the playhead. Needs a running server: musai serve.]]
}

-- Ardour keeps this one function and nothing around it, so everything is inside.
function factory () return function ()

	-- The command, where it is not on the path. `musai clients` writes it here.
	local MUSAI = [[]]

	local TICKS = 480                                  -- musai's, a quarter
	local SCALE = 4                                    -- Ardour has 1920

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

	local function quoted (word)
		if WINDOWS then return '"' .. word:gsub ('"', '') .. '"' end
		return "'" .. word:gsub ("'", "'\\''") .. "'"
	end

	local stem = stem_of (string.format ("%d", ARDOUR.LuaAPI.monotonic_time ()))

	local function run (words)
		local line = {}
		for i, word in ipairs (words) do line[i] = quoted (word) end
		local printed = stem .. ".txt"
		local command = table.concat (line, " ") .. " > " .. quoted (printed) .. " 2>&1"
		-- cmd.exe takes the outermost quotes of a line away.
		os.execute (WINDOWS and '"' .. command .. '"' or command)
		local shown = read_whole (printed)
		os.remove (printed)
		return shown
	end

	local function say (kind, text)
		LuaDialog.Message ("musai", text, LuaDialog.MessageType[kind], LuaDialog.ButtonType.Close):run ()
	end

	local tempo_map = Temporal.TempoMap.read ()

	local function at (ticks) return Temporal.timepos_t.from_ticks (ticks) end
	local function span (ticks) return Temporal.timecnt_t.from_ticks (ticks, Temporal.timepos_t (0)) end

	-- Ticks of a Beats value, which says itself as "beats:ticks".
	local function ticks_of (beats)
		local whole, rest = beats:str ():match ("^(%-?%d+):(%-?%d+)$")
		return tonumber (whole) * TICKS * SCALE + tonumber (rest)
	end

	-- The bar line at or before a place, in ticks of the session, and the length of that bar.
	local function bar_of (ticks)
		local bar = tonumber (tostring (tempo_map:bbt_at (at (ticks))):match ("^(%-?%d+)|"))
		local function line (n) return ticks_of (tempo_map:quarters_at_bbt (Temporal.BBT_TIME (n, 1, 0))) end
		return line (bar), line (bar + 1)
	end

	local function bar_line_from (ticks)
		local first, second = bar_of (ticks)
		return first == ticks and first or second
	end

	local function midi_tracks ()
		local found = {}
		for route in Session:get_tracks ():iter () do
			local track = route:to_track ()
			if not track:isnil () and not track:to_midi_track ():isnil () then found[#found + 1] = track end
		end
		return found
	end

	local function midi_regions (track)
		local found = {}
		for region in track:playlist ():region_list ():iter () do
			if not region:to_midiregion ():isnil () then found[#found + 1] = region end
		end
		return found
	end

	-- The selection as { from =, to = (ticks), parts = { { track =, region = } ... } }, or nil.
	local function selected ()
		local selection, chosen, parts = Editor:get_selection (), {}, {}
		for region in selection.regions:regionlist ():iter () do
			chosen[region:to_stateful ():id ():to_s ()] = true
		end
		local from, to
		for _, track in ipairs (midi_tracks ()) do
			for _, region in ipairs (midi_regions (track)) do
				if chosen[region:to_stateful ():id ():to_s ()] then
					parts[#parts + 1] = { track = track, region = region }
					local first = region:position ():ticks ()
					local last = (region:position () + region:length ()):ticks ()
					from, to = math.min (from or first, first), math.max (to or last, last)
				end
			end
		end
		if #parts > 0 then return { from = from, to = to, parts = parts } end
		local first, last = selection.time:start_time (), selection.time:end_time ()
		if not (first < last) then return nil end
		local names = {}
		for route in selection.tracks:routelist ():iter () do names[route:name ()] = true end
		local all = next (names) == nil
		for _, track in ipairs (midi_tracks ()) do
			if all or names[track:name ()] then
				for _, region in ipairs (midi_regions (track)) do
					if region:position () < last and first < region:position () + region:length () then
						parts[#parts + 1] = { track = track, region = region }
					end
				end
			end
		end
		return { from = first:ticks (), to = last:ticks (), parts = parts }
	end

	-- What musai is to answer: the notes that start inside the selection, from its first bar line on.
	local function prompt_of (chosen)
		local zero = bar_of (chosen.from)
		local meter = tempo_map:meter_at (at (zero))
		local prompt = { notes = {}, voices = {}, tempo = tempo_map:quarters_per_minute_at (at (zero)),
			numerator = meter:divisions_per_bar (), denominator = meter:note_value (),
			length = math.ceil ((chosen.to - zero) / SCALE) }
		local index = {}
		for _, part in ipairs (chosen.parts) do
			local name = part.track:name ()
			if not index[name] then
				prompt.voices[#prompt.voices + 1] = name
				index[name] = #prompt.voices - 1
			end
			local region = part.region
			local here = region:position ():ticks ()
			local first, last = region:start ():ticks (), region:start ():ticks () + region:length ():ticks ()
			for note in ARDOUR.LuaAPI.note_list (region:to_midiregion ():model ()):iter () do
				local time = ticks_of (note:time ())
				local onset = here + time - first
				if time >= first and time < last and onset >= chosen.from and onset < chosen.to then
					local stop = math.min (onset + ticks_of (note:length ()), chosen.to)
					prompt.notes[#prompt.notes + 1] = {
						onset = math.floor ((onset - zero) / SCALE + 0.5),
						duration = math.max (1, math.floor ((stop - onset) / SCALE + 0.5)),
						pitch = note:note (), velocity = math.max (1, note:velocity ()), voice = index[name] }
				end
			end
		end
		prompt.length = math.max (prompt.length, 1)
		return prompt
	end

	local function is_free (track, from, to)
		for region in track:playlist ():region_list ():iter () do
			local first = region:position ():ticks ()
			if first < to and from < first + region:length ():ticks () then return false end
		end
		return true
	end

	-- The track for the answer: the wished one where there is room, else one called musai.
	local function track_for (wished, from, to)
		if wished and is_free (wished, from, to) then return wished end
		for _, track in ipairs (midi_tracks ()) do
			if track:name ():match ("^musai") and is_free (track, from, to) then return track end
		end
		local one = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
		for track in Session:new_midi_track (one, one, true, ARDOUR.PluginInfo (), nil, nil, 1, "musai",
			ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true, false):iter () do
			return track:to_track ()
		end
	end

	-- Some MIDI region of the session, on a track or not.
	local function any_region ()
		for _, region in ARDOUR.RegionFactory.regions ():iter () do
			if not region:to_midiregion ():isnil () then return region end
		end
	end

	-- A region to write into. Ardour's scripts can copy a region, not make one; where there is none
	-- to copy, a file with one note is imported.
	local function blank_region (track, donor)
		donor = donor or any_region ()
		if donor then
			return ARDOUR.RegionFactory.clone_region (donor, true, true)
		end
		local path = stem .. ".mid"
		local file = io.open (path, "wb")
		file:write ("MThd\0\0\0\6\0\0\0\1\1\224MTrk\0\0\0\13\0\144\60\64\131\96\128\60\64\0\255\47\0")
		file:close ()
		local files = C.StringVector ()
		files:push_back (path)
		local names = ARDOUR.MidiTrackNameSource
		Editor:do_import (files, Editing.ImportDistinctFiles, Editing.ImportToTrack,
			ARDOUR.SrcQuality.SrcBest, names.SMFFileAndTrackName or names.SMFTrackName,
			ARDOUR.MidiTempoMapDisposition.SMFTempoIgnore, at (0), ARDOUR.PluginInfo (), track, false)
		os.remove (path)
		donor = any_region ()
		return donor and ARDOUR.RegionFactory.clone_region (donor, true, true)
	end

	-- Controllers of the copied region do not belong to the answer.
	local function without_controllers (region)
		for channel = 0, 15 do
			for number = 0, 127 do
				local control = region:control (
					Evoral.Parameter (ARDOUR.AutomationType.MidiCCAutomation, channel, number), false)
				if not control:isnil () then control:list ():clear (Temporal.timepos_t (0), Temporal.timepos_t.max (Temporal.TimeDomain.BeatTime)) end
			end
		end
	end

	-- The answer as a region of the session; one undo takes it away again.
	local function place (answer, track, donor, from)
		local region = blank_region (track, donor)
		if region == nil or region:isnil () then return nil end
		region:set_name (string.format ("musai seed %s %s", answer.seed, answer.light))
		local model = region:to_midiregion ():model ()
		local change = model:new_note_diff_command ("musai: notes")
		for note in ARDOUR.LuaAPI.note_list (model):iter () do change:remove (note) end
		for _, n in ipairs (answer.notes) do
			local voice = answer.voices[n.voice]
			local onset, length = n.onset * SCALE, n.duration * SCALE
			local beat = TICKS * SCALE
			change:add (ARDOUR.LuaAPI.new_noteptr (voice and voice.drum and 9 or 0,
				Temporal.Beats (onset // beat, onset % beat), Temporal.Beats (length // beat, length % beat),
				n.pitch, n.velocity))
		end
		model:apply_command (Session, change)
		pcall (without_controllers, region:to_midiregion ())
		local playlist = track:playlist ()
		Session:begin_reversible_command ("musai")
		playlist:to_stateful ():clear_changes ()
		region:set_start (at (0))
		region:set_length (span (answer.length * SCALE))
		playlist:add_region (region, at (from), 1, false)
		Session:add_stateful_diff_command (playlist:to_statefuldestructible ())
		if not Session:abort_empty_reversible_command () then Session:commit_reversible_command (nil) end
		return region
	end

	local function wishes_from (prompt)
		local fields = {
			{ type = "number", key = "bars", title = "Bars", min = 1, max = 64, step = 1, digits = 0, default = 4 },
			{ type = "number", key = "seed", title = "Seed (0: a new one)", min = 0, max = 999999, step = 1, digits = 0, default = 0 },
			{ type = "number", key = "temperature", title = "How daring (0.9: as trained)", min = 0, max = 4, step = 0.1, digits = 1, default = 0.9 },
		}
		if prompt then
			table.insert (fields, 1, { type = "dropdown", key = "mode", title = "What to play",
				values = { ["an answer"] = "answer", ["a continuation"] = "continue" }, default = "an answer" })
		end
		local chosen = LuaDialog.Dialog ("musai", fields):run ()
		if not chosen then return nil end
		local wishes = { mode = prompt and chosen.mode or "generate", bars = math.floor (chosen.bars),
			temperature = string.format ("%.2f", chosen.temperature) }
		if chosen.seed > 0 then wishes.seed = math.floor (chosen.seed) end
		return wishes
	end

	local chosen = selected ()
	local prompt = chosen and prompt_of (chosen)
	if prompt and #prompt.notes == 0 then
		return say ("Error", "There are no notes in the selection. Select MIDI regions, or a range over some; "
			.. "with nothing selected musai plays from nothing, at the playhead.")
	end
	local wishes = wishes_from (prompt)
	if not wishes then return end
	local playhead = tempo_map:quarters_at_sample (Session:transport_sample ())
	local from = bar_line_from (chosen and chosen.to or ticks_of (playhead))
	if not prompt then
		local meter = tempo_map:meter_at (at (from))
		wishes.tempo = string.format ("%.4f", tempo_map:quarters_per_minute_at (at (from)))
		wishes.signature = string.format ("%d/%d", meter:divisions_per_bar (), meter:note_value ())
	end
	local answer, why = ask (prompt, wishes, stem, run)
	if not answer then return say ("Error", why) end

	local donor = chosen and chosen.parts[1].region
	local wished = chosen and chosen.parts[1].track
	for route in Editor:get_selection ().tracks:routelist ():iter () do
		local track = route:to_track ()
		if not wished and not track:isnil () and not track:to_midi_track ():isnil () then wished = track end
	end
	local track = track_for (wished, from, from + answer.length * SCALE)
	if not place (answer, track, donor, from) then
		return say ("Error", "Ardour could not make a region. Draw an empty one with the pen tool, then try again.")
	end
	if answer.light == "amber" or answer.light == "red" then
		say ("Warning", answer.light .. ": " .. answer.says .. "\n" .. (answer.nearest or ""))
	end
end end

function icon (params) return function (ctx, width, height, fg)
	local text = Cairo.PangoLayout (ctx, "ArdourMono " .. math.ceil (height * .6) .. "px")
	text:set_text ("m\u{266a}")
	local w, h = text:get_pixel_size ()
	ctx:set_source_rgba (ARDOUR.LuaAPI.color_to_rgba (fg))
	ctx:move_to (.5 * (width - w), .5 * (height - h))
	text:show_in_cairo_context (ctx)
end end
