-- Ardour without a screen records what a JACK port plays, into an armed track.
--
-- Run by tests: ardour7-lua ardour_record.lua FOLDER PORT.  Says "RECORDING" once it does, goes on until
-- FOLDER/stop exists, then exports the take to FOLDER/take.mid and says "TAKE" with its place in ticks.
-- Meanwhile "CLOCK" says at which microsecond of the even clock the transport stood at which sample.

io.stdout:setvbuf ("no")
local folder, port = arg[1], arg[2]

AudioEngine:set_backend ("JACK", "", "")
Session = assert (create_session (folder .. "/session", "session", 48000))
local UI = ARDOUR.TransportRequestSource.TRS_UI
local one = ARDOUR.ChanCount (ARDOUR.DataType ("midi"), 1)
local track
for each in Session:new_midi_track (one, one, true, ARDOUR.PluginInfo (), nil, nil, 1, "Take",
	ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true):iter () do track = each:to_track () end
local playlist = track:playlist ()

local function wait_until (what, happened)
	for _ = 1, 6000 do
		if happened () then return end
		ARDOUR.LuaAPI.usleep (20000)
	end
	print ("ERROR waited in vain until " .. what)
	os.exit (1)
end

local function exists (path)
	local file = io.open (path)
	if file then file:close () end
	return file ~= nil
end

wait_until (port .. " can be connected", function () return track:input ():nth (0):connect (port) == 0 end)
track:rec_enable_control ():set_value (1, PBD.GroupControlDisposition.NoGroup)
Session:maybe_enable_record (false)
Session:request_roll (UI)
wait_until ("it records", function () return Session:actively_recording () and Session:transport_sample () > 0 end)
print ("RECORDING")
wait_until ("it may stop", function ()
	-- A driver that is not served in time runs slower than the clock on the wall.
	print (string.format ("CLOCK %d %d", ARDOUR.LuaAPI.monotonic_time (), Session:transport_sample ()))
	return exists (folder .. "/stop")
end)
Session:request_stop (false, false, UI)
wait_until ("the take is there", function () return playlist:n_regions () == 1 and Session:transport_stopped () end)
for region in playlist:region_list ():iter () do
	region:to_midiregion ():do_export (folder .. "/take.mid")
	print (string.format ("TAKE %d %d", region:position ():ticks (), region:length ():ticks ()))
end
close_session ()
quit ()
