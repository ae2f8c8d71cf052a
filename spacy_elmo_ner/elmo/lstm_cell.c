/* What an LSTM computes between two matrix products, in one pass over the rows of a step.

Plain C on plain arrays: `compiled_cell.py` has it compiled for the CPU it runs on and hands it the
memory of tensors. The same formulas as TorchCell in `fast_lstm.py`. Sums are float32; "half"
stands for bfloat16.
*/

#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t half;

/* Rows that are worth a second thread: waking it takes as long as a few thousand values. */
#define VALUES_PER_THREAD 8192

static inline float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float from_half(half value) { return float_of((uint32_t)value << 16); }

/* To the nearest, ties to even, as torch rounds; NaN stays NaN. */
static inline half to_half(float value) {
    uint32_t bits = bits_of(value);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return value != value ? 0x7fc0 : rounded;
}

/* exp(x) within 2 units in the last place: 2^n * exp(r), |r| <= log(2) / 2, and the Taylor series
of exp(r). Beyond what float32 holds it stays at the bounds; NaN stays NaN. */
static inline float exponential(float x) {
    x = x > 88.0f ? 88.0f : x;
    x = x < -87.0f ? -87.0f : x;
    /* Adding and taking off 1.5 * 2^23 rounds to a whole number. */
    float n = (x * 1.44269504f + 12582912.0f) - 12582912.0f;
    float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    return p * float_of((uint32_t)((int32_t)n + 127) << 23);
}

static inline float logistic(float x) { return 1.0f / (1.0f + exponential(-x)); }

/* One step's cells and hidden states. gates (n, 4 * units), as the product gives them: input,
forget, output and twice the candidate; cells (n, units), twice the cell states, changed in place;
hidden (n, units), half of o * tanh(c). */
#define DEFINE_CELL(NAME, TYPE, READ, WRITE)                                                       \
    void NAME(const TYPE *gates, int64_t n, int64_t units, float *cells, TYPE *hidden,             \
              float clip, int threads) {                                                           \
        if (n * units < VALUES_PER_THREAD) threads = 1;                                            \
        _Pragma("omp parallel for num_threads(threads) if (threads > 1) schedule(static)")         \
        for (int64_t row = 0; row < n; row++) {                                                    \
            const TYPE *restrict g = gates + row * 4 * units;                                      \
            float *restrict c = cells + row * units;                                               \
            TYPE *restrict h = hidden + row * units;                                               \
            for (int64_t k = 0; k < units; k++) {                                                  \
                float candidate = logistic(READ(g[3 * units + k])) - 0.5f;                         \
                float value = logistic(READ(g[units + k])) * c[k];                                 \
                value += 4.0f * logistic(READ(g[k])) * candidate;                                  \
                value = value > clip ? clip : value;                                               \
                value = value < -clip ? -clip : value;                                             \
                c[k] = value;                                                                      \
                float output = logistic(READ(g[2 * units + k]));                                   \
                h[k] = WRITE(output * (logistic(value) - 0.5f));                                   \
            }                                                                                      \
        }                                                                                          \
    }

/* Hands on what a step gives: scale * hidden (n, width), clipped, to outputs, and of the first
n_next rows to those of the next step, which are row_width apart. */
#define DEFINE_OUTPUT(NAME, TYPE, READ, WRITE)                                                     \
    void NAME(const TYPE *hidden, int64_t n, int64_t n_next, int64_t width, float scale,           \
              float clip, float *outputs, TYPE *next, int64_t row_width) {                         \
        for (int64_t row = 0; row < n; row++) {                                                    \
            const TYPE *restrict h = hidden + row * width;                                         \
            float *restrict out = outputs + row * width;                                           \
            for (int64_t k = 0; k < width; k++) {                                                  \
                float value = scale * READ(h[k]);                                                  \
                value = value > clip ? clip : value;                                               \
                out[k] = value < -clip ? -clip : value;                                            \
            }                                                                                      \
            if (row < n_next) {                                                                    \
                TYPE *restrict to = next + row * row_width;                                        \
                for (int64_t k = 0; k < width; k++) to[k] = WRITE(out[k]);                         \
            }                                                                                      \
        }                                                                                          \
    }

DEFINE_CELL(lstm_cell_float, float, , )
DEFINE_CELL(lstm_cell_half, half, from_half, to_half)
DEFINE_OUTPUT(lstm_output_float, float, , )
DEFINE_OUTPUT(lstm_output_half, half, from_half, to_half)
