// Max for Live, object [js melodygru_clip.js]: the clip that is open in Live, to and from [node.script melodygru_node.js].
//
// Messages in:   infill 3 4     write bars 3 to 4 of the clip anew
//                vary 0.3       change that share of its notes
//                notes ...      from melodygru_node.js: put them into the clip
// Messages out:  for melodygru_node.js

autowatch = 1;
outlets = 1;

function clip() {
  return new LiveAPI("live_set view detail_clip");
}

function asked(head) {
  var open = clip();
  if (!open.id || open.id === "0") {
    post("melodygru: open a MIDI clip first\n");
    return;
  }
  var set = new LiveAPI("live_set");
  var length = open.get("length")[0];
  var notes = JSON.parse(open.call("get_notes_extended", 0, 128, 0, length)).notes;
  var message = head.concat([
    open.get("signature_numerator")[0],
    open.get("signature_denominator")[0],
    set.get("tempo")[0],
  ]);
  for (var at = 0; at < notes.length; at++) {
    message.push(notes[at].pitch, notes[at].start_time, notes[at].duration);
  }
  outlet(0, message);
}

function infill(first, last) {
  asked(["infill", first, last]);
}

function vary(amount) {
  asked(["vary", amount]);
}

function notes() {
  var flat = arrayfromargs(arguments);
  var open = clip();
  var made = [];
  for (var at = 0; at + 2 < flat.length; at += 3) {
    made.push({ pitch: flat[at], start_time: flat[at + 1], duration: flat[at + 2] });
  }
  open.call("remove_notes_extended", 0, 128, 0, open.get("length")[0]);
  open.call("add_new_notes", { notes: made });
}
