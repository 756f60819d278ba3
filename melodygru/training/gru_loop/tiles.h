// The tiles of AMX: eight registers of up to 16 rows of 64 bytes, and the product of bfloat16 pairs on them.
//
// With EMULATED_TILES they are arrays, and the instructions are written out as Intel's manual states them (Instruction
// Set Extensions Programming Reference, TDPBF16PS): whatever is built of them can then be tested on any CPU. The
// registers are named by literal numbers, which GCC's intrinsics paste into the instruction: hence macros.

#pragma once

#include <cstdint>
#include <cstring>
#ifndef EMULATED_TILES
#include <immintrin.h>
#endif

namespace {

constexpr int kTileRows = 16, kTileBytes = 64;

// The operand of LDTILECFG. Rows of tiles that hold pairs along the sum (B) or results (C, A) may differ.
struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes_per_row[16] = {};
  uint8_t rows[16] = {};
};

#ifdef EMULATED_TILES

thread_local TileConfig tile_config;
thread_local uint32_t tiles[8][kTileRows][kTileBytes / 4];

inline void load_tile_config(const TileConfig& config) {
  tile_config = config;
  std::memset(tiles, 0, sizeof tiles);
}

inline void load_tile(int to, const void* from, int64_t stride) {
  std::memset(tiles[to], 0, sizeof tiles[to]);  // what the configuration leaves out is zero
  for (int row = 0; row < tile_config.rows[to]; ++row) {
    std::memcpy(tiles[to][row], static_cast<const char*>(from) + row * stride, tile_config.bytes_per_row[to]);
  }
}

inline void store_tile(int from, void* to, int64_t stride) {
  for (int row = 0; row < tile_config.rows[from]; ++row) {
    std::memcpy(static_cast<char*>(to) + row * stride, tiles[from][row], tile_config.bytes_per_row[from]);
  }
}

// Numbers too small to be normal count as zero, and become zero.
inline float flushed(uint32_t bits) {
  if ((bits & 0x7f800000) == 0) bits &= 0x80000000;
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline float flushed(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return flushed(bits);
}

// c += a b: for each place two sums, of the first and of the second of the pairs, which are added to it at the end.
inline void multiply_tiles(int c, int a, int b) {
  for (int m = 0; m < tile_config.rows[c]; ++m) {
    float sums[kTileBytes / 4][2] = {};
    for (int k = 0; k < tile_config.bytes_per_row[a] / 4; ++k) {
      const uint32_t pair = tiles[a][m][k];
      for (int n = 0; n < tile_config.bytes_per_row[c] / 4; ++n) {
        const uint32_t other = tiles[b][k][n];
        float(&sum)[2] = sums[n];
        sum[0] = flushed(__builtin_fmaf(flushed(pair << 16), flushed(other << 16), sum[0]));
        sum[1] = flushed(__builtin_fmaf(flushed(pair & 0xffff0000), flushed(other & 0xffff0000), sum[1]));
      }
    }
    for (int n = 0; n < tile_config.bytes_per_row[c] / 4; ++n) {
      const float sum = flushed(flushed(tiles[c][m][n]) + flushed(sums[n][0] + sums[n][1]));
      std::memcpy(&tiles[c][m][n], &sum, sizeof sum);
    }
  }
}

#define TILE_ZERO(to) std::memset(tiles[to], 0, sizeof tiles[to])
#define TILE_LOAD(to, from, stride) load_tile(to, from, stride)
#define TILE_STORE(from, to, stride) store_tile(from, to, stride)
#define TILE_MULTIPLY(c, a, b) multiply_tiles(c, a, b)
#define TILE_RELEASE() load_tile_config(TileConfig{})
inline void memory_is_written() {}

#else

#define TILE_ZERO(to) _tile_zero(to)
#define TILE_LOAD(to, from, stride) _tile_loadd(to, from, stride)
#define TILE_STORE(from, to, stride) _tile_stored(from, to, stride)
#define TILE_MULTIPLY(c, a, b) _tile_dpbf16ps(c, a, b)
#define TILE_RELEASE() _tile_release()

// GCC does not know what its tile intrinsics read: what they are to see must be written before this.
inline void memory_is_written() { __asm__ volatile("" ::: "memory"); }

inline void load_tile_config(const TileConfig& config) {
  memory_is_written();
  __asm__ volatile("" ::"r"(&config) : "memory");
  _tile_loadconfig(&config);
}

#endif

}  // namespace
