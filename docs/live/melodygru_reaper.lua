-- REAPER: writes the bars of the time selection anew, in the take that is open in the MIDI editor.
-- Start `melodygru serve`, load this as an action (Actions > Load ReaScript), select bars, run it.
-- It needs curl, which Windows 10, macOS and most Linux systems have.

local STEPS = 24 -- to a quarter

local function settings_file()
  local given = os.getenv("MELODYGRU_CONFIG")
  if given then return given .. "/serve.json" end
  local system = reaper.GetOS()
  if system:match("Win") then return os.getenv("APPDATA") .. "\\melodygru\\serve.json" end
  if system:match("OSX") or system:match("macOS") then
    return os.getenv("HOME") .. "/Library/Application Support/melodygru/serve.json"
  end
  return (os.getenv("XDG_CONFIG_HOME") or os.getenv("HOME") .. "/.config") .. "/melodygru/serve.json"
end

local function say(words)
  reaper.ShowMessageBox(words, "melodygru", 0)
end

local function url()
  local file = io.open(settings_file(), "r")
  if not file then return nil end
  local found = file:read("a"):match('"url"%s*:%s*"([^"]+)"')
  file:close()
  return found
end

-- The notes of a take as steps from the bar line where its item's first bar begins; of chords the highest note.
local function notes_of(take, origin)
  local _, count = reaper.MIDI_CountEvts(take)
  local by_onset = {}
  for index = 0, count - 1 do
    local _, _, muted, from, to, channel, pitch, velocity = reaper.MIDI_GetNote(take, index)
    local onset = math.floor((reaper.MIDI_GetProjQNFromPPQPos(take, from) - origin) * STEPS + 0.5)
    local last = math.floor((reaper.MIDI_GetProjQNFromPPQPos(take, to) - origin) * STEPS + 0.5)
    local there = by_onset[onset]
    if not muted and onset >= 0 and (not there or there.pitch < pitch) then
      by_onset[onset] = { pitch = pitch, onset = onset, last = math.max(last, onset + 1), channel = channel, velocity = velocity }
    end
  end
  local notes = {}
  for _, note in pairs(by_onset) do notes[#notes + 1] = note end
  table.sort(notes, function(one, two) return one.onset < two.onset end)
  for index = 1, #notes - 1 do notes[index].last = math.min(notes[index].last, notes[index + 1].onset) end
  return notes
end

local function as_json(notes)
  local parts = {}
  for _, note in ipairs(notes) do
    parts[#parts + 1] = string.format('{"pitch":%d,"onset":%d,"duration":%d}', note.pitch, note.onset, note.last - note.onset)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

local function ask(address, body)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(body)
  file:close()
  local command = string.format('curl -s --noproxy "*" -H "Content-Type: application/json" --data-binary "@%s" "%s"', name, address)
  local answer = reaper.ExecProcess(command, 60000)
  os.remove(name)
  return answer and answer:match("^%d+\n(.*)$") -- the first line is curl's exit code
end

local function main()
  local editor = reaper.MIDIEditor_GetActive()
  local take = editor and reaper.MIDIEditor_GetTake(editor)
  if not take then return say("Open a MIDI item in the editor first.") end
  local from, to = reaper.GetSet_LoopTimeRange(false, false, 0, 0, false)
  if to <= from then return say("Select the bars that are to be written anew (time selection).") end
  local address = url()
  if not address then return say("No server was found; start one with: melodygru serve") end

  local item = reaper.GetMediaItemTake_Item(take)
  local first = reaper.TimeMap_timeToQN(reaper.GetMediaItemInfo_Value(item, "D_POSITION"))
  local _, origin = reaper.TimeMap_QNToMeasures(0, first) -- the quarter at which that bar begins
  local beats, unit = reaper.TimeMap_GetTimeSigAtTime(0, from)
  local bar = beats * 4 / unit -- quarters
  local begin = reaper.TimeMap_timeToQN(from) - origin
  local finish = reaper.TimeMap_timeToQN(to) - origin
  local bar_from, bar_to = math.floor(begin / bar + 0.001) + 1, math.ceil(finish / bar - 0.001)
  local notes = notes_of(take, origin)
  if #notes == 0 then return say("The item has no notes.") end

  local body = string.format('{"melody":{"meter":"%d/%d","bpm":%.3f,"bars":%d,"notes":%s},"bars":"%d-%d"}', beats, unit,
    reaper.TimeMap_GetDividedBpmAtTime(from), math.max(bar_to, math.ceil(notes[#notes].last / STEPS / bar)),
    as_json(notes), bar_from, bar_to)
  local answer = ask(address .. "api/infill", body)
  if not answer then return say("The server does not answer; is melodygru serve still running, and is curl installed?") end
  local problem = answer:match('"detail"%s*:%s*"(.-)"%s*}')
  if problem then return say(problem) end
  local made = answer:match('"melody"%s*:%s*(%b{})')
  if not made then return say("The answer could not be read.") end

  local low, high = (bar_from - 1) * bar * STEPS, bar_to * bar * STEPS
  local function ppq(step) return reaper.MIDI_GetPPQPosFromProjQN(take, origin + step / STEPS) end
  reaper.Undo_BeginBlock()
  local _, count = reaper.MIDI_CountEvts(take)
  for index = count - 1, 0, -1 do
    local _, _, _, start = reaper.MIDI_GetNote(take, index)
    if start >= ppq(low) - 1 and start < ppq(high) - 1 then reaper.MIDI_DeleteNote(take, index) end
  end
  for object in made:match('"notes"%s*:%s*(%b[])'):gmatch("%b{}") do
    local function value(name) return tonumber(object:match('"' .. name .. '"%s*:%s*(%d+)')) end
    local pitch, onset, duration = value("pitch"), value("onset"), value("duration")
    if onset >= low and onset < high then
      reaper.MIDI_InsertNote(take, true, false, ppq(onset), ppq(onset + duration), notes[1].channel, pitch,
        notes[1].velocity, true)
    end
  end
  reaper.MIDI_Sort(take)
  reaper.Undo_EndBlock("melodygru: write bars anew", -1)
end

main()
