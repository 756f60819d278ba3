// Where in a collection each run of so many notes stands: the tables of `melodygru.writing.copy_guard`, in two passes.
#include <cstdint>

// Field by field as `melodygru.writing.copy_guard` hands it over. Arithmetic is in 64 bits, wrapping.
struct Runs {
  int64_t pieces, limit, code_width, gaps, bucket_bits;
  uint64_t base, blend;                     // of melodygru.music.run_hashing
  const int64_t* sizes;                     // (pieces,) notes
  const int8_t* intervals;                  // (N,)
  const void* codes;                        // (N,) of 1 or 2 bytes: places in a table of so many gaps
  const uint64_t *first, *ratios;           // (256,) of intervals; (gaps, gaps) of a gap after another
  uint64_t* symbols;                        // room for the notes of the longest piece
  uint64_t* hashes;                         // (N - limit,): of the run that begins at each note, where there is one
  int32_t* order;                           // (N - limit,): their places by the first bits of their hash
  int64_t* bounds;                          // (buckets + 1,): where in it each bucket begins; all 0 before
};

// Only runs after which their piece goes on are of interest. Returns how many there are.
extern "C" int64_t runs_find(const Runs* r) {
  const auto *narrow = static_cast<const uint8_t*>(r->codes);
  const auto *wide = static_cast<const uint16_t*>(r->codes);
  const auto code = [&](int64_t at) -> int64_t { return r->code_width == 1 ? narrow[at] : wide[at]; };
  const int64_t shift = 64 - r->bucket_bits, buckets = int64_t{1} << r->bucket_bits;
  uint64_t power = 1;  // of the base, to the number of a run's symbols
  for (int64_t i = 0; i < r->limit - 2; ++i) power *= r->base;
  int64_t begin = 0;
  for (int64_t piece = 0; piece < r->pieces; begin += r->sizes[piece++]) {
    const int64_t size = r->sizes[piece], runs = size - r->limit;
    if (runs <= 0) continue;
    for (int64_t i = 1; i < size; ++i) {
      const int64_t at = begin + i;
      const uint64_t first = r->first[static_cast<uint8_t>(r->intervals[at])];
      const uint64_t mixed = (first ^ r->ratios[code(at) * r->gaps + code(at - 1)]) * r->blend;
      r->symbols[i] = mixed ^ (mixed >> 32);
    }
    // From the last run to the first: a symbol comes in at the front, and one goes out at the end.
    uint64_t sum = 0;
    for (int64_t k = r->limit - 2; k >= 1; --k) sum = r->base * (sum + r->symbols[runs - 1 + k]);
    for (int64_t i = runs - 1; i >= 0; --i) {
      if (i < runs - 1) sum = r->base * (sum + r->symbols[i + 1] - r->symbols[i + r->limit - 1] * power);
      const uint64_t hash = sum + r->first[static_cast<uint8_t>(r->intervals[begin + i])];
      r->hashes[begin + i] = hash;
      ++r->bounds[hash >> shift];
    }
  }
  int64_t found = 0;
  for (int64_t bucket = 0; bucket <= buckets; ++bucket) {
    const int64_t many = r->bounds[bucket];
    r->bounds[bucket] = found;
    found += many;
  }
  begin = 0;
  for (int64_t piece = 0; piece < r->pieces; begin += r->sizes[piece++]) {
    for (int64_t at = begin; at < begin + r->sizes[piece] - r->limit; ++at) {
      r->order[r->bounds[r->hashes[at] >> shift]++] = static_cast<int32_t>(at);
    }
  }
  // Each bucket's beginning has become its end, which is the next one's beginning.
  for (int64_t bucket = buckets; bucket > 0; --bucket) r->bounds[bucket] = r->bounds[bucket - 1];
  r->bounds[0] = 0;
  return found;
}

namespace {

int64_t common_divisor(int64_t one, int64_t two) {
  while (two != 0) {
    const int64_t rest = one % two;
    one = two, two = rest;
  }
  return one;
}

// `_mixed` of melodygru.music.run_hashing.
uint64_t mixed(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

}  // namespace

// Field by field as `melodygru.writing.copy_guard` hands it over.
struct Suspects {
  int64_t rows, limit, bucket_bits;
  uint64_t base, blend;
  const int64_t *pitches, *onsets;          // (rows, limit): the last notes of melodies
  const uint64_t *first, *hashes;           // as in `Runs`, and what that has made
  const int32_t* order;
  const int64_t* bounds;
  uint8_t* found;                           // (rows,): whether a run with that hash stands anywhere
};

extern "C" void runs_suspects(const Suspects* s) {
  for (int64_t row = 0; row < s->rows; ++row) {
    const int64_t *pitches = s->pitches + row * s->limit, *onsets = s->onsets + row * s->limit;
    uint64_t hash = s->first[static_cast<uint8_t>(pitches[1] - pitches[0])], power = 1;
    for (int64_t i = 1; i + 1 < s->limit; ++i) {
      const int64_t gap = onsets[i + 1] - onsets[i], before = onsets[i] - onsets[i - 1];
      int64_t shared = common_divisor(gap, before);
      shared = shared == 0 ? 1 : shared;
      const uint64_t ratio = mixed(static_cast<uint64_t>(gap / shared << 20 | before / shared));
      const uint64_t blended = (s->first[static_cast<uint8_t>(pitches[i + 1] - pitches[i])] ^ ratio) * s->blend;
      power *= s->base;
      hash += power * (blended ^ (blended >> 32));
    }
    const int64_t bucket = static_cast<int64_t>(hash >> (64 - s->bucket_bits));
    uint8_t found = 0;
    for (int64_t at = s->bounds[bucket]; at < s->bounds[bucket + 1]; ++at) found |= s->hashes[s->order[at]] == hash;
    s->found[row] = found;
  }
}
