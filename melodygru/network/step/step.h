// What the two halves of a step share: `melodygru.network.compiled` fills the structs in, field by field in this order.
#pragma once
#include <cstdint>

// B melodies: see melodygru.network.context, whose attributes these are, and whose rules these follow to the last bit.
struct Context {
  // Sizes, and what is told (0 or 1).
  int64_t melodies, count, capacity, lags, candidates, columns, phrases, traits, chord_spans, max_duration;
  int64_t metre, bars_left, key, ambitus, pickup, matches, style, character, chords;
  // Constants of melodygru.network.columns and .conditions; tables of classes and their rows' lengths.
  int64_t rest, positions, beat_positions, bar_numbers, bars_left_told, largest_interval, heights, pickups;
  int64_t history, unknown_interval, code, chord_degrees, longest_run, references, lasts_edges;
  const int64_t *intervals, *degrees, *run_buckets, *lasts;
  // (B,) what is known of each melody from the beginning.
  const int64_t *bar_steps, *beat_steps, *metre_of, *mode, *first_bar, *bars, *tonic, *has_pickup;
  const int64_t *style_of, *kind, *scale, *first_onset, *phrase_bars;
  const int64_t *character_of;  // (B, phrases, traits)
  const int64_t *chord_of;      // (B, chord_spans, 4)
  const int64_t *distance;      // (B, lags)
  // (B,) the event that comes to each, and what changes with it.
  const int64_t *duration, *pitch;
  int64_t *onset, *position, *reference, *root, *pickup_of, *lowest, *highest;
  int64_t *previous_pitch, *previous_interval, *previous_duration;
  int64_t *onsets;                        // (B, capacity + 1)
  int64_t *durations, *pitches, *steps;   // (B, capacity)
  int64_t *codes, *lengths;               // (2, B, capacity)
  int64_t *pointer, *run;                 // (B, lags)
  int64_t *candidate_pitch, *candidate_duration, *candidate_run;  // (B, candidates)
  int64_t *inputs;                        // (B, columns)
};

// The network around its matrix products and tanh, which are NumPy's: see melodygru.network.engine.
struct Network {
  int64_t hidden, durations, duration_units, pitch_units, pitches, intervals, degrees, duration_width, pitch_width;
  const float* tables;      // (rows, hidden): see NumpyEngine._fold_inputs
  const int64_t* offsets;   // (columns,)
  const float *duration_hidden_bias, *duration_bias, *pitch_hidden_bias, *pitch_bias;
  const float *given_duration, *given_end;  // (durations, pitch_units), (positions, pitch_units)
  const float *duration_copy_run, *pitch_copy_run;  // (candidates, runs), (candidates, 2 runs)
  // Where in a row of all that a head says each part begins.
  int64_t runs, end_at, duration_copy_at, interval_at, degree_at, chord_at, pitch_copy_at;
};
