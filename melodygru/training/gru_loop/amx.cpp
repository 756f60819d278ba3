// The variant of the GRU's loop over time for CPUs with AMX: products by tiles, of bfloat16.
//
// For each vector of units (backward: two of them) the sums over K stay in tiles, are stored to a buffer in the
// innermost cache, and go from there through the gates. Rows of the batch are shared out to tiles of equal height; the
// last may have rows of zeros. A tile of weights is loaded once for each tile of rows.
//
// In cycles (Intel's optimisation reference manual, Sapphire Rapids): a product of full tiles can begin every 16, and
// is there after 52, so three or four independent sums keep the multiplier busy; a tile of weights, 1 KB, takes 8 from the
// first cache and 21 (48 bytes a cycle) from the second, which holds them. Up to 16 rows thus take as long as weights
// take to arrive, 21 cycles for 16 pairs by 16 columns, where AVX512-BF16 takes 16 for every row.

#include "gates.h"
#include "tiles.h"

namespace {

using S = Bfloat16;
constexpr int kGroup = kTileRows;                       // pairs along the sum in a tile of weights
constexpr int64_t kDeep = 2 * kGroup;                   // numbers along the sum
constexpr int64_t kTile = kTileRows * kTileBytes / 2;   // numbers in a tile of weights
constexpr int64_t kSums = kTileRows * kTileBytes / 4;   // sums in a tile of them
constexpr int kWide = kTileBytes / 4;                   // columns of such a tile
constexpr int kColumns = 2;                             // tiles of columns that the backward product makes at once
static_assert(kWide % kLanes == 0, "a tile is as wide as some vectors");

// Rows of the batch in each tile, and in all tiles together.
struct Rows {
  int64_t height, padded;
};

inline Rows in_tiles(int64_t rows) {
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows, height = (rows + tiles - 1) / tiles;
  return {height, height * tiles};
}

int64_t scratch(int64_t rows, int64_t units) {
  const int64_t in_floats = rows * units + 4 * kSums, in_pairs = in_tiles(rows).padded * units * 3;
  return in_floats * sizeof(float) + in_pairs * sizeof(S) + 4 * kLine;
}

// Tiles of weights, from `weights` on, have all rows; those of sums and of what is multiplied with them have `height`.
inline void configure(int64_t height, int weights) {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.bytes_per_row[tile] = kTileBytes;
    config.rows[tile] = tile < weights ? height : kTileRows;
  }
  load_tile_config(config);
}

// The tiles that sums are made in, of gates or of columns, begin with zeros.
inline void begin_sums() {
  memory_is_written();
  TILE_ZERO(0);
  TILE_ZERO(1);
  TILE_ZERO(2);
  TILE_ZERO(3);
}

// sums[gate] = a . w[gate]: of a tile of rows and one of columns for each of the three gates.
inline void multiply_gates(float* sums, const S* a, const S* w, int64_t K) {
  const int64_t stride = K * sizeof(S);
  begin_sums();
  for (int64_t k = 0; k < K; k += kDeep, w += 3 * kTile) {
    TILE_LOAD(4, a + k, stride);
    TILE_LOAD(5, w, kTileBytes);
    TILE_MULTIPLY(0, 4, 5);
    TILE_LOAD(6, w + kTile, kTileBytes);
    TILE_MULTIPLY(1, 4, 6);
    TILE_LOAD(7, w + 2 * kTile, kTileBytes);
    TILE_MULTIPLY(2, 4, 7);
  }
  TILE_STORE(0, sums, kTileBytes);
  TILE_STORE(1, sums + kSums, kTileBytes);
  TILE_STORE(2, sums + 2 * kSums, kTileBytes);
}

// sums[c] + sums[2 + c] = a . w[c] for two tiles of columns: one of all even tiles along K, one of all odd ones.
inline void multiply_columns(float* sums, const S* a, const S* w, int64_t K) {
  const int64_t stride = K * sizeof(S);
  begin_sums();
  int64_t k = 0;
  for (; k + kDeep < K; k += 2 * kDeep, w += 4 * kTile) {
    TILE_LOAD(4, a + k, stride);
    TILE_LOAD(6, w, kTileBytes);
    TILE_MULTIPLY(0, 4, 6);
    TILE_LOAD(7, w + kTile, kTileBytes);
    TILE_MULTIPLY(1, 4, 7);
    TILE_LOAD(5, a + k + kDeep, stride);
    TILE_LOAD(6, w + 2 * kTile, kTileBytes);
    TILE_MULTIPLY(2, 5, 6);
    TILE_LOAD(7, w + 3 * kTile, kTileBytes);
    TILE_MULTIPLY(3, 5, 7);
  }
  if (k < K) {
    TILE_LOAD(4, a + k, stride);
    TILE_LOAD(6, w, kTileBytes);
    TILE_MULTIPLY(0, 4, 6);
    TILE_LOAD(7, w + kTile, kTileBytes);
    TILE_MULTIPLY(1, 4, 7);
  }
  TILE_STORE(0, sums, kTileBytes);
  TILE_STORE(1, sums + kSums, kTileBytes);
  TILE_STORE(2, sums + 2 * kSums, kTileBytes);
  TILE_STORE(3, sums + 3 * kSums, kTileBytes);
}

void forward(const Forward& call, int64_t begin, int64_t end, void* memory) {
  const int64_t H = call.units, T = call.steps, rows = end - begin;
  const Rows tiles = in_tiles(rows);
  char* free = static_cast<char*>(memory);
  float *state = take<float>(free, rows * H), *sums = take<float>(free, 3 * kSums);
  S *now = take<S>(free, tiles.padded * H), *next = take<S>(free, tiles.padded * H);
  const S* weights = static_cast<const S*>(call.weights);
  configure(tiles.height, 5);
  for (int64_t row = begin; row < end; ++row) begin_row<S>(call, row);
  for (int64_t t = 0; t < T; ++t) {
    for (int64_t j = 0; j < H; j += kWide) {
      for (int64_t row = 0; row < rows; row += tiles.height) {
        multiply_gates(sums, now + row * H, weights + j * 3 * H, H);
        const int64_t height = rows - row < tiles.height ? rows - row : tiles.height;
        for (int64_t i = 0; i < height; ++i) {
          for (int v = 0; v < kWide; v += kLanes) {
            const float* own = sums + i * kWide + v;
            const Floats from_h[3] = {load(own), load(own + kSums), load(own + 2 * kSums)};
            const int64_t here = (row + i) * H + j + v, place = (begin + row + i) * T + t;
            open_gates<S>(call, place, t + 1 == T, j + v, from_h, state + here, next + here);
            if (const int64_t then = j + v + kWide; then < H) {
              expect_open<S>(call, place, then);
            } else {
              expect_open<S>(call, place + 1, then - H);
            }
          }
        }
      }
    }
    S* last = now;
    now = next;
    next = last;
  }
  TILE_RELEASE();
}

void backward(const Backward& call, int64_t begin, int64_t end, float* totals, void* memory) {
  const int64_t H = call.units, T = call.steps, rows = end - begin;
  const Rows tiles = in_tiles(rows);
  char* free = static_cast<char*>(memory);
  float *carried = take<float>(free, rows * H), *sums = take<float>(free, 4 * kSums);
  S* step = take<S>(free, tiles.padded * 3 * H);
  const S* weights = static_cast<const S*>(call.weights);
  configure(tiles.height, 6);
  for (int64_t t = T - 1; t >= 0; --t) {
    close_gates<S>(call, begin, rows, t, carried, step, totals);
    if (t == 0) break;  // nothing comes before
    for (int64_t j = 0; j < H; j += kColumns * kWide) {
      for (int64_t row = 0; row < rows; row += tiles.height) {
        multiply_columns(sums, step + row * 3 * H, weights + j * 3 * H, 3 * H);
        const int64_t height = rows - row < tiles.height ? rows - row : tiles.height;
        for (int64_t i = 0; i < height; ++i) {
          for (int c = 0; c < kColumns; ++c) {
            for (int v = 0; v < kWide; v += kLanes) {
              float *to = carried + (row + i) * H + j + c * kWide + v, *own = sums + c * kSums + i * kWide + v;
              store(to, load(to) + (load(own) + load(own + 2 * kSums)));
              expect_close<S>(call, (begin + row + i) * T + t - 1, j + c * kWide + v);
            }
          }
        }
      }
    }
  }
  TILE_RELEASE();
}

}  // namespace

namespace melodygru {
extern const Variant VARIANT;
const Variant VARIANT = {NAME_OF(VARIANT), sizeof(S), kWide, kColumns * kWide, kGroup, scratch, forward, backward};
}  // namespace melodygru
