// One class of each row of logits: `melodygru.writing.choosing.draw`, and what `melodygru.network.arrays.nats_of` sums,
// in NumPy's order, so that both say the same to the last bit. e^x is NumPy's own, taken between the two functions.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace {

// NumPy's sum of contiguous numbers: eight sums side by side, and halves of what is longer than a block.
double pairwise(const double* values, int64_t count) {
  if (count < 8) {
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += values[i];
    return sum;
  }
  if (count <= 128) {
    double r[8];
    for (int i = 0; i < 8; ++i) r[i] = values[i];
    int64_t i = 8;
    for (; i < count - count % 8; i += 8) {
      for (int j = 0; j < 8; ++j) r[j] += values[i + j];
    }
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < count; ++i) sum += values[i];
    return sum;
  }
  int64_t half = count / 2;
  half -= half % 8;
  return pairwise(values, half) + pairwise(values + half, count - half);
}

}  // namespace

// Field by field as `melodygru.writing.choosing` hands it over.
struct Draws {
  int64_t rows, classes, top_k;
  const double *temperature, *top_p;  // one number each
  const float* logits;                // (B, V) the network's own
  const double* wanted;               // (B, V) with what is preferred
  const uint8_t* legal;               // (B, V)
  const double* uniform;              // (B,) in [0, 1)
  double* powers;                     // (2, B, V): what e^x is taken of, and then that: of what is drawn from; of logits
  double *kept, *room;                // (B, V) the former, before e^x; (V,)
  double *best, *total;               // (B,) of the network's own: the largest, and the sum of powers
  int64_t* drawn;                     // (B,)
};

extern "C" void draws_shift(const Draws* d) {
  const int64_t many = d->classes;
  for (int64_t row = 0; row < d->rows; ++row) {
    const float* logits = d->logits + row * many;
    const double* wanted = d->wanted + row * many;
    const uint8_t* legal = d->legal + row * many;
    double *kept = d->kept + row * many, *of_logits = d->powers + (d->rows + row) * many;
    float most = logits[0];
    double best = -INFINITY;
    for (int64_t i = 0; i < many; ++i) {
      most = std::max(most, logits[i]);
      kept[i] = legal[i] ? wanted[i] : -INFINITY;
      best = std::max(best, kept[i]);
    }
    d->best[row] = most;
    for (int64_t i = 0; i < many; ++i) of_logits[i] = static_cast<double>(logits[i]) - d->best[row];
    for (int64_t i = 0; i < many; ++i) kept[i] = (kept[i] - best) / *d->temperature;
    if (d->top_k > 0 && d->top_k < many) {
      std::copy(kept, kept + many, d->room);
      std::nth_element(d->room, d->room + d->top_k - 1, d->room + many, [](double one, double two) { return one > two; });
      const double least = d->room[d->top_k - 1];
      for (int64_t i = 0; i < many; ++i) kept[i] = kept[i] >= least ? kept[i] : -INFINITY;
    }
    std::copy(kept, kept + many, d->powers + row * many);
  }
}

extern "C" void draws_choose(const Draws* d) {
  const int64_t many = d->classes;
  double* room = d->room;
  for (int64_t row = 0; row < d->rows; ++row) {
    double *kept = d->kept + row * many, *powers = d->powers + row * many;
    d->total[row] = pairwise(d->powers + (d->rows + row) * many, many);
    if (*d->top_p < 1) {
      // The likeliest first; those that cannot be come last, all 0.
      int64_t possible = 0;
      for (int64_t i = 0; i < many; ++i) {
        if (kept[i] > -INFINITY) room[possible++] = kept[i];
      }
      std::sort(room, room + possible, [](double one, double two) { return one > two; });
      // Their powers: equal numbers have equal ones, so any of those will do.
      double* ordered = d->room + many;
      for (int64_t i = 0; i < many; ++i) {
        if (kept[i] > -INFINITY) {
          const auto at = std::lower_bound(room, room + possible, kept[i], [](double one, double two) { return one > two; });
          for (int64_t place = at - room; place < possible && room[place] == kept[i]; ++place) ordered[place] = powers[i];
        }
      }
      std::fill(ordered + possible, ordered + many, 0.0);
      const double sum = pairwise(ordered, many);
      double total = 0, least = -INFINITY;
      for (int64_t i = 0; i < possible; ++i) {
        total += ordered[i] / sum;
        if (total >= *d->top_p) {
          least = room[i];
          break;
        }
      }
      for (int64_t i = 0; i < many; ++i) {
        if (!(kept[i] >= least)) kept[i] = -INFINITY, powers[i] = 0;
      }
    }
    const double sum = pairwise(powers, many);
    double total = 0;
    int64_t last = many - 1;
    for (int64_t i = 0; i < many; ++i) room[i] = total += powers[i] / sum;
    while (last > 0 && !(kept[last] > -INFINITY)) --last;
    const double bound = d->uniform[row] * total;
    int64_t below = 0;
    for (int64_t i = 0; i < many; ++i) below += room[i] <= bound;
    d->drawn[row] = std::min(below, last);
  }
}
