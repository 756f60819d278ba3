// One place of a look-ahead's tables, all later ones being known: `melodygru.writing.ways.fill_by_numpy`.
#include <algorithm>
#include <cstdint>

namespace {

constexpr int64_t kPitches = 128, kLasts = kPitches + 1;

}  // namespace

// Field by field as `melodygru.writing.ways` hands it over.
struct Ways {
  int64_t kinds, places, no_way, free, first_by;
  const int16_t* gain;                            // (kinds,)
  const uint8_t* foreseen;                        // (129, 128): which pitch may follow which
  int16_t *after_sound, *after_rest;              // (kinds, places, 129)
  const uint8_t *all_begin, *all_close, *may_tie; // (places, 128), (places, 129), (places,)
  // Of one place:
  int64_t place, region, ends;
  const int64_t* end_places;                      // (D,)
  const uint8_t* rests;                           // (D,): up to which of them there may be a rest
  const uint8_t* sounds;                          // (D, 128), or null: all may sound
};

extern "C" void ways_fill(const Ways* w) {
  const auto no_way = static_cast<int16_t>(w->no_way);
  const uint8_t *may_begin = w->all_begin + w->place * kPitches, *closes = w->all_close + w->place * kLasts;
  for (int64_t kind = 0; kind < w->kinds; ++kind) {
    int16_t* sound = w->after_sound + kind * w->places * kLasts;
    int16_t* rest = w->after_rest + kind * w->places * kLasts;
    int16_t on[kLasts], best[kLasts], note[kPitches], silent[kLasts];
    for (int64_t last = 0; last < kLasts; ++last) on[last] = closes[last] ? 0 : no_way;
    if (w->ends > 0) {
      std::fill(best, best + kLasts, INT16_MIN);
      for (int64_t d = 0; d < w->ends; ++d) {
        const int16_t* later = sound + w->end_places[d] * kLasts;
        if (w->sounds == nullptr) {
          for (int64_t last = 0; last < kLasts; ++last) best[last] = std::max(best[last], later[last]);
        } else {
          const uint8_t* may = w->sounds + d * kPitches;
          for (int64_t last = 0; last < kPitches; ++last) best[last] = std::max(best[last], may[last] ? later[last] : no_way);
          best[kPitches] = std::max(best[kPitches], later[kPitches]);
        }
      }
      int16_t most = no_way;
      for (int64_t pitch = 0; pitch < kPitches; ++pitch) {
        const bool begins = may_begin[pitch] && best[pitch] > no_way;
        note[pitch] = begins ? static_cast<int16_t>(best[pitch] + w->gain[kind]) : no_way;
        most = std::max(most, note[pitch]);
      }
      for (int64_t last = 0; last < kLasts; ++last) {
        int16_t following = most;
        if (!w->free) {
          following = no_way;
          const uint8_t* may = w->foreseen + last * kPitches;
          for (int64_t pitch = 0; pitch < kPitches; ++pitch) following = std::max(following, may[pitch] ? note[pitch] : no_way);
        }
        on[last] = std::max(on[last], following);
        rest[w->place * kLasts + last] = on[last];
      }
      if (std::any_of(w->rests, w->rests + w->ends, [](uint8_t may) { return may != 0; })) {
        std::fill(silent, silent + kLasts, INT16_MIN);
        int16_t before_any = no_way;
        for (int64_t d = 0; d < w->ends; ++d) {
          if (!w->rests[d]) continue;
          const int16_t* later = rest + w->end_places[d] * kLasts;
          for (int64_t last = 0; last < kPitches; ++last) silent[last] = std::max(silent[last], later[last]);
          if (w->end_places[d] - w->region < w->first_by) before_any = std::max(before_any, later[kPitches]);
        }
        silent[kPitches] = before_any;
        for (int64_t last = 0; last < kLasts; ++last) on[last] = std::max(on[last], silent[last]);
      }
      if (w->may_tie[w->place]) {
        best[kPitches] = no_way;
        for (int64_t last = 0; last < kLasts; ++last) on[last] = std::max(on[last], best[last]);
      }
    } else {
      std::copy(on, on + kLasts, rest + w->place * kLasts);
    }
    std::copy(on, on + kLasts, sound + w->place * kLasts);
  }
}
