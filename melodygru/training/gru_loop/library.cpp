// The GRU's loop over time, forward and backward, for training on a CPU: a library that holds a variant for each kind of
// CPU (variant.h), says which of them this CPU runs, and shares a call's rows out to threads.
//
// A plain interface of C. melodygru/training/gru_kernel.py builds it, chooses a variant and packs the weights for it;
// melodygru/training/gru.py does the large products over all time steps at once.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "variant.h"

namespace melodygru {

// Which variants there are is told by the compiler's flags, as -DVARIANTS=OF(amx)OF(avx2): all that were built, best first.
#define OF(variant) extern const Variant variant;
VARIANTS
#undef OF

namespace {

bool has_portable() { return true; }
bool has_emulated() { return true; }

#if defined(__x86_64__)
struct Features {
  bool avx2 = false, avx512 = false, avx512_bf16 = false, amx = false;
};

// What both the CPU and the operating system can do (Intel's Software Developer's Manual, CPUID and XCR0).
Features find_features() {
  Features found;
  unsigned a, b, c, d, low, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return found;  // OSXSAVE: XGETBV may be asked
  const bool fma = (c >> 12 & 1) && (c >> 28 & 1);
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const auto saved = [low](unsigned bits) { return (low & bits) == bits; };
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return found;
  const unsigned deepest = a, foundation = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // F, DQ, BW, VL
  const bool tiles = (d >> 22 & 1) && (d >> 24 & 1);                                   // BF16, TILE
  found.avx2 = fma && (b >> 5 & 1) && saved(0x6);
  found.avx512 = found.avx2 && (b & foundation) == foundation && saved(0xe6);
  if (found.avx512 && deepest >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) found.avx512_bf16 = a >> 5 & 1;
  found.amx = found.avx512_bf16 && tiles && saved(0x60000);
#if defined(__linux__)
  // Linux has to be asked for the tiles' memory, once for all threads (Documentation/arch/x86/xstate.rst).
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  found.amx = found.amx && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#endif
  return found;
}

const Features& features() {
  static const Features found = find_features();
  return found;
}

bool has_avx2() { return features().avx2; }
bool has_avx512() { return features().avx512; }
bool has_avx512_bf16() { return features().avx512_bf16; }
bool has_amx() { return features().amx; }
#endif

struct Entry {
  const Variant& variant;
  bool (*runs)();
};

const Entry kEntries[] = {
#define OF(variant) {variant, has_##variant},
    VARIANTS
#undef OF
};
constexpr int64_t kVariants = sizeof kEntries / sizeof kEntries[0];

constexpr int64_t kLine = 64;  // bytes of a line of the cache

int64_t in_lines(int64_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

// Runs work(begin, end, own) for the rows 0 up to `rows`, shared out evenly to threads; own is memory of a thread's
// alone, `bytes(rows)` of it and at the front `front` bytes of zeros, which finish(own) is given at the end, thread by
// thread. False where there is no memory.
template <typename Bytes, typename Work, typename Finish>
bool share(int64_t rows, int64_t threads, int64_t front, Bytes bytes, Work work, Finish finish) {
  if (rows == 0) return true;
  threads = threads < 1 ? 1 : threads > rows ? rows : threads;
  const int64_t most = (rows + threads - 1) / threads, each = in_lines(front) + in_lines(bytes(most));
  void* memory = nullptr;
  if (posix_memalign(&memory, kLine, threads * each) != 0) return false;
  const auto own = [&](int64_t thread) { return static_cast<char*>(memory) + thread * each; };
  const auto run = [&](int64_t thread) {
    std::memset(own(thread), 0, front);
    work(rows * thread / threads, rows * (thread + 1) / threads, own(thread), own(thread) + in_lines(front));
  };
  std::vector<std::thread> others;
  int64_t begun = 1;
  try {
    others.reserve(threads - 1);
    for (; begun < threads; ++begun) others.emplace_back(run, begun);
  } catch (const std::exception&) {  // no more threads, or memory for them: this one does what is left
  }
  run(0);
  for (; begun < threads; ++begun) run(begun);
  for (std::thread& other : others) other.join();
  for (int64_t thread = 0; thread < threads; ++thread) finish(own(thread));
  std::free(memory);
  return true;
}

// U (3H, H) for the products of the gates: by vectors of units, then along the sum in groups, then by gates. A pair
// along the sum moves as one.
void pack_forward(const Variant& variant, int64_t H, const uint32_t* from, uint32_t* to) {
  const int64_t length = H * variant.bytes / 4;
  for (int64_t j = 0; j < H; j += variant.lanes) {
    for (int64_t row = 0; row < 3 * variant.lanes; ++row) {
      const int64_t gate = row / variant.lanes, lane = row % variant.lanes;
      const uint32_t* own = from + (gate * H + j + lane) * length;
      for (int64_t k = 0; k < length; k += variant.group) {
        uint32_t* group = to + (j * length + k * variant.lanes) * 3 + gate * variant.group * variant.lanes + lane;
        for (int64_t i = 0; i < variant.group; ++i) group[i * variant.lanes] = own[k + i];
      }
    }
  }
}

// U (3H, H), of the gates n, r, z, for the product that goes back: by as many columns as are made at once, then along
// the sum in groups of pairs, then by vectors of columns.
template <typename Number>
void pack_backward(const Variant& variant, int64_t H, const Number* from, Number* to) {
  constexpr int64_t kPairs = 4 / sizeof(Number);
  for (int64_t j = 0; j < H; j += variant.columns) {
    for (int64_t k = 0; k < 3 * H; k += variant.group * kPairs) {
      for (int64_t column = j; column < j + variant.columns; column += variant.lanes) {
        for (int64_t row = k; row < k + variant.group * kPairs; row += kPairs, to += variant.lanes * kPairs) {
          const Number* own = from + (row < H ? 2 * H + row : row - H) * H + column;
          for (int64_t lane = 0; lane < variant.lanes; ++lane) {
            for (int64_t i = 0; i < kPairs; ++i) to[lane * kPairs + i] = own[i * H + lane];
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace melodygru

using melodygru::kEntries;
using melodygru::kVariants;

#define EXPORTED extern "C" __attribute__((visibility("default")))

// The name of a variant, null behind the last. facts: bytes of a number, lanes, columns and group as in variant.h, and
// whether this CPU runs it.
EXPORTED const char* gru_variant(int64_t number, int64_t* facts) {
  if (number >= kVariants) return nullptr;
  const melodygru::Variant& variant = kEntries[number].variant;
  const int64_t told[] = {variant.bytes, variant.lanes, variant.columns, variant.group, kEntries[number].runs()};
  std::memcpy(facts, told, sizeof told);
  return variant.name;
}

// U (3H, H), contiguous, as a variant's products read it: those forward, or the one backward.
EXPORTED void gru_pack(int64_t number, int64_t backward, int64_t units, const void* from, void* to) {
  const melodygru::Variant& variant = kEntries[number].variant;
  if (!backward) {
    melodygru::pack_forward(variant, units, static_cast<const uint32_t*>(from), static_cast<uint32_t*>(to));
  } else if (variant.bytes == 4) {
    melodygru::pack_backward(variant, units, static_cast<const uint32_t*>(from), static_cast<uint32_t*>(to));
  } else {
    melodygru::pack_backward(variant, units, static_cast<const uint16_t*>(from), static_cast<uint16_t*>(to));
  }
}

// For the arrays see variant.h. Both are false where there is no memory.
EXPORTED bool gru_forward(int64_t number, int64_t threads, int64_t rows, int64_t steps, int64_t units,
                          const void* from_x, const void* weights, const float* bias, float* states, void* before,
                          void* kept) {
  const melodygru::Variant& variant = kEntries[number].variant;
  const melodygru::Forward call = {from_x, weights, bias, states, before, kept, steps, units};
  return melodygru::share(
      steps == 0 ? 0 : rows, threads, 0, [&](int64_t count) { return variant.scratch(count, units); },
      [&](int64_t begin, int64_t end, char*, char* scratch) { variant.forward(call, begin, end, scratch); },
      [](char*) {});
}

// Written also: sums (4H): of scores, over all rows and steps.
EXPORTED bool gru_backward(int64_t number, int64_t threads, int64_t rows, int64_t steps, int64_t units,
                           const float* gradient, const void* weights, const void* before, const void* kept,
                           void* scores, float* sums) {
  const melodygru::Variant& variant = kEntries[number].variant;
  const melodygru::Backward call = {gradient, weights, before, kept, scores, steps, units};
  std::memset(sums, 0, 4 * units * sizeof(float));
  return melodygru::share(
      steps == 0 ? 0 : rows, threads, 4 * units * sizeof(float),
      [&](int64_t count) { return variant.scratch(count, units); },
      [&](int64_t begin, int64_t end, char* own, char* scratch) {
        variant.backward(call, begin, end, reinterpret_cast<float*>(own), scratch);
      },
      [&](char* own) {
        for (int64_t i = 0; i < 4 * units; ++i) sums[i] += reinterpret_cast<float*>(own)[i];
      });
}
