// From the bytes of many MIDI files to events and their context: the fast lane for plain files.
//
// What is plain: nothing wrong with the bytes, one melodic part, one metre from the beginning, notes on the grid from
// tick 0. Such a file comes out exactly as melodygru.formats.midi.extraction, melodygru.network.tokenizer and
// melodygru.network.context make it, which is tested; every other file is told to be not plain, and goes through those.
// All thresholds, tables and classes are theirs and handed in by fast_lane.py: here are the steps alone.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <tuple>
#include <vector>

namespace {

// What files are read by, from the modules that are named: `reading_rules` in fast_lane.py has the same fields.
struct Rules {
  // melodygru.formats.midi.chunks; `blank` says of each byte whether it is.
  const char *information, *key_in_words, *blank;
  int64_t percussion;
  // melodygru.formats.midi.parser: quarters, seconds, and microseconds a quarter.
  int64_t longest_piece, longest_note, longest_seconds, usual_tempo;
  // melodygru.formats.midi.line
  double legato, monophonic, covered;
  int64_t rolled, neighbours, drop;
  // melodygru.formats.midi.grid; `usual` says how usual each step of a quarter is, 0: not at all.
  int64_t steps_per_quarter;
  const double* usual;
  double written, near_a_step, near_a_place, onsets_on_grid, ends_on_grid;
  int64_t shortest_rest;
  // melodygru.formats.midi.metres
  int64_t fewest_beats, most_beats, smallest_unit;
  // melodygru.formats.midi.extraction
  double upbeat;
  int64_t min_notes, max_rest_bars;
  // melodygru.network.tokenizer
  int64_t max_duration, end, rest, tie;
};

constexpr int kPitches = 128;  // MIDI's

struct Note {
  int64_t onset, end;
  int pitch, velocity, channel;
  bool operator<(const Note& other) const {
    return std::tie(onset, end, pitch, velocity, channel) <
           std::tie(other.onset, other.end, other.pitch, other.velocity, other.channel);
  }
};

struct Placed {
  int64_t onset, end;
  int pitch;
};

struct Signature {
  int64_t tick, fifths;
  bool minor;
};

// What one file says, as far as a plain file may.
struct File {
  int64_t division = 0;
  std::vector<Note> notes;  // of the one part
  int64_t track = 0, name_at = 0, name_size = 0, words_at = 0, words_size = -1;
  bool stated = false;  // the metre
  int64_t numerator = 0, denominator = 0;
  std::vector<Signature> keys;  // by tick
  int64_t slowest = 0;          // microseconds a quarter
};

struct Plain {};  // thrown where a file is not

void plain_if(bool condition) {
  if (!condition) throw Plain{};
}

uint32_t big_endian(const uint8_t* at) { return at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }

// A track chunk's inside, [at, end) of data; as melodygru.formats.midi.chunks.read_track, but any fault is not plain.
void read_track(const uint8_t* data, int64_t at, int64_t end, int64_t number, const Rules& rules, File& file) {
  const auto byte = [&]() {
    plain_if(at < end);
    return data[at++];
  };
  const auto skip = [&](const char* word, const uint8_t*& from, int64_t& size) {
    const auto length = static_cast<int64_t>(std::strlen(word));
    const bool begins = size >= length && std::memcmp(from, word, length) == 0;
    if (begins) from += length, size -= length;
    return begins;
  };
  const auto quantity = [&]() {
    int64_t value = 0;
    for (int i = 0;; ++i) {
      const int b = byte();
      plain_if(i < 4);
      value = value << 7 | (b & 0x7f);
      if (!(b & 0x80)) return value;
    }
  };
  int64_t tick = 0, name_at = 0, name_size = 0;
  bool of_instrument = true;
  int status = 0;
  std::vector<Note> notes;
  // First in, first out: of each voice (channel and pitch), the oldest and the latest note that sounds, and of each note
  // the next one.
  std::vector<int32_t> oldest(16 * kPitches, -1), latest(16 * kPitches), next;
  for (;;) {
    tick += quantity();
    int event = byte();
    if (event < 0x80) {
      plain_if(status >= 0x80);
      event = status;
      --at;
    } else if (event < 0xf0) {
      status = event;
    }
    if (event == 0xff || event == 0xf0 || event == 0xf7) {
      const int kind = event == 0xff ? byte() : 0;
      const int64_t size = quantity();
      plain_if(size <= end - at);
      const uint8_t* payload = data + at;
      if (event == 0xff && kind == 0x2f) {
        plain_if(at + size == end);
        break;
      }
      if (event == 0xff && (kind == 0x03 || kind == 0x04)) {
        const bool blank = std::all_of(payload, payload + size, [&](uint8_t c) { return rules.blank[c]; });
        const bool better = name_size == 0 || (of_instrument && kind == 0x03);
        if (better && !blank) name_at = at, name_size = size, of_instrument = kind == 0x04;
      } else if (event == 0xff && kind == 0x01) {
        int64_t left = size;
        skip(rules.information, payload, left);
        if (skip(rules.key_in_words, payload, left)) {
          plain_if(file.words_size < 0);
          file.words_at = payload - data, file.words_size = left;
        }
      } else if (event == 0xff && kind == 0x51 && size >= 3) {
        file.slowest = std::max<int64_t>(file.slowest, payload[0] << 16 | payload[1] << 8 | payload[2]);
      } else if (event == 0xff && kind == 0x58 && size >= 2) {
        plain_if(tick == 0 && !file.stated && payload[1] < 8);
        file.stated = true;
        file.numerator = payload[0], file.denominator = 1 << payload[1];
        plain_if(rules.fewest_beats <= file.numerator && file.numerator <= rules.most_beats);
        plain_if(file.denominator <= rules.smallest_unit);
      } else if (event == 0xff && kind == 0x59) {
        const int fifths = size >= 2 ? static_cast<int8_t>(payload[0]) : 0;
        plain_if(size >= 2 && -7 <= fifths && fifths <= 7 && payload[1] <= 1);
        file.keys.push_back({tick, fifths, payload[1] == 1});
      }
      at += size;
    } else if (event >= 0xf0) {
      plain_if(false);
    } else if (event >= 0xc0 && event < 0xe0) {
      byte();
    } else {
      const int pitch = byte(), velocity = byte(), channel = event & 0x0f;
      if (event >= 0xa0) continue;
      plain_if(pitch < kPitches && velocity < 128);
      const int voice = channel << 7 | pitch;
      if (event >= 0x90 && velocity > 0) {
        const auto index = static_cast<int32_t>(notes.size());
        (oldest[voice] < 0 ? oldest[voice] : next[latest[voice]]) = index;
        latest[voice] = index;
        notes.push_back({tick, -1, pitch, velocity, channel});
        next.push_back(-1);
      } else if (oldest[voice] >= 0) {
        notes[oldest[voice]].end = tick;
        oldest[voice] = next[oldest[voice]];
      }
    }
  }
  for (const Note& note : notes) {
    plain_if(note.end > note.onset && note.end - note.onset <= rules.longest_note * file.division);
    plain_if(note.onset <= rules.longest_piece * file.division);
  }
  if (notes.empty()) return;
  for (const Note& note : notes) plain_if(note.channel == notes[0].channel);
  if (notes[0].channel == rules.percussion) return;
  plain_if(file.notes.empty());
  std::sort(notes.begin(), notes.end());
  file.notes = std::move(notes);
  file.track = number, file.name_at = name_at, file.name_size = name_size;
}

File read_file(const uint8_t* data, int64_t begin, int64_t end, const Rules& rules) {
  File file;
  file.slowest = rules.usual_tempo;
  plain_if(end - begin >= 14 && std::memcmp(data + begin, "MThd\0\0\0\6", 8) == 0);
  file.division = data[begin + 12] << 8 | data[begin + 13];
  plain_if(file.division > 0 && file.division < 0x8000);
  int64_t at = begin + 14, number = 0;
  while (at < end) {
    plain_if(end - at >= 8 && std::memcmp(data + at, "MTrk", 4) == 0);
    const int64_t size = big_endian(data + at + 4);
    plain_if(size <= end - at - 8);
    read_track(data, at + 8, at + 8 + size, ++number, rules, file);
    at += 8 + size;
  }
  plain_if(!file.notes.empty() && file.stated);
  // As if all of it were as slow as its slowest part.
  const int64_t quarters = file.notes.back().onset / file.division + 1;
  plain_if(quarters * file.slowest / 1'000'000 < rules.longest_seconds);
  std::stable_sort(file.keys.begin(), file.keys.end(),
                   [](const Signature& one, const Signature& two) { return one.tick < two.tick; });
  return file;
}

// melodygru.formats.midi.line: monophony, one_at_a_time, skyline.
double monophony(const std::vector<Note>& notes, double legato) {
  if (notes.size() < 2) return 1.0;
  int64_t alone = 0, until = notes[0].end, start = notes[0].onset;
  for (size_t i = 1; i < notes.size(); ++i) {
    const Note& note = notes[i];
    const double may = legato * static_cast<double>(until - start);
    if (note.onset > start && (static_cast<double>(until - note.onset) <= may || until < note.end)) ++alone;
    until = note.onset == start ? std::max(until, note.end) : note.end;
    start = note.onset;
  }
  return static_cast<double>(alone) / static_cast<double>(notes.size() - 1);
}

std::vector<Note> top_line(std::vector<Note> notes, int64_t division, const Rules& rules) {
  std::vector<Note> kept;
  if (monophony(notes, rules.legato) >= rules.monophonic) {
    for (const Note& note : notes) {
      if (!kept.empty() && kept.back().onset == note.onset) {
        if (note.pitch > kept.back().pitch) kept.back() = note;
        continue;
      }
      if (!kept.empty()) kept.back().end = std::min(kept.back().end, note.onset);
      kept.push_back(note);
    }
    return kept;
  }
  std::stable_sort(notes.begin(), notes.end(), [](const Note& one, const Note& two) {
    return one.onset != two.onset ? one.onset < two.onset : one.pitch > two.pitch;
  });
  for (const Note& note : notes) {
    if (!kept.empty()) {
      const Note& last = kept.back();
      if (last.onset == note.onset) continue;
      const double covered = rules.covered * static_cast<double>(note.end - note.onset);
      if (last.pitch >= note.pitch && static_cast<double>(last.end - note.onset) >= covered) continue;
      if (last.end > note.onset && note.pitch > last.pitch && (note.onset - last.onset) * rules.rolled < division) {
        kept.pop_back();
      } else {
        kept.back().end = std::min(last.end, note.onset);
      }
    }
    kept.push_back(note);
  }
  std::vector<Note> line;
  std::vector<int> around;
  const auto count = static_cast<int64_t>(kept.size());
  for (int64_t i = 0; i < count; ++i) {
    around.clear();
    const int64_t last = std::min(count, i + rules.neighbours + 1);
    for (int64_t n = std::max<int64_t>(0, i - rules.neighbours); n < last; ++n) around.push_back(kept[n].pitch);
    std::sort(around.begin(), around.end());
    if (kept[i].pitch >= around[3 * (around.size() - 1) / 4] - rules.drop) line.push_back(kept[i]);
  }
  return line;
}

// melodygru.formats.midi.grid.
struct Place {
  double off;    // steps from the nearest step
  double usual;  // of that
};

Place place_of(int64_t tick, int64_t division, const Rules& rules) {
  const double steps = static_cast<double>(tick * rules.steps_per_quarter) / static_cast<double>(division);
  const double position = std::fmod(steps, static_cast<double>(rules.steps_per_quarter));
  const double round = std::nearbyint(position);
  return {std::fabs(position - round), rules.usual[static_cast<int64_t>(round) % rules.steps_per_quarter]};
}

// Ticks as steps, to the nearest, ties to even.
int64_t to_step(int64_t tick, int64_t division, const Rules& rules) {
  const int64_t twice = 2 * tick * rules.steps_per_quarter, whole = (twice + division) / (2 * division);
  return (twice + division) % (2 * division) == 0 && whole % 2 != 0 ? whole - 1 : whole;
}

std::vector<Placed> place(const std::vector<Note>& notes, int64_t division, const Rules& rules) {
  const double one_tick = static_cast<double>(rules.steps_per_quarter) / static_cast<double>(division);
  const double near = std::max(rules.near_a_place, one_tick), count = static_cast<double>(notes.size());
  const auto on_grid = [&](const Place& at) { return at.usual > 0 && at.off <= near; };
  int64_t onsets = 0, ends = 0;
  double total = 0.0;
  for (const Note& note : notes) {
    const Place onset = place_of(note.onset, division, rules);
    if (onset.off <= rules.near_a_step) total += onset.usual;
    onsets += on_grid(onset);
    ends += on_grid(place_of(note.end, division, rules));
  }
  plain_if(total / count >= rules.written);
  plain_if(static_cast<double>(onsets) / count >= rules.onsets_on_grid);
  plain_if(static_cast<double>(ends) / count >= rules.ends_on_grid);
  std::vector<Placed> placed;
  for (size_t i = 0; i < notes.size(); ++i) {
    const int64_t onset = to_step(notes[i].onset, division, rules);
    const bool last = i + 1 == notes.size();
    const int64_t following = last ? 0 : to_step(notes[i + 1].onset, division, rules);
    if (!last && following <= onset) continue;
    int64_t end = std::max(to_step(notes[i].end, division, rules), onset + 1);
    if (!last && following - end < rules.shortest_rest) end = following;
    placed.push_back({onset, end, notes[i].pitch});
  }
  return placed;
}

struct Results {
  // Of files: whether plain; track number; where its name and the key in words lie, with their sizes (-1: no such
  // words); whether the metre is stated; key signatures.
  std::vector<int64_t> files;
  // Of key signatures, in order: the step from which on they hold, fifths, whether minor.
  std::vector<int64_t> signatures;
  // Of pieces: file, numerator, denominator, bars, pickup, where the first note begins and the last one ends (steps of
  // the file), last pitch class, events; then the duration of each pitch class.
  std::vector<int64_t> pieces;
  std::vector<uint8_t> durations, pitches;
};
constexpr int kFileFields = 8, kSignatureFields = 3, kPieceFields = 21;

// melodygru.network.tokenizer
void encode(const std::vector<Placed>& notes, int64_t start, int64_t last_bar, const Rules& rules, Results& results) {
  const auto add = [&](int64_t duration, int64_t pitch) {
    results.durations.push_back(static_cast<uint8_t>(duration));
    results.pitches.push_back(static_cast<uint8_t>(pitch));
  };
  const auto append = [&](int64_t steps, int64_t first, int64_t then) {
    for (; steps > 0; steps -= rules.max_duration, first = then) add(std::min(steps, rules.max_duration), first);
  };
  int64_t at = 0;
  for (const Placed& note : notes) {
    append(note.onset - start - at, rules.rest, rules.rest);
    append(note.end - note.onset, note.pitch, rules.tie);
    at = note.end - start;
  }
  append(last_bar - at, rules.rest, rules.rest);
  add(rules.end, rules.rest);
}

// melodygru.formats.midi.extraction
void extract(const uint8_t* data, int64_t begin, int64_t end, int64_t index, const Rules& rules, Results& results) {
  const File file = read_file(data, begin, end, rules);
  const std::vector<Note> line = top_line(file.notes, file.division, rules);
  plain_if(static_cast<int64_t>(line.size()) >= rules.min_notes);
  const std::vector<Placed> placed = place(line, file.division, rules);
  const int64_t bar = file.numerator * 4 * rules.steps_per_quarter / file.denominator;
  plain_if(file.numerator * 4 * rules.steps_per_quarter % file.denominator == 0);
  const int64_t close = std::max<int64_t>(placed.back().end, 1);
  std::vector<std::vector<Placed>> groups;
  for (const Placed& note : placed) {
    plain_if(note.onset < close);
    if (groups.empty() || note.onset - groups.back().back().end > rules.max_rest_bars * bar) groups.emplace_back();
    groups.back().push_back(note);
  }
  const size_t before = results.pieces.size();
  for (const auto& group : groups) {
    if (static_cast<int64_t>(group.size()) < rules.min_notes) continue;
    const int64_t start = group[0].onset / bar * bar, silence = group[0].onset - start;
    const bool upbeat = static_cast<double>(silence) >= rules.upbeat * static_cast<double>(bar);
    const int64_t last = group.back().end - start, pickup = upbeat && last > bar ? bar - silence : 0;
    const int64_t bars = std::max<int64_t>(1, (last + bar - 1) / bar - (pickup > 0));
    const auto events = static_cast<int64_t>(results.durations.size());
    encode(group, start, (bars - 1 + (pickup > 0)) * bar, rules, results);
    int64_t weights[12] = {};
    for (const Placed& note : group) weights[note.pitch % 12] += note.end - note.onset;
    results.pieces.insert(results.pieces.end(),
                          {index, file.numerator, file.denominator, bars, pickup, group[0].onset, group.back().end,
                           group.back().pitch % 12, static_cast<int64_t>(results.durations.size()) - events});
    results.pieces.insert(results.pieces.end(), weights, weights + 12);
  }
  plain_if(results.pieces.size() > before);
  for (const Signature& key : file.keys) {
    const int64_t step = key.tick * rules.steps_per_quarter / file.division;
    results.signatures.insert(results.signatures.end(), {step, key.fifths, key.minor});
  }
  results.files.insert(results.files.end(),
                       {1, file.track, file.name_at, file.name_size, file.words_at, file.words_size, file.stated,
                        static_cast<int64_t>(file.keys.size())});
}

// What contexts are made by, from melodygru.network.context and its columns; see `context_rules` in fast_lane.py.
struct ContextRules {
  // What is asked for.
  int64_t metre, bars_left, key, ambitus, pickup, matches, lags, candidates, columns, max_duration, history;
  const int64_t* lookback;
  // Classes.
  int64_t rest, start, positions, beat_positions, bar_numbers, bars_left_told, largest_interval, heights, pickups;
  // Tables: classes of each pitch class above each of so many references, the last of which is none; of each pitch
  // class in keys with each tonic; the bucket of each length of a run, up to the longest that is told apart.
  const uint8_t *intervals, *degrees, *run_buckets;
  int64_t references, longest_run;

  int interval(int64_t pitch, int64_t reference) const {
    return intervals[pitch * references + (reference < 0 ? references - 1 : reference)];
  }
  int run_bucket(int64_t run) const { return run_buckets[std::min(run, longest_run)]; }
};

struct Meta {
  int64_t bar, beat, metre, mode, tonic, bars, has_pickup;
};

constexpr int kUnknown = 128;  // an interval that there is not

// For each event of the past, the length of the passage before it that equals the passage just heard. Few are above 0:
// those after an event that is the same as the last one. Only they are kept, from the latest to the earliest.
class Matches {
 public:
  struct Match {
    int32_t at;
    int32_t length;
  };

  // `kind`, 0 or 1: two may be in use at a time, of different kinds. `history`: how far back is looked.
  Matches(int64_t T, int kind, int64_t history) : history_(history), codes_(T), before_(T), lengths_(T + 1), found_(T), latest_(table(kind)) {}
  ~Matches() {
    for (int32_t n = 0; n < count_; ++n) latest_[codes_[n]] = -1;
  }

  // Takes in the next event, which is the same as others with its code.
  void add(uint16_t code) {
    const int32_t n = count_++;
    size_ = 0;
    longest_ = {-1, 0};
    for (int32_t at = latest_[code]; at >= std::max<int64_t>(0, n - history_); at = before_[at]) {
      // From the latest to the earliest: what is read here was not written in this turn.
      const int32_t length = lengths_[at].turn == n - 1 ? lengths_[at].length + 1 : 1;
      lengths_[at + 1] = {n, length};
      found_[size_++] = {at + 1, length};
      if (length > longest_.length) longest_ = {at + 1, length};
    }
    codes_[n] = code;
    before_[n] = latest_[code];
    latest_[code] = n;
  }

  // The longest; of equals the latest. Length 0: there is none.
  Match longest() const { return longest_; }

  // The longest, of equals the latest, that went on otherwise than the longest of all.
  Match rival() const {
    Match best{-1, 0};
    if (longest_.length == 0) return best;
    const uint16_t same = codes_[longest_.at];
    for (int32_t i = 0; i < size_; ++i) {
      if (found_[i].length > best.length && codes_[found_[i].at] != same) best = found_[i];
    }
    return best;
  }

 private:
  // A length holds for the turn in which it was found.
  struct Length {
    int32_t turn = -1;
    int32_t length = 0;
  };

  const int64_t history_;
  std::vector<uint16_t> codes_;
  std::vector<int32_t> before_;  // the place of the event before that is the same, -1: none
  std::vector<Length> lengths_;
  std::vector<Match> found_;
  Match longest_{-1, 0};
  int32_t size_ = 0;  // of found_
  int32_t count_ = 0;

  // The latest event with each code, -1: none. Too large to be made anew for each piece.
  static std::vector<int32_t>& table(int kind) {
    thread_local std::vector<int32_t> tables[2] = {std::vector<int32_t>(1 << 16, -1), std::vector<int32_t>(1 << 16, -1)};
    return tables[kind];
  }
  std::vector<int32_t>& latest_;
};

// The context of one piece. Events must be fewer than 65536, and max_duration below 254.
void context(const uint8_t* durations, const uint8_t* pitches, int64_t T, const Meta& meta, const ContextRules& rules,
             uint8_t* inputs, uint16_t* positions, int16_t* references, uint8_t* candidate_pitches) {
  const int64_t lags = rules.lags, K = rules.candidates;
  const int rest = static_cast<int>(rules.rest);
  std::vector<int> cand_pitch(K, rest), cand_duration(K, 0), cand_run(K, 0), run(lags, 0);
  std::vector<int64_t> onsets(T + 1, 0), pointer(lags, 0);
  std::vector<int> steps(T);
  Matches exact(T, 0, rules.history), moved(T, 1, rules.history);
  Matches* const matches[2] = {&exact, &moved};
  const auto degree = [&](int pitch) { return rules.degrees[pitch * 12 + meta.tonic]; };
  int reference = -1, lowest = rest, highest = -1;
  int64_t pickup = 0;
  int previous_pitch = static_cast<int>(rules.start), previous_duration = 0;
  int previous_interval = rules.interval(previous_pitch, reference);
  int64_t onset = 0;
  for (uint32_t n = 0; n < T; ++n) {
    if (n > 0) {
      for (int64_t lag = 0; lag < lags; ++lag) {
        const int64_t target = onset - rules.lookback[lag] * meta.bar;
        int64_t& at = pointer[lag];
        while (onsets[at + 1] <= target) ++at;
        const bool exists = target >= 0;
        cand_pitch[lag] = exists ? pitches[at] : rest;
        const int64_t left = onsets[at] + durations[at] - target;
        cand_duration[lag] = exists ? static_cast<int>(std::clamp<int64_t>(left, 0, rules.max_duration)) : 0;
        cand_run[lag] = 3 * rules.run_bucket(run[lag]) + exists + (exists && onsets[at] == target);
      }
    }
    if (rules.matches && n > 1) {
      for (int kind = 0; kind < 2; ++kind) {
        for (int64_t nth = 0; nth < 2; ++nth) {
          const int64_t column = lags + 2 * kind + nth;
          const auto [where, longest] = nth == 0 ? matches[kind]->longest() : matches[kind]->rival();
          if (longest == 0) {
            cand_pitch[column] = rest, cand_duration[column] = cand_run[column] = 0;
            continue;
          }
          int pitch = pitches[where];
          if (kind == 1 && steps[where] < kUnknown) {
            const int moved = reference + steps[where];
            pitch = moved >= 0 && moved < rest ? moved : rest;
          }
          cand_pitch[column] = pitch, cand_duration[column] = durations[where];
          cand_run[column] = 3 * rules.run_bucket(longest) + 2;
        }
      }
    }
    const int64_t position = onset % meta.bar, bar = onset / meta.bar + (meta.has_pickup ? 0 : 1);
    uint8_t* in = inputs + n * rules.columns;
    const auto put = [&in](int64_t value) { *in++ = static_cast<uint8_t>(value); };
    const auto height = [&](int64_t semitones) {
      return reference >= 0 ? std::min(semitones, rules.largest_interval) : rules.heights - 1;
    };
    put(previous_pitch), put(previous_interval), put(previous_duration);
    if (rules.metre) {
      put(std::min(position, rules.positions - 1));
      put(std::min(position % meta.beat, rules.beat_positions - 1));
      put(meta.metre), put((bar - 1 + rules.bar_numbers) % rules.bar_numbers);
    }
    if (rules.bars_left) put(std::clamp<int64_t>(meta.bars - bar + 1, 0, rules.bars_left_told - 1));
    if (rules.key) put(degree(previous_pitch)), put(meta.mode);
    if (rules.ambitus) put(height(reference - lowest)), put(height(highest - reference));
    if (rules.pickup) put(pickup);
    for (int64_t k = 0; k < K; ++k) {
      put(rules.interval(cand_pitch[k], reference));
      if (rules.key) put(degree(cand_pitch[k]));
      put(cand_duration[k]), put(cand_run[k]);
      candidate_pitches[n * K + k] = static_cast<uint8_t>(cand_pitch[k]);
    }
    positions[n] = static_cast<uint16_t>(position);
    references[n] = static_cast<int16_t>(reference);

    const int duration = durations[n], pitch = pitches[n];
    for (int64_t lag = 0; lag < lags; ++lag) {
      const bool same = cand_run[lag] % 3 == 2 && cand_duration[lag] == duration && cand_pitch[lag] == pitch;
      run[lag] = same ? run[lag] + 1 : 0;
    }
    steps[n] = pitch >= rest ? kUnknown + 1 + pitch - rest : reference >= 0 ? pitch - reference : kUnknown;
    previous_interval = rules.interval(pitch, reference);
    previous_pitch = pitch, previous_duration = duration;
    if (rules.matches) {
      const int of_step = steps[n] + kUnknown - 1;
      for (int kind = 0; kind < 2; ++kind) {
        matches[kind]->add(static_cast<uint16_t>((kind == 0 ? pitch : of_step) * (rules.max_duration + 1) + duration));
      }
    }
    if (pitch < rest) {
      reference = pitch;
      lowest = std::min(lowest, pitch), highest = std::max(highest, pitch);
    }
    if (n == 0 && meta.has_pickup) {
      pickup = std::clamp<int64_t>(meta.bar - duration, 0, rules.pickups - 1);
    }
    onset += duration;
    onsets[n + 1] = onset;
  }
}

}  // namespace

extern "C" {

// Files are data[offsets[i], offsets[i + 1]). The results are held until reading_free. Null: there is no memory.
// No exception leaves these functions: callers are in C.
void* reading_extract(const uint8_t* data, const int64_t* offsets, int64_t files, const Rules* rules) {
  auto* results = new (std::nothrow) Results;
  try {
    if (results != nullptr) results->files.reserve(kFileFields * files);
  } catch (const std::exception&) {
    delete results;
    results = nullptr;
  }
  for (int64_t i = 0; results != nullptr && i < files; ++i) {
    const size_t pieces = results->pieces.size(), events = results->durations.size();
    const size_t signatures = results->signatures.size();
    try {
      extract(data, offsets[i], offsets[i + 1], i, *rules, *results);
      continue;
    } catch (const Plain&) {
    } catch (const std::exception&) {
      // There is not enough memory for it here. Whoever reads it next will say so.
    }
    results->signatures.resize(signatures);
    results->pieces.resize(pieces);
    results->durations.resize(events);
    results->pitches.resize(events);
    results->files.insert(results->files.end(), kFileFields, 0);
  }
  return results;
}

// Written: how many key signatures, pieces and events there are, and fields of a file, a signature and a piece.
void reading_sizes(const void* from, int64_t* sizes) {
  const auto& results = *static_cast<const Results*>(from);
  sizes[0] = static_cast<int64_t>(results.signatures.size()) / kSignatureFields;
  sizes[1] = static_cast<int64_t>(results.pieces.size()) / kPieceFields;
  sizes[2] = static_cast<int64_t>(results.durations.size());
  sizes[3] = kFileFields, sizes[4] = kSignatureFields, sizes[5] = kPieceFields;
}

// Copies the results into arrays of those sizes.
void reading_copy(const void* from, int64_t* files, int64_t* signatures, int64_t* pieces, uint8_t* durations,
                  uint8_t* pitches) {
  const auto& results = *static_cast<const Results*>(from);
  std::copy(results.files.begin(), results.files.end(), files);
  std::copy(results.signatures.begin(), results.signatures.end(), signatures);
  std::copy(results.pieces.begin(), results.pieces.end(), pieces);
  std::copy(results.durations.begin(), results.durations.end(), durations);
  std::copy(results.pitches.begin(), results.pitches.end(), pitches);
}
void reading_free(void* results) { delete static_cast<Results*>(results); }

// The context of whole pieces: events [offsets[i], offsets[i + 1]), metas (pieces, 7).
// Written: inputs (events, columns), positions, references (events), candidate pitches (events, candidates).
// False: there was not enough memory.
bool reading_context(const uint8_t* durations, const uint8_t* pitches, const int64_t* offsets, const int64_t* metas,
                     int64_t pieces, const ContextRules* rules, uint8_t* inputs, uint16_t* positions,
                     int16_t* references, uint8_t* candidate_pitches) {
  try {
    for (int64_t i = 0; i < pieces; ++i) {
      const int64_t at = offsets[i];
      const auto meta = *reinterpret_cast<const Meta*>(metas + 7 * i);
      context(durations + at, pitches + at, offsets[i + 1] - at, meta, *rules, inputs + at * rules->columns,
              positions + at, references + at, candidate_pitches + at * rules->candidates);
    }
    return true;
  } catch (const std::exception&) {
    return false;
  }
}
}
