// A variant of the GRU's loop over time: products in vector registers, which go straight from there into the gates.
//
// torch's own GRU calls a matrix product and half a dozen element-wise operations for every time step. Here a block of
// rows of the batch stays with one thread for the whole sequence, and no thread ever waits for another. Compiled for
// float, or, where AVX512-BF16 is asked for, for bfloat16; biases, states, gradients of states and sums are float
// always, and so is all that is computed from products.

#include "gates.h"

namespace {

#ifdef __AVX512F__
constexpr int kRows = 8;  // rows of the batch whose sums fit into the registers together
#else
constexpr int kRows = 4;
#endif
constexpr int kColumns = 2;  // vectors of columns that the backward product makes at once

#ifdef __AVX512BF16__
using S = Bfloat16;
constexpr int kPairs = 2;  // neighbours along the sum, multiplied together

inline __m512bh both(const Bfloat16* a) {
  int32_t pair;
  std::memcpy(&pair, a, sizeof pair);
  return bits_of<__m512bh>(_mm512_set1_epi32(pair));
}

inline __m512bh vector_of(const Bfloat16* w) { return bits_of<__m512bh>(_mm512_loadu_si512(w)); }

inline Floats multiply_add(__m512bh a, __m512bh b, Floats sum) {
  return bits_of<Floats>(_mm512_dpbf16_ps(bits_of<__m512>(sum), a, b));
}
#else
using S = float;
constexpr int kPairs = 1;

inline float both(const float* a) { return *a; }
inline Floats vector_of(const float* w) { return load(w); }
inline Floats multiply_add(float a, Floats b, Floats sum) { return sum + a * b; }
#endif

// acc[i][c] += a[i] . w[c] over K: R rows of a, times C vectors of columns. w is packed: K major, in pairs.
template <int R, int C>
inline void product(Floats (&acc)[R][C], const S* a, int64_t lda, const S* w, int64_t K) {
  for (int64_t k = 0; k < K; k += kPairs) {
    decltype(vector_of(w)) b[C];
    for (int c = 0; c < C; ++c) b[c] = vector_of(w + (k * C + c * kPairs) * kLanes);
    for (int i = 0; i < R; ++i) {
      const auto one = both(a + i * lda + k);
      for (int c = 0; c < C; ++c) acc[i][c] = multiply_add(one, b[c], acc[i][c]);
    }
  }
}

// The same; what expect(row) asks for, for each of R rows, is fetched meanwhile, bit by bit.
template <int R, int C, typename Expect>
inline void product(Floats (&acc)[R][C], const S* a, int64_t lda, const S* w, int64_t K, const Expect& expect) {
  constexpr int64_t kShort = 128;  // below it all that there is fits into the cache, and cutting the sum costs more
  if (K < kShort) return product<R, C>(acc, a, lda, w, K);
  const int64_t slice = K / R / kPairs * kPairs;
  for (int row = 0; row < R; ++row, a += slice, w += slice * C * kLanes) {
    expect(row);
    product<R, C>(acc, a, lda, w, slice);
  }
  product<R, C>(acc, a, lda, w, K - R * slice);
}

template <int R>
struct Count {
  static constexpr int value = R;
};

// Calls work(Count<R>) for R rows, 1 <= R <= kRows: the compiler wants to know how many.
template <int R = kRows, typename Work>
inline void with_rows(int64_t rows, const Work& work) {
  if constexpr (R > 1) {
    if (rows < R) return with_rows<R - 1>(rows, work);
  }
  work(Count<R>{});
}

int64_t scratch(int64_t rows, int64_t units) { return rows * units * (sizeof(float) + 3 * sizeof(S)) + 3 * kLine; }

void forward(const Forward& call, int64_t begin, int64_t end, void* memory) {
  const int64_t H = call.units, T = call.steps, rows = end - begin;
  char* free = static_cast<char*>(memory);
  // Rows lie far apart in the arrays over all time, and the cache cannot hold many such: the step works on copies.
  float* state = take<float>(free, rows * H);
  S *now = take<S>(free, rows * H), *next = take<S>(free, rows * H);
  const S* weights = static_cast<const S*>(call.weights);
  for (int64_t row = begin; row < end; ++row) begin_row<S>(call, row);
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t j = 0; j < H; j += kLanes) {
      for (int64_t row = 0; row < rows; row += kRows) {
        with_rows(rows - row, [&](auto count) {
          constexpr int R = decltype(count)::value;
          Floats acc[R][3] = {};
          product<R, 3>(acc, now + row * H, H, weights + j * 3 * H, H,
                        [&](int i) ALWAYS_INLINE { expect_open<S>(call, (begin + row + i) * T + t, j); });
          for (int i = 0; i < R; ++i) {
            const int64_t own = (row + i) * H + j;
            open_gates<S>(call, (begin + row + i) * T + t, t + 1 == T, j, acc[i], state + own, next + own);
          }
        });
      }
    }
    S* last = now;
    now = next;
    next = last;
  }
}

void backward(const Backward& call, int64_t begin, int64_t end, float* sums, void* memory) {
  const int64_t H = call.units, T = call.steps, rows = end - begin;
  char* free = static_cast<char*>(memory);
  float* carried = take<float>(free, rows * H);
  S* step = take<S>(free, rows * 3 * H);
  const S* weights = static_cast<const S*>(call.weights);
  for (int64_t t = T - 1; t >= 0; --t) {
    for (int64_t row = 0; row < rows; row += 4) {
      const int64_t count = rows - row < 4 ? rows - row : 4;
      close_gates<S>(call, begin + row, count, t, carried + row * H, step + row * 3 * H, sums);
    }
    if (t == 0) break;  // nothing comes before
    for (int64_t j = 0; j < H; j += kColumns * kLanes) {
      for (int64_t row = 0; row < rows; row += kRows) {
        with_rows(rows - row, [&](auto count) {
          constexpr int R = decltype(count)::value;
          Floats acc[R][kColumns];
          float* own = carried + row * H + j;
          for (int i = 0; i < R; ++i) {
            for (int c = 0; c < kColumns; ++c) acc[i][c] = load(own + i * H + c * kLanes);
          }
          product<R, kColumns>(acc, step + row * 3 * H, 3 * H, weights + j * 3 * H, 3 * H, [&](int i) ALWAYS_INLINE {
            for (int c = 0; c < kColumns; ++c) expect_close<S>(call, (begin + row + i) * T + t - 1, j + c * kLanes);
          });
          for (int i = 0; i < R; ++i) {
            for (int c = 0; c < kColumns; ++c) store(own + i * H + c * kLanes, acc[i][c]);
          }
        });
      }
    }
  }
}

}  // namespace

namespace melodygru {
extern const Variant VARIANT;
const Variant VARIANT = {NAME_OF(VARIANT), sizeof(S), kLanes, kColumns * kLanes, 1, scratch, forward, backward};
}  // namespace melodygru
