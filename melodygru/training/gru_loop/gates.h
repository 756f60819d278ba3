// Vectors of floats, and the equations of the GRU on them: what goes on between the products.
//
// Equations and order of gates (r, z, n) are those of torch.nn.GRU. Written in the vector extensions of GCC and Clang,
// with the instructions of AVX-512 where these are fewer.

#pragma once

#include <cstdint>
#include <cstring>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "variant.h"

namespace {

using melodygru::Backward;
using melodygru::Forward;

#if defined(__AVX512F__)
constexpr int kLanes = 16;  // floats in a vector
#elif defined(__AVX2__) || defined(__aarch64__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;
#endif

using Floats = float __attribute__((vector_size(4 * kLanes)));
using Words = uint32_t __attribute__((vector_size(4 * kLanes)));
using Halves = uint16_t __attribute__((vector_size(2 * kLanes)));

struct Bfloat16 {
  uint16_t bits;
};

template <typename To, typename From>
inline To bits_of(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

inline Floats load(const float* from) {
  Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

inline Floats load(const Bfloat16* from) {
  Halves half;
  std::memcpy(&half, from, sizeof half);
  return bits_of<Floats>(__builtin_convertvector(half, Words) << 16);
}

inline void store(float* to, Floats value) { std::memcpy(to, &value, sizeof value); }

inline void store(Bfloat16* to, Floats value) {
#ifdef __AVX512BF16__
  const __m256bh half = _mm512_cvtneps_pbh(bits_of<__m512>(value));
#else
  Words word = bits_of<Words>(value);
  word += 0x7fff + ((word >> 16) & 1);  // to the nearest, ties to even
  const Halves half = __builtin_convertvector(word >> 16, Halves);
#endif
  std::memcpy(to, &half, sizeof half);
}

constexpr int64_t kLine = 64;  // bytes of a line of the cache

// An array of zeros from the front of what is left of the scratch, which is aligned to lines, as all arrays are.
template <typename To>
inline To* take(char*& scratch, int64_t count) {
  To* taken = reinterpret_cast<To*>(scratch);
  scratch += (count * sizeof(To) + kLine - 1) / kLine * kLine;
  std::memset(taken, 0, count * sizeof(To));
  return taken;
}

// x within -limit and limit, or no number.
inline Floats clamp(Floats x, float limit) {
#ifdef __AVX512F__
  // The order matters: of two operands of which one is no number, these give the second.
  x = bits_of<Floats>(_mm512_min_ps(_mm512_set1_ps(limit), bits_of<__m512>(x)));
  return bits_of<Floats>(_mm512_max_ps(_mm512_set1_ps(-limit), bits_of<__m512>(x)));
#else
  x = x > limit ? Floats{} + limit : x;
  return x < -limit ? Floats{} - limit : x;
#endif
}

// 2^(scale x) with a relative error of about 1e-7, and exactly 1 at 0; as if |scale x| were at most 125.
inline Floats power_of_two(Floats x, float scale) {
  x = clamp(x, 125.0f / (scale < 0 ? -scale : scale));
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23 leaves no bits for a fraction: the last bits are x, rounded
  const Floats shifted = x * scale + kRound;
  const Floats f = x * scale - (shifted - kRound);
  // 1 and the powers of f: the least of the largest relative errors on [-1/2, 1/2].
  const Floats square = f * f;
  const Floats high = (1.326472731e-03f * f + 9.671512991e-03f) * square + (5.550733581e-02f * f + 2.402224243e-01f);
  const Floats p = high * square + (6.931470037e-01f * f + 1.0f);
  return bits_of<Floats>(bits_of<Words>(p) + (bits_of<Words>(shifted) << 23));
}

// 1 / x for x from 1 to 2^126.
inline Floats reciprocal(Floats x) {
#ifdef __AVX512F__
  // 14 bits, and one step of Newton's: a third of the time of a division.
  const Floats about = bits_of<Floats>(_mm512_rcp14_ps(bits_of<__m512>(x)));
  return about + about * (1.0f - x * about);
#else
  return 1.0f / x;
#endif
}

constexpr float kLog2E = 1.44269504f;

inline Floats sigmoid(Floats x) { return reciprocal(1.0f + power_of_two(x, -kLog2E)); }

inline Floats tangent(Floats x) { return 1.0f - 2.0f * reciprocal(1.0f + power_of_two(x, 2 * kLog2E)); }

// What one vector of units of one row does in one step, j being the first of them and place = row * T + t.
//
// from_h: U h' of r, z and n. state: of these units, read and written; next: the same as S. Kept are r, z, n and
// U_n h' + b', side by side for each vector.
template <typename S>
inline void open_gates(const Forward& call, int64_t place, bool last, int64_t j, const Floats (&from_h)[3],
                       float* state, S* next) {
  const int64_t H = call.units;
  const S* x = static_cast<const S*>(call.from_x) + place * 3 * H + j;
  const float* bias = call.bias + j;
  const Floats r = sigmoid(load(x) + load(bias) + from_h[0]);
  const Floats z = sigmoid(load(x + H) + load(bias + H) + from_h[1]);
  const Floats n_from_h = load(bias + 3 * H) + from_h[2];
  const Floats n = tangent(load(x + 2 * H) + load(bias + 2 * H) + r * n_from_h);
  const Floats h = n + z * (load(state) - n);
  store(state, h);
  store(next, h);
  store(call.states + place * H + j, h);
  if (call.kept == nullptr) return;
  if (!last) store(static_cast<S*>(call.before) + (place + 1) * H + j, h);
  S* gates = static_cast<S*>(call.kept) + place * 4 * H + 4 * j;
  store(gates, r);
  store(gates + kLanes, z);
  store(gates + 2 * kLanes, n);
  store(gates + 3 * kLanes, n_from_h);
}

// Fetches early what open_gates will read and write there: rows lie too far apart for the CPU to do so by itself. Lines
// that do not exist may be asked for.
template <typename S>
ALWAYS_INLINE inline void expect_open(const Forward& call, int64_t place, int64_t j) {
  const int64_t H = call.units;
  const S* x = static_cast<const S*>(call.from_x) + place * 3 * H + j;
  for (int gate = 0; gate < 3; ++gate) __builtin_prefetch(x + gate * H);
  __builtin_prefetch(call.states + place * H + j, 1);
  if (call.kept == nullptr) return;
  __builtin_prefetch(static_cast<S*>(call.before) + (place + 1) * H + j, 1);
  const S* gates = static_cast<const S*>(call.kept) + place * 4 * H + 4 * j;
  for (int64_t at = 0; at < 4 * kLanes; at += kLine / sizeof(S)) __builtin_prefetch(gates + at, 1);
}

// Likewise for close_gates.
template <typename S>
ALWAYS_INLINE inline void expect_close(const Backward& call, int64_t place, int64_t j) {
  const int64_t H = call.units;
  const S* gates = static_cast<const S*>(call.kept) + place * 4 * H + 4 * j;
  for (int64_t at = 0; at < 4 * kLanes; at += kLine / sizeof(S)) __builtin_prefetch(gates + at);
  __builtin_prefetch(call.gradient + place * H + j);
  __builtin_prefetch(static_cast<const S*>(call.before) + place * H + j);
  S* all = static_cast<S*>(call.scores) + place * 4 * H + j;
  for (int part = 0; part < 4; ++part) __builtin_prefetch(all + part * H, 1);
}

// The state before the first step, for the backward pass.
template <typename S>
inline void begin_row(const Forward& call, int64_t row) {
  if (call.kept == nullptr) return;
  std::memset(static_cast<S*>(call.before) + row * call.steps * call.units, 0, call.units * sizeof(S));
}

// Back through the gates of `count` rows from row `row` on, in step t.
//
// carried (count, H): gradients of the state that come from later steps; left there is what goes straight to the state
// before. Written: step (count, 3H): gradients of n from h, r, z, which the product with U takes to the state before.
template <typename S>
inline void close_gates(const Backward& call, int64_t row, int64_t count, int64_t t, float* carried, S* step,
                        float* sums) {
  const int64_t H = call.units;
  for (int64_t j = 0; j < H; j += kLanes) {
    Floats total[4];  // of all rows: fewer sums are loaded and stored
    for (int part = 0; part < 4; ++part) total[part] = load(sums + part * H + j);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t place = (row + i) * call.steps + t;
      const S* gates = static_cast<const S*>(call.kept) + place * 4 * H + 4 * j;
      S* all = static_cast<S*>(call.scores) + place * 4 * H + j;
      float* own = carried + i * H + j;
      const Floats dh = load(own) + load(call.gradient + place * H + j);
      const Floats r = load(gates), z = load(gates + kLanes), n = load(gates + 2 * kLanes);
      const Floats through_z = dh * z;
      const Floats dn = (dh - through_z) * (1.0f - n * n);
      const Floats dz = (load(static_cast<const S*>(call.before) + place * H + j) - n) * through_z * (1.0f - z);
      const Floats dr = dn * load(gates + 3 * kLanes) * r * (1.0f - r);
      const Floats parts[4] = {dn * r, dr, dz, dn};
      for (int part = 0; part < 4; ++part) {
        store(all + part * H, parts[part]);
        if (part < 3) store(step + (i * 3 + part) * H + j, parts[part]);
        total[part] += parts[part];
      }
      store(own, through_z);
    }
    for (int part = 0; part < 4; ++part) store(sums + part * H + j, total[part]);
  }
}

}  // namespace
