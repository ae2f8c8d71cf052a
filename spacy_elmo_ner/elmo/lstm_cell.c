/* What an LSTM computes between two matrix products, in one pass over the rows of a step.

Plain C on plain arrays: `compiled_cell.py` has it compiled for the CPU it runs on and hands it the
memory of tensors. The same formulas as TorchCell in `fast_lstm.py`, for prediction, and
TorchTrainingCell in `packed_lstm.py`. Sums are float32; "half" stands for bfloat16. No two arrays
overlap, which "ivdep" tells GCC so that it takes 8 or 16 values at once.
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
            _Pragma("GCC ivdep")                                                                   \
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
            _Pragma("GCC ivdep")                                                                   \
            for (int64_t k = 0; k < width; k++) {                                                  \
                float value = scale * READ(h[k]);                                                  \
                value = value > clip ? clip : value;                                               \
                out[k] = value < -clip ? -clip : value;                                            \
            }                                                                                      \
            if (row < n_next) {                                                                    \
                TYPE *restrict to = next + row * row_width;                                        \
                _Pragma("GCC ivdep")                                                               \
                for (int64_t k = 0; k < width; k++) to[k] = WRITE(out[k]);                         \
            }                                                                                      \
        }                                                                                          \
    }

/* Training, forward: step (n, 4 * units), as the product gives it: input, forget, candidate,
output; gates, the same shape: what each lets pass; before (n, units): cell states so far;
cells, hidden (n, units). */
#define DEFINE_FORWARD(NAME, TYPE, READ, WRITE, HIDDEN, WRITE_HIDDEN)                              \
    void NAME(const TYPE *step, int64_t n, int64_t units, TYPE *gates, const float *before,        \
              float *cells, HIDDEN *hidden, float clip, int threads) {                             \
        if (n * units < VALUES_PER_THREAD) threads = 1;                                            \
        _Pragma("omp parallel for num_threads(threads) if (threads > 1) schedule(static)")         \
        for (int64_t row = 0; row < n; row++) {                                                    \
            const TYPE *restrict s = step + row * 4 * units;                                       \
            TYPE *restrict g = gates + row * 4 * units;                                            \
            const float *restrict b = before + row * units;                                        \
            float *restrict c = cells + row * units;                                               \
            HIDDEN *restrict h = hidden + row * units;                                             \
            _Pragma("GCC ivdep")                                                                   \
            for (int64_t k = 0; k < units; k++) {                                                  \
                float input = logistic(READ(s[k]));                                                \
                float forget = logistic(READ(s[units + k]));                                       \
                float candidate = 2.0f * logistic(2.0f * READ(s[2 * units + k])) - 1.0f;           \
                float output = logistic(READ(s[3 * units + k]));                                   \
                g[k] = WRITE(input);                                                               \
                g[units + k] = WRITE(forget);                                                      \
                g[2 * units + k] = WRITE(candidate);                                               \
                g[3 * units + k] = WRITE(output);                                                  \
                float value = input * candidate + forget * b[k];                                   \
                value = value > clip ? clip : value;                                               \
                value = value < -clip ? -clip : value;                                             \
                c[k] = value;                                                                      \
                h[k] = WRITE_HIDDEN(output * (2.0f * logistic(2.0f * value) - 1.0f));              \
            }                                                                                      \
        }                                                                                          \
    }

/* Training, backward: d_hidden (n, units) and d_cells, which holds what the step after gives and
gets what the step before is given, to d_gates (n, 4 * units), before their squashing. */
#define DEFINE_BACKWARD(NAME, TYPE, READ, WRITE, HIDDEN, READ_HIDDEN)                              \
    void NAME(const TYPE *gates, int64_t n, int64_t units, const float *before,                    \
              const float *cells, const HIDDEN *d_hidden, float *d_cells, TYPE *d_gates,           \
              float clip, int threads) {                                                           \
        if (n * units < VALUES_PER_THREAD) threads = 1;                                            \
        _Pragma("omp parallel for num_threads(threads) if (threads > 1) schedule(static)")         \
        for (int64_t row = 0; row < n; row++) {                                                    \
            const TYPE *restrict g = gates + row * 4 * units;                                      \
            const float *restrict b = before + row * units;                                        \
            const float *restrict c = cells + row * units;                                         \
            const HIDDEN *restrict d_h = d_hidden + row * units;                                   \
            float *restrict d_c = d_cells + row * units;                                           \
            TYPE *restrict d = d_gates + row * 4 * units;                                          \
            _Pragma("GCC ivdep")                                                                   \
            for (int64_t k = 0; k < units; k++) {                                                  \
                float input = READ(g[k]), forget = READ(g[units + k]);                             \
                float candidate = READ(g[2 * units + k]), output = READ(g[3 * units + k]);         \
                float squashed = 2.0f * logistic(2.0f * c[k]) - 1.0f;                              \
                float down = READ_HIDDEN(d_h[k]);                                                  \
                float value = d_c[k] + down * output * (1.0f - squashed * squashed);               \
                value = c[k] < clip && c[k] > -clip ? value : 0.0f;                                \
                d[k] = WRITE(value * candidate * input * (1.0f - input));                          \
                d[units + k] = WRITE(value * b[k] * forget * (1.0f - forget));                     \
                d[2 * units + k] = WRITE(value * input * (1.0f - candidate * candidate));          \
                d[3 * units + k] = WRITE(down * squashed * output * (1.0f - output));              \
                d_c[k] = value * forget;                                                           \
            }                                                                                      \
        }                                                                                          \
    }

/* The last word of a name is the type of hidden states. */
DEFINE_CELL(lstm_cell_float, float, , )
DEFINE_CELL(lstm_cell_half, half, from_half, to_half)
DEFINE_OUTPUT(lstm_output_float, float, , )
DEFINE_OUTPUT(lstm_output_half, half, from_half, to_half)
DEFINE_FORWARD(lstm_forward_float_float, float, , , float, )
DEFINE_FORWARD(lstm_forward_half_float, half, from_half, to_half, float, )
DEFINE_FORWARD(lstm_forward_half_half, half, from_half, to_half, half, to_half)
DEFINE_BACKWARD(lstm_backward_float_float, float, , , float, )
DEFINE_BACKWARD(lstm_backward_half_float, half, from_half, to_half, float, )
DEFINE_BACKWARD(lstm_backward_half_half, half, from_half, to_half, half, from_half)
