// What may come next in each of B melodies: `melodygru.writing.masks.legal_by_numpy`, pitch by pitch.
#include <cstdint>
#include <cstring>

namespace {

constexpr int64_t kPitches = 128, kClasses = kPitches + 2, kLasts = kPitches + 1;  // rest and tie; none yet

int16_t within_16_bits(int64_t value) {
  return static_cast<int16_t>(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

// Which numbers of notes to come lead to the end: from `low` on, and at most `high`, where they are counted.
struct Bounds {
  int16_t no_way, low, minus_high;

  Bounds(int64_t no_way, int64_t counted, int64_t low, int64_t high)
      : no_way(static_cast<int16_t>(no_way)),
        low(within_16_bits(counted ? low : INT16_MIN)),
        minus_high(within_16_bits(counted ? -high : INT16_MIN)) {}
  // `most`, and minus the fewest; the same number twice where they are not counted.
  uint8_t hold(int16_t most, int16_t fewest) const {
    return static_cast<uint8_t>((most > no_way) & (most >= low) & (fewest >= minus_high));
  }
};

}  // namespace

// Field by field as `melodygru.writing.masks` hands it over; D: most durations at a place.
struct Masks {
  int64_t melodies, places, durations, size, counted, no_way, first_by;
  // Of places: see `Tables` there.
  const int16_t *after_sound, *after_rest;        // (1 or 2, places, 129)
  const int32_t* end_table;                       // (places, D)
  const uint8_t *rest_table, *begins, *may_tie;   // (places, D), (places, 128), (places,)
  // Of melodies, (B,): where they stand, the bounds of notes to come in their region, and what was found.
  const int64_t *place, *region, *last, *onset, *reference, *low, *high, *owed, *owed_after_rest;
  const uint8_t *sounding, *resting;
  const uint8_t* following;                       // (B, 128)
  const uint8_t *may_rest, *may_sound;            // (B, D), or null: all may
  const uint8_t* const* sounds;                   // (B,), of each (ends, 128), or null: all; or null for all melodies
  uint8_t *legal, *legal_durations;               // (B, D, 130), (B, size): the latter all 0 before
};

extern "C" void masks_find(const Masks* o) {
  const int64_t second = o->counted ? o->places * kLasts : 0;
  for (int64_t row = 0; row < o->melodies; ++row) {
    const int64_t place = o->place[row], last = o->last[row], low = o->low[row], high = o->high[row];
    const Bounds held(o->no_way, o->counted, low + o->owed[row], high);
    const Bounds begun(o->no_way, o->counted, low + o->owed[row] - 1, high - 1);
    const Bounds silent(o->no_way, o->counted, low + o->owed_after_rest[row], high);
    const uint8_t* following = o->following + row * kPitches;
    const uint8_t* begins = o->begins + place * kPitches;
    const uint8_t* sounds = o->sounds != nullptr ? o->sounds[row] : nullptr;
    const bool ties = o->sounding[row] && o->may_tie[place];
    for (int64_t d = 0; d < o->durations; ++d) {
      uint8_t* legal = o->legal + (row * o->durations + d) * kClasses;
      const int64_t end = o->end_table[place * o->durations + d];
      if (end <= place) {  // rows of the table are filled up with 0
        std::memset(legal, 0, kClasses);
        continue;
      }
      const int16_t *most = o->after_sound + end * kLasts, *fewest = most + second;
      const int16_t *after = o->after_rest + end * kLasts + last;
      const uint8_t may_sound = o->may_sound == nullptr || o->may_sound[row * o->durations + d];
      uint8_t any = 0;
      for (int64_t pitch = 0; pitch < kPitches; ++pitch) {
        legal[pitch] = begun.hold(most[pitch], fewest[pitch]) & following[pitch] & begins[pitch] & may_sound;
      }
      if (sounds != nullptr) {
        for (int64_t pitch = 0; pitch < kPitches; ++pitch) legal[pitch] &= sounds[d * kPitches + pitch];
      }
      const bool rest = silent.hold(after[0], after[second]) && o->rest_table[place * o->durations + d] &&
                        !o->resting[row] && (o->reference[row] >= 0 || end - o->region[row] < o->first_by) &&
                        (o->may_rest == nullptr || o->may_rest[row * o->durations + d]);
      const bool tie = ties && held.hold(most[last], fewest[last]) && may_sound &&
                       (sounds == nullptr || last >= kPitches || sounds[d * kPitches + last]);
      legal[kPitches] = rest, legal[kPitches + 1] = tie;
      for (int64_t i = 0; i < kClasses; ++i) any |= legal[i];
      const int64_t steps = end - o->region[row] - o->onset[row];
      if (any && steps < o->size) o->legal_durations[row * o->size + steps] = 1;
    }
  }
}
