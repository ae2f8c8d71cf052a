/* Convolutions over characters and their maximum, as sums of table rows, for training.

A filter's value at a place is the sum over its width of what each character gives it there; a table
(n_characters, width, n_filters) holds that for every character. So a place costs a filter one
addition per character instead of one per value of the embedding, and the maximum over a word never
leaves the registers.
*/

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 10
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")
#pragma GCC target("prefer-vector-width=512")

#include <math.h>

#include "char_cnn.h"
#include "kernels.h"

#define FILTERS 64 /* of a block: its part of a table stays in the second cache */

INLINE void largest_of(const struct convolution *c, int64_t word, int64_t filter, const int n) {
    const int16_t *ids = c->ids + word * c->n_slots;
    int64_t row = c->n_filters, width = c->width;
    /* Behind a word all places see padding alone and have one value. */
    int64_t last = least(c->lengths[word], c->n_slots - width);
    vec best[4];
    __m512i where[4];
    for (int j = 0; j < 4; j++) {
        best[j] = _mm512_set1_ps(-INFINITY);
        where[j] = _mm512_setzero_si512();
    }
    for (int64_t at = 0; at <= last; at++) {
        vec sum[4];
#pragma GCC unroll 4
        for (int j = 0; j < n; j++)
            sum[j] = _mm512_loadu_ps(c->table + ids[at] * width * row + filter + j * LANES);
        for (int64_t k = 1; k < width; k++) {
            const float *from = c->table + (ids[at + k] * width + k) * row + filter;
#pragma GCC unroll 4
            for (int j = 0; j < n; j++) sum[j] += _mm512_loadu_ps(from + j * LANES);
        }
#pragma GCC unroll 4
        for (int j = 0; j < n; j++) {
            /* NaN counts as the largest, as in torch. */
            __mmask16 larger = _mm512_cmp_ps_mask(sum[j], best[j], _CMP_GT_OQ) |
                               _mm512_cmp_ps_mask(sum[j], sum[j], _CMP_UNORD_Q);
            best[j] = _mm512_mask_mov_ps(best[j], larger, sum[j]);
            where[j] = _mm512_mask_mov_epi32(where[j], larger, _mm512_set1_epi32((int)at));
        }
    }
    int64_t to = word * c->stride + filter;
    for (int j = 0; j < n; j++, to += LANES) {
        best[j] += _mm512_loadu_ps(c->bias + filter + j * LANES);
        if (c->largest) _mm512_storeu_ps(c->largest + to, best[j]);
        else store_half(c->largest_half + to, best[j]);
        _mm256_storeu_si256((__m256i *)(c->where + to), _mm512_cvtepi32_epi16(where[j]));
    }
}

static void convolve_part(void *context, int part) {
    const struct convolution *c = context;
    for (int64_t f = part * FILTERS; f < c->n_filters; f += FILTERS * c->n_parts)
        for (int64_t word = 0; word < c->n_words; word++) {
            int n = (int)least(FILTERS, c->n_filters - f) / LANES;
            if (n == 4) largest_of(c, word, f, 4);
            else if (n == 3) largest_of(c, word, f, 3);
            else if (n == 2) largest_of(c, word, f, 2);
            else largest_of(c, word, f, 1);
        }
}

static void spread_part(void *context, int part) {
    const struct convolution *c = context;
    int64_t row = c->n_filters, width = c->width;
    for (int64_t f = part * FILTERS; f < c->n_filters; f += FILTERS * c->n_parts)
        for (int64_t word = 0; word < c->n_words; word++) {
            const int16_t *ids = c->ids + word * c->n_slots;
            const int16_t *where = c->where + word * c->stride;
            const float *d = c->d_largest + word * c->stride;
            /* No branch for a gradient of zero: nobody could foretell it. */
            for (int64_t i = f; i < least(f + FILTERS, c->n_filters); i++) {
                const int16_t *own = ids + where[i];
                float *to = c->d_table + i;
                for (int64_t k = 0; k < width; k++, to += row) to[own[k] * width * row] += d[i];
            }
        }
}

/* A highway between its product and its output: carry * relu(transformed) + (1 - carry) * x. */
struct highway {
    int64_t n, dim, n_parts, threads;
    const half *gates; /* (n, 2 * dim): what the product gives, transformed beside carry */
    const half *x;     /* (n, dim) */
    half *y;
    const half *d_y;   /* (n, dim) */
    half *d_gates;     /* (n, 2 * dim) */
    half *d_x;         /* (n, dim): of what is carried past the product */
};

INLINE vec exact_logistic(vec x) {
    return _mm512_div_ps(_mm512_set1_ps(1.0f), _mm512_set1_ps(1.0f) + exponential(-x));
}

static void highway_forward_part(void *context, int part) {
    const struct highway *h = context;
    for (int64_t i = part; i < h->n; i += h->n_parts)
        for (int64_t k = 0; k < h->dim; k += LANES) {
            const half *gates = h->gates + 2 * i * h->dim + k;
            vec carry = exact_logistic(load_half(gates + h->dim)), x = load_half(h->x + i * h->dim + k);
            vec transformed = _mm512_max_ps(_mm512_setzero_ps(), load_half(gates));
            store_half(h->y + i * h->dim + k, _mm512_fmadd_ps(carry, transformed - x, x));
        }
}

static void highway_backward_part(void *context, int part) {
    const struct highway *h = context;
    vec zero = _mm512_setzero_ps(), one = _mm512_set1_ps(1.0f);
    for (int64_t i = part; i < h->n; i += h->n_parts)
        for (int64_t k = 0; k < h->dim; k += LANES) {
            int64_t at = i * h->dim + k, gate = at + i * h->dim;
            vec carry = exact_logistic(load_half(h->gates + gate + h->dim)), x = load_half(h->x + at);
            vec transformed = load_half(h->gates + gate), d = load_half(h->d_y + at);
            __mmask16 open = _mm512_cmp_ps_mask(transformed, zero, _CMP_GT_OQ);
            transformed = _mm512_maskz_mov_ps(open, transformed);
            store_half(h->d_gates + gate, _mm512_maskz_mul_ps(open, d, carry));
            store_half(h->d_gates + gate + h->dim, d * (transformed - x) * carry * (one - carry));
            store_half(h->d_x + at, d * (one - carry));
        }
}

int64_t highway_forward(struct highway *h) {
    run_parts(highway_forward_part, h, (int)h->n_parts, (int)h->threads);
    return 0;
}

int64_t highway_backward(struct highway *h) {
    run_parts(highway_backward_part, h, (int)h->n_parts, (int)h->threads);
    return 0;
}

int64_t convolution_forward(struct convolution *c) {
    run_parts(convolve_part, c, (int)c->n_parts, (int)c->threads);
    return 0;
}

int64_t convolution_backward(struct convolution *c) {
    run_parts(spread_part, c, (int)c->n_parts, (int)c->threads);
    return 0;
}

#endif
