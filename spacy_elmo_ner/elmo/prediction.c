/* What prediction runs compiled: an LSTM's layer and direction over packed sequences, all steps in one
call, and the char-CNN's convolutions.

Plain C in GCC's vector types, for several kinds of CPU; which one runs is decided when the weights
are laid out. Work is dealt out to parts that never wait for each other.
*/

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bfloat16.h"
#include "char_cnn.h"
#include "parts.h"

/* With fewer sequences than this, inputs are multiplied ahead of the steps that need them, for so
many rows together. */
#define AHEAD_BELOW 24
#define AHEAD_ROWS 96

struct layer {
    int64_t n_in, n_out, units;
    const float *input;      /* (4 * units, n_in): input, forget, candidate, output gate */
    const float *recurrent;  /* (4 * units, n_out) */
    const float *bias;       /* (4 * units,) */
    const float *projection; /* (n_out, units), or NULL where n_out is units */
};

struct prediction {
    struct layer layer; /* its weights are read only where they are packed, but for NULL */
    int64_t kind, n_steps, n_parts;
    int64_t n_packed, n_inputs, n_outputs; /* tokens; rows of inputs and outputs */
    const int64_t *sizes; /* (n_steps,): sequences still running; never grows */
    const float *inputs;
    int64_t input_stride;
    const int64_t *reads; /* (n_packed,): rows of inputs; NULL: as they stand */
    float *outputs;
    int64_t output_stride;
    const int64_t *writes;
    const float *h0, *c0; /* (n_sequences, n_out), (n_sequences, units), or NULL: zeros */
    float *last_cells;    /* (n_sequences, units) */
    float cell_clip, proj_clip;
    float *packed;
    const uint16_t *halves; /* the same as float16, or NULL */
    int64_t failed;
};

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#define KINDS
#if __GNUC__ >= 10
#define HAS_BFLOAT16
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,prefer-vector-width=512")
#define LANES 16
#define BLOCK 6
#define BFLOAT16
#define NAME(x) x##_bfloat16
#include "prediction_kind.h"
#include "tiles.h"
#define LANES 16
#define BLOCK TILE_ROWS
#define BFLOAT16
#define TILES
#define NAME(x) x##_tiles
#include "prediction_kind.h"
#pragma GCC pop_options
#endif
#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,prefer-vector-width=512")
#define LANES 16
#define BLOCK 6
#define HALVES(from) ((vec)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(from))))
#define HALVES_UP_TO 24
#define NAME(x) x##_v4
#include "prediction_kind.h"
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#define LANES 8
#define BLOCK 3
#define HALVES(from) ((vec)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(from))))
#define HALVES_UP_TO 4
#define NAME(x) x##_v3
#include "prediction_kind.h"
#pragma GCC pop_options
#endif

#define LANES 4
#ifdef __aarch64__
#define BLOCK 6
#else
#define BLOCK 3
#endif
#define NAME(x) x##_plain
#include "prediction_kind.h"

#ifdef HAS_BFLOAT16
#define CHOOSE(kind, name) \
    ((kind) == 4 ? name##_tiles : (kind) == 3 ? name##_bfloat16 : CHOOSE_EXACT(kind, name))
#else
#define CHOOSE(kind, name) CHOOSE_EXACT(kind, name)
#endif
#ifdef KINDS
#define CHOOSE_EXACT(kind, name) \
    ((kind) == 2 ? name##_v4 : (kind) == 1 ? name##_v3 : name##_plain)
#else
#define CHOOSE_EXACT(kind, name) name##_plain
#endif

/* The highest of this CPU: 4 and 3 with products of bfloat16, which are rounded, in AMX's tiles or in
AVX-512; 2 with AVX-512, 1 with AVX2 and FMA, 0 without or of another family. */
int64_t prediction_kind(void) {
#ifdef KINDS
    __builtin_cpu_init();
#ifdef HAS_BFLOAT16
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return has_tiles ? 4 : 3;
#endif
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
        __builtin_cpu_supports("f16c"))
        return 1;
#endif
    return 0;
}

int64_t prediction_packed_floats(const struct prediction *c) {
    return CHOOSE(c->kind, packed_floats)(&c->layer);
}

int64_t prediction_pack(const struct prediction *c) {
    CHOOSE(c->kind, pack)(&c->layer, c->packed);
    return 0;
}

/* Whether rows 0 to n - 1 of `places`, or as they stand, are rows of n_rows. */
static int within(const int64_t *places, int64_t n, int64_t n_rows) {
    if (!places) return n <= n_rows;
    for (int64_t i = 0; i < n; i++)
        if (places[i] < 0 || places[i] >= n_rows) return 0;
    return 1;
}

/* 0, -1 without memory, 1 where the steps are not those of n_packed tokens, 2 or 3 where a row that
is to be read or written is none. */
int64_t predict(struct prediction *c) {
    int64_t n = 0, before = c->n_steps > 0 ? c->sizes[0] : 0;
    for (int64_t t = 0; t < c->n_steps; t++) {
        if (c->sizes[t] < 1 || c->sizes[t] > before || c->sizes[t] > c->n_packed - n) return 1;
        before = c->sizes[t];
        n += before;
    }
    if (n != c->n_packed) return 1;
    if (n == 0) return 0;
    if (!within(c->reads, n, c->n_inputs)) return 2;
    if (!within(c->writes, n, c->n_outputs)) return 3;
    run_parts(CHOOSE(c->kind, predict_part), c, (int)c->n_parts, (int)c->n_parts);
    return c->failed ? -1 : 0;
}

/* Sums of a table are float32 whatever products are: there is no kind 3. */
int64_t pool(struct convolution *c) {
    run_parts(CHOOSE_EXACT(c->kind, pool_part), c, (int)c->n_parts, (int)c->threads);
    return 0;
}
