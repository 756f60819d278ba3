// The network's step without its products and tanh: sums and look-ups, each in the order in which NumPy makes them, so
// that they come out the same to the last bit. (Compiled so that no product and sum become one instruction.)
#include "step.h"

namespace {

constexpr int kBlock = 16;  // sums that are held in registers at a time

// Each existing candidate's weight added to the class that it stands for; in double, as np.bincount adds.
void scatter(const float* said, const float* table, int64_t runs, const Context& c, int64_t row, const int64_t* classes,
             int64_t twice, int64_t duration, double* total) {
  for (int64_t k = 0; k < c.candidates; ++k) {
    const int64_t at = row * c.candidates + k, run = c.candidate_run[at];
    const int64_t index = twice ? 2 * run + (c.candidate_duration[at] == duration) : run;
    const float weight = said[k] + table[k * runs + index];
    total[classes[at]] += run % 3 > 0 ? weight : 0.0f;
  }
}

}  // namespace

extern "C" {

// The input layer: x (B, hidden), the sum of one row of the tables for each column.
void step_inputs(const Context* c, const Network* net, float* x) {
  const int64_t hidden = net->hidden, columns = c->columns;
  for (int64_t row = 0; row < c->melodies; ++row) {
    const int64_t* inputs = c->inputs + row * columns;
    float* out = x + row * hidden;
    int64_t unit = 0;
    for (; unit + kBlock <= hidden; unit += kBlock) {
      float sums[kBlock];
      const float* first = net->tables + (inputs[0] + net->offsets[0]) * hidden + unit;
      for (int i = 0; i < kBlock; ++i) sums[i] = first[i];
      for (int64_t column = 1; column < columns; ++column) {
        const float* more = net->tables + (inputs[column] + net->offsets[column]) * hidden + unit;
        for (int i = 0; i < kBlock; ++i) sums[i] += more[i];
      }
      for (int i = 0; i < kBlock; ++i) out[unit + i] = sums[i];
    }
    for (; unit < hidden; ++unit) {
      float sum = net->tables[(inputs[0] + net->offsets[0]) * hidden + unit];
      for (int64_t column = 1; column < columns; ++column) {
        sum += net->tables[(inputs[column] + net->offsets[column]) * hidden + unit];
      }
      out[unit] = sum;
    }
  }
}

// What tanh is taken of for both gates: half their sums, gates (B, 2 hidden). from_x, from_h: (B, 3 hidden), to which
// their biases are added. See melodygru.network.cells.gru_gates.
void step_gru_gates(int64_t rows, int64_t hidden, float* __restrict from_x, float* __restrict from_h,
                    const float* __restrict b_x, const float* __restrict b_h, float* __restrict gates) {
  for (int64_t row = 0; row < rows; ++row, from_x += 3 * hidden, from_h += 3 * hidden, gates += 2 * hidden) {
    for (int64_t i = 0; i < 3 * hidden; ++i) from_x[i] += b_x[i], from_h[i] += b_h[i];
    for (int64_t i = 0; i < 2 * hidden; ++i) gates[i] = (from_x[i] + from_h[i]) * 0.5f;
  }
}

// What tanh is taken of for the candidate (B, hidden); gates become what they are.
void step_gru_candidate(int64_t rows, int64_t hidden, const float* __restrict from_x, const float* __restrict from_h,
                        float* __restrict gates, float* __restrict candidate) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < 2 * hidden; ++i) gates[i] = gates[i] * 0.5f + 0.5f;
    for (int64_t i = 0; i < hidden; ++i) candidate[i] = from_x[2 * hidden + i] + gates[i] * from_h[2 * hidden + i];
    from_x += 3 * hidden, from_h += 3 * hidden, gates += 2 * hidden, candidate += hidden;
  }
}

// The new state, in place of the old one: (B, hidden).
void step_gru_state(int64_t rows, int64_t hidden, const float* __restrict gates, const float* __restrict candidate,
                    float* __restrict state) {
  for (int64_t row = 0; row < rows; ++row, gates += 2 * hidden, candidate += hidden, state += hidden) {
    for (int64_t i = 0; i < hidden; ++i) state[i] = (state[i] - candidate[i]) * gates[hidden + i] + candidate[i];
  }
}

// A hidden layer's bias, and all below 0 made 0: units (B, duration_units).
void step_duration_hidden(const Context* c, const Network* net, float* units) {
  for (int64_t row = 0; row < c->melodies; ++row, units += net->duration_units) {
    for (int64_t i = 0; i < net->duration_units; ++i) {
      const float sum = units[i] + net->duration_hidden_bias[i];
      units[i] = sum <= 0 ? 0 : sum;
    }
  }
}

// Likewise units (B, pitch_units), which are told the duration, (B,), and where in the bar it ends.
void step_pitch_hidden(const Context* c, const Network* net, const int64_t* durations, float* units) {
  const int64_t many = net->pitch_units;
  for (int64_t row = 0; row < c->melodies; ++row, units += many) {
    const float* given = net->given_duration + durations[row] * many;
    int64_t end = (c->position[row] + durations[row]) % c->bar_steps[row];
    end = end < c->positions ? end : c->positions - 1;
    for (int64_t i = 0; i < many; ++i) units[i] = units[i] + net->pitch_hidden_bias[i] + given[i];
    if (c->metre) for (int64_t i = 0; i < many; ++i) units[i] += net->given_end[end * many + i];
    for (int64_t i = 0; i < many; ++i) units[i] = units[i] <= 0 ? 0 : units[i];
  }
}

// Logits (B, durations) from all that the head says, (B, duration_width). `total`: room for as many numbers as classes.
void step_duration_logits(const Context* c, const Network* net, const float* said, double* total, float* logits) {
  const int64_t many = net->durations;
  for (int64_t row = 0; row < c->melodies; ++row, said += net->duration_width, logits += many) {
    for (int64_t i = 0; i < many; ++i) logits[i] = said[i] + net->duration_bias[i], total[i] = 0;
    if (c->metre) {
      int64_t end = c->position[row];
      for (int64_t i = 0; i < many; ++i, end = end + 1 < c->bar_steps[row] ? end + 1 : 0) {
        logits[i] += said[net->end_at + (end < c->positions ? end : c->positions - 1)];
      }
    }
    if (c->candidates == 0) continue;
    scatter(said + net->duration_copy_at, net->duration_copy_run, net->runs, *c, row, c->candidate_duration, 0, 0, total);
    for (int64_t i = 0; i < many; ++i) logits[i] += static_cast<float>(total[i]);
  }
}

// Logits (B, pitches), given durations (B,); likewise.
void step_pitch_logits(const Context* c, const Network* net, const int64_t* durations, const float* said, double* total,
                       float* logits) {
  const int64_t many = net->pitches;
  for (int64_t row = 0; row < c->melodies; ++row, said += net->pitch_width, logits += many) {
    const int64_t reference = c->reference[row] < 0 ? c->references - 1 : c->reference[row], root = c->root[row];
    for (int64_t i = 0; i < many; ++i) {
      float sum = said[i] + net->pitch_bias[i];
      sum += said[net->interval_at + c->intervals[i * c->references + reference]];
      if (c->key) sum += said[net->degree_at + c->degrees[i * 12 + c->tonic[row]]];
      if (c->chords) {
        const int64_t above = root >= 0 && i < c->rest ? (i - root + 12) % 12 : c->chord_degrees - 1;
        sum += said[net->chord_at + above];
      }
      logits[i] = sum, total[i] = 0;
    }
    if (c->candidates == 0) continue;
    scatter(said + net->pitch_copy_at, net->pitch_copy_run, 2 * net->runs, *c, row, c->candidate_pitch, 1,
            durations[row], total);
    for (int64_t i = 0; i < many; ++i) logits[i] += static_cast<float>(total[i]);
  }
}

}
