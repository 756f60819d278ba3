// What the variants of the library have in common: each is the loop over time for one kind of CPU and one type of number.
//
// A variant is compiled with the flags of its kind of CPU, so nothing of it may be shared: what the linker merges (inline
// functions, templates of the standard library) could then be run where it must not. All that variants define is in
// anonymous namespaces, but for one description each; memory is handed to them.

#pragma once

#include <cstdint>

namespace melodygru {

// Arrays of a call, contiguous: B rows, T steps, H units. S is the variant's type of number.
struct Forward {
  const void* from_x;   // (B, T, 3H) S: W x of r, z, n
  const void* weights;  // U (3H, H) S, packed
  const float* bias;    // (4H): b + b' of r and z, b of n, b' of n
  float* states;        // (B, T, H), written
  void* before;         // (B, T, H) S, written unless null: the state that each step began with
  void* kept;           // (B, T, 4H) S, written unless null, for backward: see gates.h
  int64_t steps, units;
};

struct Backward {
  const float* gradient;  // (B, T, H): of the states
  const void* weights;    // U of n, r, z, S, packed
  const void *before, *kept;
  void* scores;  // (B, T, 4H) S, written: gradients of what goes into the gates, as n from h, r, z, n from x
  int64_t steps, units;
};

struct Variant {
  const char* name;
  int64_t bytes;    // of S: 4 for float, 2 for bfloat16
  int64_t lanes;    // columns of weights that lie together: of a vector, or of a tile
  int64_t columns;  // that the backward product makes at once: H must be a multiple of it, and of a group of pairs
  int64_t group;    // multiplied pairs (or, of floats, single numbers) that lie together in packed weights
  int64_t (*scratch)(int64_t rows, int64_t units);  // bytes for some rows
  // The rows from begin up to end, not included. Scratch is aligned to 64 bytes; to sums (4H) the sums of scores over
  // these rows and all steps are added.
  void (*forward)(const Forward& call, int64_t begin, int64_t end, void* scratch);
  void (*backward)(const Backward& call, int64_t begin, int64_t end, float* sums, void* scratch);
};

}  // namespace melodygru

// A variant is told its name by its compiler's flags, -DVARIANT=name: that of its one symbol, in the namespace above.
#define NAME_OF_TOKEN(token) #token
#define NAME_OF(variant) NAME_OF_TOKEN(variant)

// For what does nothing but fetch memory: GCC leaves out calls of it that it has not made part of the caller in time.
#define ALWAYS_INLINE __attribute__((always_inline))
