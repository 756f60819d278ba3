// One more event in the context of B melodies: melodygru.network.context, melody by melody and without temporaries.
#include "step.h"

namespace {

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t clamped(int64_t value, int64_t low, int64_t high) { return value < low ? low : least(value, high); }
// What is left of a division as Python has it: in [0, by), also of negative numbers above -by.
int64_t left_of(int64_t value, int64_t by) { return (value % by + by) % by; }

struct Melody {
  const Context& c;
  const int64_t row;

  int64_t interval(int64_t pitch) const {
    const int64_t reference = c.reference[row];
    return c.intervals[pitch * c.references + (reference < 0 ? c.references - 1 : reference)];
  }
  int64_t degree(int64_t pitch) const { return c.degrees[pitch * 12 + c.tonic[row]]; }
  int64_t chord_degree(int64_t pitch) const {
    const int64_t root = c.root[row];
    return pitch < c.rest && root >= 0 ? left_of(pitch - root, 12) : c.chord_degrees - 1;
  }
  int64_t bucket(int64_t run) const { return c.run_buckets[least(run, c.longest_run)]; }
  int64_t height(int64_t semitones) const {
    return c.reference[row] >= 0 ? least(semitones, c.largest_interval) : c.heights - 1;
  }
  int64_t* events(int64_t* of_all) const { return of_all + row * c.capacity; }

  void append() const {
    const int64_t n = c.count, duration = c.duration[row], pitch = c.pitch[row];
    const int64_t *was_pitch = c.candidate_pitch + row * c.candidates;
    const int64_t *was_duration = c.candidate_duration + row * c.candidates;
    const int64_t *was_run = c.candidate_run + row * c.candidates;
    for (int64_t lag = 0; lag < c.lags; ++lag) {
      const bool same = was_run[lag] % 3 == 2 && was_duration[lag] == duration && was_pitch[lag] == pitch;
      int64_t& run = c.run[row * c.lags + lag];
      run = same ? run + 1 : 0;
    }
    int64_t& reference = c.reference[row];
    const bool sounds = pitch < c.rest;
    const int64_t known = reference >= 0 ? pitch - reference : c.unknown_interval;
    const int64_t step = sounds ? known : c.unknown_interval + pitch;
    c.previous_pitch[row] = pitch, c.previous_interval[row] = interval(pitch), c.previous_duration[row] = duration;
    events(c.durations)[n] = duration, events(c.pitches)[n] = pitch, events(c.steps)[n] = step;
    if (c.matches) {
      lengthen(0, pitch * c.code + duration);
      lengthen(1, step * c.code + duration);
    }
    if (sounds) {
      reference = pitch;
      c.lowest[row] = least(c.lowest[row], pitch);
      if (pitch > c.highest[row]) c.highest[row] = pitch;
    }
    // A melody with a pickup begins with a rest, the silent part of bar 0.
    if (n == 0) c.pickup_of[row] = c.has_pickup[row] ? clamped(c.bar_steps[row] - duration, 0, c.pickups - 1) : 0;
    c.onset[row] += duration;
    c.onsets[row * (c.capacity + 1) + n + 1] = c.onset[row];
  }

  // Takes in the code of the event, and how long the passages are that it goes on with.
  void lengthen(int64_t kind, int64_t code) const {
    const int64_t n = c.count, first = n > c.history ? n - c.history : 0;
    int64_t *codes = events(c.codes + kind * c.melodies * c.capacity);
    int64_t *lengths = events(c.lengths + kind * c.melodies * c.capacity);
    codes[n] = code;
    int64_t before = lengths[first];
    for (int64_t at = first; at < n; ++at) {
      const int64_t longer = codes[at] == code ? before + 1 : 0;
      before = lengths[at + 1];
      lengths[at + 1] = longer;
    }
  }

  void look_back(int64_t count) const {
    const int64_t *onsets = c.onsets + row * (c.capacity + 1);
    for (int64_t lag = 0; lag < c.lags; ++lag) {
      const int64_t target = c.onset[row] - c.distance[row * c.lags + lag];
      int64_t& at = c.pointer[row * c.lags + lag];
      while (at + 1 <= count && onsets[at + 1] <= target) ++at;
      const bool exists = target >= 0;
      const int64_t remaining = onsets[at] + events(c.durations)[at] - target;
      put_candidate(lag, exists ? events(c.pitches)[at] : c.rest,
                    exists ? clamped(remaining, 0, c.max_duration) : 0,
                    3 * bucket(c.run[row * c.lags + lag]) + exists + (exists && onsets[at] == target));
    }
  }

  // Candidates after the longest passage like the one just heard, the latest of equals, and after its longest rival.
  void look_for_matches(int64_t kind, int64_t count) const {
    const int64_t oldest = count > c.history ? count - c.history : 0;
    const int64_t *codes = events(c.codes + kind * c.melodies * c.capacity);
    const int64_t *lengths = events(c.lengths + kind * c.melodies * c.capacity);
    int64_t best = -1, rival = -1, length = 0, of_rival = 0;
    for (int64_t at = count - 1; at >= oldest; --at) {
      if (lengths[at] > length) best = at, length = lengths[at];
    }
    for (int64_t at = count - 1; length > 0 && at >= oldest; --at) {
      if (lengths[at] > of_rival && codes[at] != codes[best]) rival = at, of_rival = lengths[at];
    }
    put_match(kind, c.lags + 2 * kind, best, length);
    put_match(kind, c.lags + 2 * kind + 1, rival, of_rival);
  }

  void put_match(int64_t kind, int64_t column, int64_t where, int64_t length) const {
    if (length == 0) return put_candidate(column, c.rest, 0, 0);
    int64_t pitch = events(c.pitches)[where];
    const int64_t step = events(c.steps)[where];
    if (kind == 1 && step < c.unknown_interval) {
      const int64_t moved = c.reference[row] + step;
      pitch = moved >= 0 && moved < c.rest ? moved : c.rest;
    }
    put_candidate(column, pitch, events(c.durations)[where], 3 * bucket(length) + 2);
  }

  void put_candidate(int64_t column, int64_t pitch, int64_t duration, int64_t run) const {
    const int64_t at = row * c.candidates + column;
    c.candidate_pitch[at] = pitch, c.candidate_duration[at] = duration, c.candidate_run[at] = run;
  }

  void look(int64_t count) const {
    c.position[row] = c.onset[row] % c.bar_steps[row];
    look_back(count);
    for (int64_t kind = 0; c.matches && count > 1 && kind < 2; ++kind) look_for_matches(kind, count);
    int64_t* in = c.inputs + row * c.columns;
    in = put_place(in);
    in = put_told(in);
    for (int64_t k = row * c.candidates; k < (row + 1) * c.candidates; ++k) {
      *in++ = interval(c.candidate_pitch[k]);
      if (c.key) *in++ = degree(c.candidate_pitch[k]);
      if (c.chords) *in++ = chord_degree(c.candidate_pitch[k]);
      *in++ = c.candidate_duration[k], *in++ = c.candidate_run[k];
    }
  }

  int64_t* put_place(int64_t* in) const {
    *in++ = c.previous_pitch[row], *in++ = c.previous_interval[row], *in++ = c.previous_duration[row];
    const int64_t bar = c.onset[row] / c.bar_steps[row] + c.first_bar[row];
    if (c.metre) {
      *in++ = least(c.position[row], c.positions - 1);
      *in++ = least(c.position[row] % c.beat_steps[row], c.beat_positions - 1);
      *in++ = c.metre_of[row], *in++ = left_of(bar - 1, c.bar_numbers);
    }
    if (c.bars_left) *in++ = clamped(c.bars[row] - bar + 1, 0, c.bars_left_told - 1);
    if (c.key) *in++ = degree(c.previous_pitch[row]), *in++ = c.mode[row];
    if (c.ambitus) {
      *in++ = height(c.reference[row] - c.lowest[row]), *in++ = height(c.highest[row] - c.reference[row]);
    }
    if (c.pickup) *in++ = c.pickup_of[row];
    return in;
  }

  // What the melody shall be: `Told.columns` of melodygru.network.conditions.
  int64_t* put_told(int64_t* in) const {
    if (c.style) *in++ = c.style_of[row], *in++ = c.kind[row];
    if (c.character) {
      // What lies before the first bar line counts to the first phrase.
      const int64_t since = c.onset[row] - c.first_onset[row];
      const int64_t phrase = since < 0 ? 0 : least(since / (c.phrase_bars[row] * c.bar_steps[row]), c.phrases - 1);
      const int64_t* traits = c.character_of + (row * c.phrases + phrase) * c.traits;
      *in++ = c.scale[row];
      for (int64_t trait = 0; trait < c.traits; ++trait) *in++ = traits[trait];
    }
    c.root[row] = -1;
    return c.chords ? put_chord(in) : in;
  }

  int64_t* put_chord(int64_t* in) const {
    struct Chord {
      int64_t onset, end, root, quality;
    };
    const Chord* chords = reinterpret_cast<const Chord*>(c.chord_of) + row * c.chord_spans;
    const int64_t onset = c.onset[row], none = c.chord_degrees - 1;
    int64_t begun = 0;
    for (int64_t at = 0; at < c.chord_spans; ++at) begun += chords[at].onset <= onset;
    const Chord& now = chords[begun > 0 ? begun - 1 : 0];
    const Chord& next = chords[least(begun, c.chord_spans - 1)];
    const bool there = begun > 0 && now.end > onset && now.quality > 0;
    const bool next_there = next.quality > 0 && next.onset < INT64_MAX;
    int64_t lasts = 1;
    for (int64_t edge = 0; edge < c.lasts_edges; ++edge) lasts += c.lasts[edge] <= now.end - onset;
    c.root[row] = there ? now.root : -1;
    *in++ = there ? left_of(now.root - c.tonic[row], 12) : none, *in++ = there ? now.quality : 0;
    *in++ = next_there ? left_of(next.root - c.tonic[row], 12) : none, *in++ = next_there ? next.quality : 0;
    *in++ = there ? lasts : 0, *in++ = chord_degree(c.previous_pitch[row]);
    return in;
  }
};

}  // namespace

// Appends the event that has come to each melody, and sets what is known of the one due.
extern "C" void step_context(Context* context) {
  const int64_t count = context->count + 1;
  for (int64_t row = 0; row < context->melodies; ++row) {
    const Melody melody{*context, row};
    melody.append();
    melody.look(count);
  }
  context->count = count;
}
