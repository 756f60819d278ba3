// The loop over time of one GRU layer, forward and backward, for training on a CPU.
//
// torch's own GRU calls a matrix product and half a dozen element-wise operations for every time step. Here a block of
// rows of the batch stays with one thread for the whole sequence: products go straight from registers into the gates,
// and no thread ever waits for another. Equations and order of gates (r, z, n) are those of torch.nn.GRU.
//
// Everything is stored as S: float, or bfloat16 where the CPU multiplies that (AVX512-BF16); sums, gates and the
// state that is carried on are float always. Written in the vector extensions of GCC and Clang: one source for any CPU.
// melodygru.training.gru_kernel builds it and packs the weights for it; melodygru.training.gru does the large products
// over all time steps at once.

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

namespace {

#ifdef __AVX512F__
constexpr int kLanes = 16;  // floats in a vector
constexpr int kRows = 8;    // rows of the batch whose sums fit into the registers together
#else
constexpr int kLanes = 8;
constexpr int kRows = 4;
#endif
constexpr int kBackward = 2;  // vectors of columns that the backward product makes at once

using Floats = float __attribute__((vector_size(4 * kLanes)));
using Ints = int32_t __attribute__((vector_size(4 * kLanes)));
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

// exp with a relative error of about 1e-7: the polynomial of Cephes (Moshier 1989) on [-ln 2 / 2, ln 2 / 2].
inline Floats exponential(Floats x) {
  x = x > 87.0f ? Floats{} + 87.0f : x;
  x = x < -87.0f ? Floats{} - 87.0f : x;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves no bits for a fraction
  const Floats n = (x * 1.44269504f + kRound) - kRound;
  const Floats r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  Floats p = Floats{} + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return bits_of<Floats>(bits_of<Ints>(p) + (__builtin_convertvector(n, Ints) << 23));
}

inline Floats sigmoid(Floats x) { return 1.0f / (1.0f + exponential(-x)); }

inline Floats tangent(Floats x) {
  const Floats e = exponential(-2.0f * x);
  return (1.0f - e) / (1.0f + e);
}

// acc[i][c] += a[i] . w[c] over K: R rows of a, times C vectors of columns. w is packed: K major, for bfloat16 in pairs.
template <int R, int C>
inline void product(Floats (&acc)[R][C], const float* a, int64_t lda, const float* w, int64_t K) {
  for (int64_t k = 0; k < K; ++k) {
    Floats b[C];
    for (int c = 0; c < C; ++c) b[c] = load(w + (k * C + c) * kLanes);
    for (int i = 0; i < R; ++i) {
      for (int c = 0; c < C; ++c) acc[i][c] += a[i * lda + k] * b[c];
    }
  }
}

template <int R, int C>
inline void product(Floats (&acc)[R][C], const Bfloat16* a, int64_t lda, const Bfloat16* w, int64_t K) {
#ifdef __AVX512BF16__
  __m512 sum[R][C];
  for (int i = 0; i < R; ++i) {
    for (int c = 0; c < C; ++c) sum[i][c] = bits_of<__m512>(acc[i][c]);
  }
  for (int64_t k = 0; k < K / 2; ++k) {
    __m512bh b[C];
    for (int c = 0; c < C; ++c) b[c] = bits_of<__m512bh>(_mm512_loadu_si512(w + (k * C + c) * 2 * kLanes));
    for (int i = 0; i < R; ++i) {
      int32_t pair;
      std::memcpy(&pair, a + i * lda + 2 * k, sizeof pair);
      const __m512bh both = bits_of<__m512bh>(_mm512_set1_epi32(pair));
      for (int c = 0; c < C; ++c) sum[i][c] = _mm512_dpbf16_ps(sum[i][c], both, b[c]);
    }
  }
  for (int i = 0; i < R; ++i) {
    for (int c = 0; c < C; ++c) acc[i][c] = bits_of<Floats>(sum[i][c]);
  }
#else
  // Never chosen for speed; there so that it can be compiled and tested anywhere.
  for (int64_t k = 0; k < K; ++k) {
    for (int c = 0; c < C; ++c) {
      Floats b;
      for (int lane = 0; lane < kLanes; ++lane) {
        const uint32_t word = uint32_t(w[((k / 2 * C + c) * kLanes + lane) * 2 + k % 2].bits) << 16;
        b[lane] = bits_of<float>(word);
      }
      for (int i = 0; i < R; ++i) acc[i][c] += bits_of<float>(uint32_t(a[i * lda + k].bits) << 16) * b;
    }
  }
#endif
}

// Calls work(std::integral_constant<int, R>) for R rows, 1 <= R <= kRows: the compiler wants to know how many.
template <int R = kRows, typename Work>
inline void with_rows(int64_t rows, const Work& work) {
  if constexpr (R > 1) {
    if (rows < R) return with_rows<R - 1>(rows, work);
  }
  work(std::integral_constant<int, R>{});
}

template <typename S>
void forward(const S* from_x, const S* weights, const float* bias, float* states, S* before, S* kept, int64_t B,
             int64_t T, int64_t H) {
  at::parallel_for(0, B, 1, [=](int64_t begin, int64_t end) {
    // Rows lie far apart in the arrays over all time, and the cache cannot hold many such: the step works on copies.
    std::vector<float> state((end - begin) * H, 0.0f);
    std::vector<S> now((end - begin) * H, S{}), next((end - begin) * H);
    for (int64_t t = 0; t < T; ++t) {
      for (int64_t j = 0; j < H; j += kLanes) {
        const Floats b = load(bias + j);
        for (int64_t row = begin; row < end; row += kRows) {
          with_rows(std::min<int64_t>(kRows, end - row), [&](auto rows) {
            constexpr int R = decltype(rows)::value;
            Floats acc[R][3] = {};
            product<R, 3>(acc, now.data() + (row - begin) * H, H, weights + j * 3 * H, H);
            for (int i = 0; i < R; ++i) {
              const int64_t place = (row + i) * T + t, own = (row + i - begin) * H + j;
              const S* x = from_x + place * 3 * H + j;
              const Floats r = sigmoid(load(x) + acc[i][0]);
              const Floats z = sigmoid(load(x + H) + acc[i][1]);
              const Floats from_h = acc[i][2] + b;
              const Floats n = tangent(load(x + 2 * H) + r * from_h);
              const Floats h = n + z * (load(&state[own]) - n);
              store(&state[own], h);
              store(&next[own], h);
              store(states + place * H + j, h);
              if (kept != nullptr) {
                if (t + 1 < T) store(before + (place + 1) * H + j, h);
                S* gates = kept + place * 4 * H + j;
                store(gates, r);
                store(gates + H, z);
                store(gates + 2 * H, n);
                store(gates + 3 * H, from_h);
              }
            }
          });
        }
      }
      now.swap(next);
    }
  });
}

template <typename S>
void backward(const float* gradient, const S* weights, const S* before, const S* kept, S* scores, float* sums,
              int64_t B, int64_t T, int64_t H) {
  at::parallel_for(0, B, 1, [=](int64_t begin, int64_t end) {
    std::vector<float> carried((end - begin) * H, 0.0f);
    std::vector<S> step((end - begin) * 3 * H);
    for (int64_t t = T - 1; t >= 0; --t) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t place = row * T + t;
        const S* gates = kept + place * 4 * H;
        S *all = scores + place * 4 * H, *here = &step[(row - begin) * 3 * H];
        for (int64_t j = 0; j < H; j += kLanes) {
          float* own = &carried[(row - begin) * H + j];
          const Floats dh = load(own) + load(gradient + place * H + j);
          const Floats r = load(gates + j), z = load(gates + H + j), n = load(gates + 2 * H + j);
          const Floats through_z = dh * z;
          const Floats dn = (dh - through_z) * (1.0f - n * n);
          const Floats dz = (load(before + place * H + j) - n) * through_z * (1.0f - z);
          const Floats dr = dn * load(gates + 3 * H + j) * r * (1.0f - r);
          const Floats parts[4] = {dn * r, dr, dz, dn};
          for (int part = 0; part < 4; ++part) {
            store(all + part * H + j, parts[part]);
            if (part < 3) store(here + part * H + j, parts[part]);
            float* sum = sums + row * 4 * H + part * H + j;
            store(sum, load(sum) + parts[part]);
          }
          store(own, through_z);
        }
      }
      for (int64_t j = 0; j < H; j += kBackward * kLanes) {
        for (int64_t row = begin; row < end; row += kRows) {
          with_rows(std::min<int64_t>(kRows, end - row), [&](auto rows) {
            constexpr int R = decltype(rows)::value;
            Floats acc[R][kBackward];
            float* own = &carried[(row - begin) * H + j];
            for (int i = 0; i < R; ++i) {
              for (int c = 0; c < kBackward; ++c) acc[i][c] = load(own + i * H + c * kLanes);
            }
            product<R, kBackward>(acc, &step[(row - begin) * 3 * H], 3 * H, weights + j * 3 * H, 3 * H);
            for (int i = 0; i < R; ++i) {
              for (int c = 0; c < kBackward; ++c) store(own + i * H + c * kLanes, acc[i][c]);
            }
          });
        }
      }
    }
  });
}

}  // namespace

// Sizes: B rows, T steps, H units, a multiple of kBackward * kLanes. All arrays are contiguous.
extern "C" {

int gru_lanes() { return kLanes; }
int gru_backward_vectors() { return kBackward; }

#ifdef __AVX512BF16__
int gru_bfloat16() { return 1; }
#else
int gru_bfloat16() { return 0; }
#endif

// from_x (B, T, 3H): W x + b of r, z, n. weights: U, packed. bias (H): b' of n. Written: states (B, T, H), and, unless
// kept is null, before (B, T, H): the state that each step began with (zeros at t = 0 are not written), and kept
// (B, T, 4H): r, z, n and U_n h' + b'.
void gru_forward_float(const float* from_x, const float* weights, const float* bias, float* states, float* before,
                       float* kept, int64_t B, int64_t T, int64_t H) {
  forward(from_x, weights, bias, states, before, kept, B, T, H);
}
void gru_forward_bfloat16(const Bfloat16* from_x, const Bfloat16* weights, const float* bias, float* states,
                          Bfloat16* before, Bfloat16* kept, int64_t B, int64_t T, int64_t H) {
  forward(from_x, weights, bias, states, before, kept, B, T, H);
}

// gradient (B, T, H): of the states. weights: U of n, r, z, packed. Written: scores (B, T, 4H): gradients of what goes
// into the gates, as n from h, r, z, n from x; added to sums (B, 4H): their sums over all steps.
void gru_backward_float(const float* gradient, const float* weights, const float* before, const float* kept,
                        float* scores, float* sums, int64_t B, int64_t T, int64_t H) {
  backward(gradient, weights, before, kept, scores, sums, B, T, H);
}
void gru_backward_bfloat16(const float* gradient, const Bfloat16* weights, const Bfloat16* before, const Bfloat16* kept,
                           Bfloat16* scores, float* sums, int64_t B, int64_t T, int64_t H) {
  backward(gradient, weights, before, kept, scores, sums, B, T, H);
}
}
