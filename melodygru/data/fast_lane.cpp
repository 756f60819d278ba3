// From the bytes of many MIDI files to events and their context: the fast lane for plain files.
//
// What is plain: nothing wrong with the bytes, one melodic part, one metre from the beginning, notes on the grid from
// tick 0. Such a file comes out exactly as melodygru.formats.midi.extraction, melodygru.network.tokenizer and melodygru.network.context make it, which
// is tested; every other file is told to be not plain, and goes through those. fast_lane.py calls this.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <vector>

namespace {

constexpr int kStepsPerQuarter = 24;
constexpr int kPercussion = 9;
constexpr int kRest = 128, kTie = 129, kStart = 130;

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

struct Settings {
  int64_t min_notes, max_rest_bars, max_duration;
};

struct Signature {
  int64_t tick;
  int fifths;  // 99: none
  bool minor;
};

// What one file says, as far as a plain file may.
struct File {
  int64_t division = 0;
  std::vector<Note> notes;  // of the one part
  int64_t track = 0, name_at = 0, name_size = 0, words_at = 0, words_size = -1;
  bool stated = false;  // the metre
  int numerator = 4, denominator = 4;
  std::vector<Signature> keys;  // by tick
};

struct Plain {};  // thrown where a file is not

void plain_if(bool condition) {
  if (!condition) throw Plain{};
}

uint32_t big_endian(const uint8_t* at) { return at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3]; }

// A track chunk's inside, [at, end) of data; as melodygru.formats.midi.chunks.read_track, but any fault is not plain.
void read_track(const uint8_t* data, int64_t at, int64_t end, int64_t number, File& file) {
  const auto byte = [&]() {
    plain_if(at < end);
    return data[at++];
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
  int status = 0;
  std::vector<Note> notes;
  // First in, first out: of each voice (channel and pitch), the oldest and the latest note that sounds, and of each note
  // the next one.
  std::vector<int32_t> oldest(2048, -1), latest(2048), next;
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
      if (event == 0xff && kind == 0x03) {
        const bool blank = std::all_of(payload, payload + size, [](uint8_t c) { return std::strchr(" \t\r\n", c); });
        if (name_size == 0 && !blank) name_at = at, name_size = size;
      } else if (event == 0xff && kind == 0x01) {
        const int skip = size >= 2 && std::memcmp(payload, "@I", 2) == 0 ? 2 : 0;
        if (size >= skip + 5 && std::memcmp(payload + skip, "key: ", 5) == 0) {
          plain_if(file.words_size < 0);
          file.words_at = at + skip + 5, file.words_size = size - skip - 5;
        }
      } else if (event == 0xff && kind == 0x58 && size >= 2) {
        plain_if(tick == 0 && !file.stated && payload[1] <= 5);
        file.stated = true;
        file.numerator = payload[0], file.denominator = 1 << payload[1];
        plain_if(2 <= file.numerator && file.numerator <= 32);
      } else if (event == 0xff && kind == 0x59) {
        const int fifths = size >= 1 ? static_cast<int8_t>(payload[0]) : 99;
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
      plain_if(pitch < 128 && velocity < 128);
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
  for (const Note& note : notes) plain_if(note.end >= 0);
  if (notes.empty()) return;
  for (const Note& note : notes) plain_if(note.channel == notes[0].channel);
  if (notes[0].channel == kPercussion) return;
  plain_if(file.notes.empty());
  std::sort(notes.begin(), notes.end());
  file.notes = std::move(notes);
  file.track = number, file.name_at = name_at, file.name_size = name_size;
}

File read_file(const uint8_t* data, int64_t begin, int64_t end) {
  File file;
  plain_if(end - begin >= 14 && std::memcmp(data + begin, "MThd\0\0\0\6", 8) == 0);
  file.division = data[begin + 12] << 8 | data[begin + 13];
  plain_if(file.division > 0 && file.division < 0x8000);
  int64_t at = begin + 14, number = 0;
  while (at < end) {
    plain_if(end - at >= 8 && std::memcmp(data + at, "MTrk", 4) == 0);
    const int64_t size = big_endian(data + at + 4);
    plain_if(size <= end - at - 8);
    read_track(data, at + 8, at + 8 + size, ++number, file);
    at += 8 + size;
  }
  plain_if(!file.notes.empty());
  std::stable_sort(file.keys.begin(), file.keys.end(),
                   [](const Signature& one, const Signature& two) { return one.tick < two.tick; });
  return file;
}

// melodygru.formats.midi.tracks: monophony, one_at_a_time, skyline.
double monophony(const std::vector<Note>& notes) {
  if (notes.size() < 2) return 1.0;
  int64_t alone = 0, until = notes[0].end, start = notes[0].onset;
  for (size_t i = 1; i < notes.size(); ++i) {
    const Note& note = notes[i];
    if (note.onset > start && until - note.onset <= 0.25 * static_cast<double>(until - start)) ++alone;
    until = note.onset == start ? std::max(until, note.end) : note.end;
    start = note.onset;
  }
  return static_cast<double>(alone) / static_cast<double>(notes.size() - 1);
}

std::vector<Note> top_line(std::vector<Note> notes) {
  std::vector<Note> kept;
  if (monophony(notes) >= 0.85) {
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
      if (last.pitch >= note.pitch && 2 * (last.end - note.onset) >= note.end - note.onset) continue;
      kept.back().end = std::min(last.end, note.onset);
    }
    kept.push_back(note);
  }
  return kept;
}

// melodygru.formats.midi.grid.
double usual(int64_t step) {
  switch (step) {
    case 0: return 1.0;
    case 12: return 0.9;
    case 6: case 18: case 8: case 16: return 0.7;
    case 3: case 9: case 15: case 21: case 4: case 20: return 0.3;
    default: return 0.0;
  }
}

double in_quarter(int64_t tick, int64_t division) {
  return std::fmod(static_cast<double>(tick * kStepsPerQuarter) / static_cast<double>(division), kStepsPerQuarter);
}

double on_grid(const std::vector<int64_t>& ticks, int64_t division) {
  int64_t near = 0;
  for (const int64_t tick : ticks) {
    const double position = in_quarter(tick, division), round = std::nearbyint(position);
    const bool place = usual(static_cast<int64_t>(round) % kStepsPerQuarter) > 0;
    near += place && std::fabs(position - round) <= std::max(0.25, 24.0 / static_cast<double>(division));
  }
  return static_cast<double>(near) / static_cast<double>(ticks.size());
}

// Ticks as steps, to the nearest, ties to even.
int64_t to_step(int64_t tick, int64_t division) {
  const int64_t twice = 2 * tick * kStepsPerQuarter, whole = (twice + division) / (2 * division);
  return (twice + division) % (2 * division) == 0 && whole % 2 != 0 ? whole - 1 : whole;
}

std::vector<Placed> place(const std::vector<Note>& notes, int64_t division) {
  std::vector<int64_t> onsets, ends;
  double total = 0.0;
  for (const Note& note : notes) {
    onsets.push_back(note.onset);
    ends.push_back(note.end);
    const double position = in_quarter(note.onset, division), round = std::nearbyint(position);
    if (std::fabs(position - round) <= 1.0 / 3) total += usual(static_cast<int64_t>(round) % kStepsPerQuarter);
  }
  plain_if(total / static_cast<double>(notes.size()) >= 0.5);
  plain_if(on_grid(onsets, division) >= 0.9 && on_grid(ends, division) >= 0.8);
  std::vector<Placed> placed;
  for (size_t i = 0; i < notes.size(); ++i) {
    const int64_t onset = to_step(notes[i].onset, division);
    const bool last = i + 1 == notes.size();
    const int64_t following = last ? 0 : to_step(notes[i + 1].onset, division);
    if (!last && following <= onset) continue;
    int64_t end = std::max(to_step(notes[i].end, division), onset + 1);
    if (!last && following - end < 3) end = following;
    placed.push_back({onset, end, notes[i].pitch});
  }
  return placed;
}


// melodygru.formats.midi.extraction: the signature that holds for most of the steps [first, last).
Signature in_force(const File& file, int64_t first, int64_t last) {
  Signature best{0, 99, false};
  int64_t longest = 0;
  for (size_t i = 0; i < file.keys.size(); ++i) {
    const auto step = [&](size_t at) { return file.keys[at].tick * kStepsPerQuarter / file.division; };
    const int64_t end = i + 1 < file.keys.size() ? std::min(last, step(i + 1)) : last;
    const int64_t lasts = end - std::max(first, step(i));
    if (lasts > longest) best = file.keys[i], longest = lasts;
  }
  return best;
}

struct Results {
  // Of files: whether plain; track number; where its name and the key in words lie; pieces.
  std::vector<int64_t> files;
  // Of pieces: file, numerator, denominator, bars, pickup in steps, key signature (99: none), whether minor, last pitch
  // class, events; then the duration of each pitch class.
  std::vector<int64_t> pieces;
  std::vector<uint8_t> durations, pitches;
};
constexpr int kFileFields = 7, kPieceFields = 21;

void encode(const std::vector<Placed>& notes, int64_t start, int64_t length, int64_t bar, const Settings& settings,
            Results& results) {
  const auto append = [&](int64_t steps, int first, int then) {
    while (steps > 0) {
      const int64_t part = std::min(steps, settings.max_duration);
      results.durations.push_back(static_cast<uint8_t>(part));
      results.pitches.push_back(static_cast<uint8_t>(first));
      steps -= part;
      first = then;
    }
  };
  int64_t at = 0;
  for (const Placed& note : notes) {
    append(note.onset - start - at, kRest, kRest);
    append(note.end - note.onset, note.pitch, kTie);
    at = note.end - start;
  }
  append(length - bar - at, kRest, kRest);
  results.durations.push_back(0);
  results.pitches.push_back(kRest);
}

void extract(const uint8_t* data, int64_t begin, int64_t end, int64_t index, const Settings& settings,
             Results& results) {
  const File file = read_file(data, begin, end);
  const std::vector<Note> line = top_line(file.notes);
  plain_if(static_cast<int64_t>(line.size()) >= settings.min_notes);
  const std::vector<Placed> placed = place(line, file.division);
  const int64_t bar = file.numerator * 4 * kStepsPerQuarter / file.denominator;
  plain_if(file.numerator * 4 * kStepsPerQuarter % file.denominator == 0);
  const int64_t close = std::max<int64_t>(placed.back().end, 1);
  std::vector<std::vector<Placed>> groups;
  for (const Placed& note : placed) {
    plain_if(note.onset < close);
    if (groups.empty() || note.onset - groups.back().back().end > settings.max_rest_bars * bar) groups.emplace_back();
    groups.back().push_back(note);
  }
  int64_t pieces = 0;
  for (const auto& group : groups) {
    if (static_cast<int64_t>(group.size()) < settings.min_notes) continue;
    const int64_t start = group[0].onset / bar * bar, silence = group[0].onset - start;
    const int64_t pickup = 2 * silence >= bar ? bar - silence : 0;
    const int64_t last = group.back().end - start;
    if (pickup && last <= bar) continue;
    const int64_t bars = std::max<int64_t>(1, (last + bar - 1) / bar - (pickup > 0));
    const size_t before = results.durations.size();
    encode(group, start, (bars + (pickup > 0)) * bar, bar, settings, results);
    int64_t weights[12] = {};
    for (const Placed& note : group) weights[note.pitch % 12] += note.end - note.onset;
    const Signature key = in_force(file, group[0].onset, group.back().end);
    results.pieces.insert(results.pieces.end(),
                          {index, file.numerator, file.denominator, bars, pickup, key.fifths, key.minor, group.back().pitch % 12, static_cast<int64_t>(results.durations.size() - before)});
    results.pieces.insert(results.pieces.end(), weights, weights + 12);
    ++pieces;
  }
  plain_if(pieces > 0);
  results.files.insert(results.files.end(), {1, file.track, file.name_at, file.name_size, file.words_at,
                                             file.words_size, int64_t{file.stated}});
}

// melodygru.network.context, for one piece. Events must be fewer than 65536, and max_duration below 254.
constexpr int kPositions = 192, kBeatPositions = 96, kBarNumbers = 16, kBarsLeft = 34;
constexpr int kLargest = 24, kIntervals = 2 * kLargest + 4, kDegrees = 14, kHeights = kLargest + 2, kPickups = 97;
constexpr int kUnknown = 128, kLastEdge = 32;  // kUnknown: an interval that there is not
constexpr int kEdges[] = {0, 1, 2, 3, 4, 6, 9, 16, 32};

struct ContextSettings {
  int64_t metre, bars_left, key, ambitus, pickup, matches, lags, max_duration;
};

struct Meta {
  int64_t bar, beat, metre, mode, tonic, bars, has_pickup;
};

// By the length of a run, up to the last edge.
struct Buckets {
  uint8_t of[kLastEdge + 1] = {};
  constexpr Buckets() {
    for (int run = 0, bucket = 0; run <= kLastEdge; ++run) {
      while (bucket + 1 < 9 && kEdges[bucket + 1] <= run) ++bucket;
      of[run] = static_cast<uint8_t>(bucket);
    }
  }
};
constexpr Buckets kBuckets;

int run_bucket(int run) { return kBuckets.of[std::min(run, kLastEdge)]; }

int interval(int pitch, int reference) {
  if (pitch >= kRest) return std::min(pitch - kRest + kIntervals - 3, kIntervals - 1);
  return reference < 0 ? kIntervals - 1 : std::clamp(pitch - reference, -kLargest, kLargest) + kLargest;
}

uint8_t degree(int pitch, int64_t tonic) {
  return static_cast<uint8_t>(pitch >= kRest ? std::min(pitch - kRest + 12, kDegrees - 1) : (pitch + 12 - tonic) % 12);
}

// For each event of the past, the length of the passage before it that equals the passage just heard. Few are above 0:
// those after an event that is the same as the last one. Only they are kept, from the latest to the earliest.
class Matches {
 public:
  struct Match {
    int32_t at;
    int32_t length;
  };

  // `kind`, 0 or 1: two may be in use at a time, of different kinds.
  Matches(int64_t T, int kind) : codes_(T), before_(T), lengths_(T + 1), found_(T), latest_(table(kind)) {}
  ~Matches() {
    for (int32_t n = 0; n < count_; ++n) latest_[codes_[n]] = -1;
  }

  // Takes in the next event, which is the same as others with its code.
  void add(uint16_t code) {
    const int32_t n = count_++;
    size_ = 0;
    longest_ = {-1, 0};
    for (int32_t at = latest_[code]; at >= 0; at = before_[at]) {
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

void context(const uint8_t* durations, const uint8_t* pitches, int64_t T, const Meta& meta,
             const ContextSettings& settings, const int64_t* lookback, int64_t columns, uint8_t* inputs,
             uint16_t* positions, int16_t* references, uint8_t* candidate_pitches) {
  const int64_t lags = settings.lags, K = lags + (settings.matches ? 4 : 0);
  std::vector<int> cand_pitch(K, kRest), cand_duration(K, 0), cand_run(K, 0), run(lags, 0);
  std::vector<int64_t> onsets(T + 1, 0), pointer(lags, 0);
  std::vector<int> steps(T);
  Matches exact(T, 0), moved(T, 1);
  Matches* const matches[2] = {&exact, &moved};
  uint8_t degrees[kStart + 1];
  for (int pitch = 0; pitch <= kStart; ++pitch) degrees[pitch] = degree(pitch, meta.tonic);
  int reference = -1, lowest = kRest, highest = -1, pickup = 0;
  int previous_pitch = kStart, previous_interval = kIntervals - 1, previous_duration = 0;
  int64_t onset = 0;
  for (uint32_t n = 0; n < T; ++n) {
    if (n > 0) {
      for (int64_t lag = 0; lag < lags; ++lag) {
        const int64_t target = onset - lookback[lag] * meta.bar;
        int64_t& at = pointer[lag];
        while (onsets[at + 1] <= target) ++at;
        const bool exists = target >= 0;
        cand_pitch[lag] = exists ? pitches[at] : kRest;
        const int64_t left = onsets[at] + durations[at] - target;
        cand_duration[lag] = exists ? static_cast<int>(std::clamp<int64_t>(left, 0, settings.max_duration)) : 0;
        cand_run[lag] = 3 * run_bucket(run[lag]) + exists + (exists && onsets[at] == target);
      }
    }
    if (settings.matches && n > 1) {
      for (int kind = 0; kind < 2; ++kind) {
        for (int64_t nth = 0; nth < 2; ++nth) {
          const int64_t column = lags + 2 * kind + nth;
          const auto [where, longest] = nth == 0 ? matches[kind]->longest() : matches[kind]->rival();
          if (longest == 0) {
            cand_pitch[column] = kRest, cand_duration[column] = cand_run[column] = 0;
            continue;
          }
          int pitch = pitches[where];
          if (kind == 1 && steps[where] < kUnknown) {
            const int moved = reference + steps[where];
            pitch = moved >= 0 && moved < kRest ? moved : kRest;
          }
          cand_pitch[column] = pitch, cand_duration[column] = durations[where];
          cand_run[column] = 3 * run_bucket(longest) + 2;
        }
      }
    }
    const int64_t position = onset % meta.bar, bar = onset / meta.bar + (meta.has_pickup ? 0 : 1);
    uint8_t* in = inputs + n * columns;
    const auto put = [&in](int64_t value) { *in++ = static_cast<uint8_t>(value); };
    const auto height = [&](int semitones) { return reference >= 0 ? std::min(semitones, kLargest) : kHeights - 1; };
    put(previous_pitch), put(previous_interval), put(previous_duration);
    if (settings.metre) {
      put(std::min<int64_t>(position, kPositions - 1));
      put(std::min<int64_t>(position % meta.beat, kBeatPositions - 1));
      put(meta.metre), put((bar - 1 + kBarNumbers) % kBarNumbers);
    }
    if (settings.bars_left) put(std::clamp<int64_t>(meta.bars - bar + 1, 0, kBarsLeft - 1));
    if (settings.key) put(degrees[previous_pitch]), put(meta.mode);
    if (settings.ambitus) put(height(reference - lowest)), put(height(highest - reference));
    if (settings.pickup) put(pickup);
    for (int64_t k = 0; k < K; ++k) {
      put(interval(cand_pitch[k], reference));
      if (settings.key) put(degrees[cand_pitch[k]]);
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
    steps[n] = pitch >= kRest ? kUnknown + 1 + pitch - kRest : reference >= 0 ? pitch - reference : kUnknown;
    previous_interval = interval(pitch, reference);
    previous_pitch = pitch, previous_duration = duration;
    if (settings.matches) {
      const int of_step = steps[n] + kUnknown - 1;
      for (int kind = 0; kind < 2; ++kind) {
        matches[kind]->add(static_cast<uint16_t>((kind == 0 ? pitch : of_step) * (settings.max_duration + 1) + duration));
      }
    }
    if (pitch < kRest) {
      reference = pitch;
      lowest = std::min(lowest, pitch), highest = std::max(highest, pitch);
    }
    if (n == 0 && meta.has_pickup) {
      pickup = static_cast<int>(std::clamp<int64_t>(meta.bar - duration, 0, kPickups - 1));
    }
    onset += duration;
    onsets[n + 1] = onset;
  }
}

}  // namespace

extern "C" {

int64_t reading_file_fields() { return kFileFields; }
int64_t reading_piece_fields() { return kPieceFields; }

// Files are data[offsets[i], offsets[i + 1]). The results are held until reading_free.
void* reading_extract(const uint8_t* data, const int64_t* offsets, int64_t files, int64_t min_notes,
                      int64_t max_rest_bars, int64_t max_duration) {
  auto* results = new Results;
  const Settings settings{min_notes, max_rest_bars, max_duration};
  for (int64_t i = 0; i < files; ++i) {
    const size_t pieces = results->pieces.size(), events = results->durations.size();
    try {
      extract(data, offsets[i], offsets[i + 1], i, settings, *results);
    } catch (const Plain&) {
      results->pieces.resize(pieces);
      results->durations.resize(events);
      results->pitches.resize(events);
      results->files.insert(results->files.end(), kFileFields, 0);
    }
  }
  return results;
}

int64_t reading_pieces(const void* results) {
  return static_cast<const Results*>(results)->pieces.size() / kPieceFields;
}
int64_t reading_events(const void* results) { return static_cast<const Results*>(results)->durations.size(); }

// Copies the results into arrays of the sizes that the functions above tell.
void reading_copy(const void* from, int64_t* files, int64_t* pieces, uint8_t* durations, uint8_t* pitches) {
  const auto& results = *static_cast<const Results*>(from);
  std::copy(results.files.begin(), results.files.end(), files);
  std::copy(results.pieces.begin(), results.pieces.end(), pieces);
  std::copy(results.durations.begin(), results.durations.end(), durations);
  std::copy(results.pitches.begin(), results.pitches.end(), pitches);
}
void reading_free(void* results) { delete static_cast<Results*>(results); }

// The context of whole pieces: events [offsets[i], offsets[i + 1]), metas (pieces, 7), settings (8), lookback (lags).
// Written: inputs (events, columns), positions, references (events), candidate pitches (events, candidates).
void reading_context(const uint8_t* durations, const uint8_t* pitches, const int64_t* offsets, const int64_t* metas,
                     int64_t pieces, const int64_t* settings, const int64_t* lookback, int64_t columns,
                     int64_t candidates, uint8_t* inputs, uint16_t* positions, int16_t* references,
                     uint8_t* candidate_pitches) {
  const auto chosen = *reinterpret_cast<const ContextSettings*>(settings);
  for (int64_t i = 0; i < pieces; ++i) {
    const int64_t at = offsets[i];
    const auto meta = *reinterpret_cast<const Meta*>(metas + 7 * i);
    context(durations + at, pitches + at, offsets[i + 1] - at, meta, chosen, lookback, columns, inputs + at * columns,
            positions + at, references + at, candidate_pitches + at * candidates);
  }
}
}
