/* What the kernels of training share: products of small packed blocks, and the exponential.

Products are blocks of up to 16 rows by 64 columns, in AMX's tiles on CPUs that have them, otherwise
6 rows at a time in the registers of AVX-512. Left sides are rows of units; right sides are packed as
[unit][64 columns]. Sums are float32.
*/

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bfloat16.h"
#include "parts.h"
#include "tiles.h"

typedef __m512 vec;

#define ROWS TILE_ROWS /* of a block; even, as rows are also taken in pairs */
#define IN_REGISTERS 6 /* rows that are there together */
#define LANES 16  /* float32 values in a vector */
#define COLUMNS TILE_COLUMNS

INLINE int64_t even(int64_t n) { return n + (n & 1); }
INLINE int64_t in_columns(int64_t n) { return (n + COLUMNS - 1) / COLUMNS * COLUMNS; }

INLINE vec load_half(const half *from) {
    return _mm512_castsi512_ps(
        _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i *)from)), 16));
}

INLINE void store_half(half *to, vec value) {
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(value));
}

/* 32 values side by side to aligned memory that is not read soon. */
INLINE void stream_halves(half *to, vec first, vec second) {
    _mm512_stream_si512((__m512i *)to, (__m512i)_mm512_cvtne2ps_pbh(second, first));
}

/* exp(x) within 2 units in the last place; bounded where float32 ends, NaN stays NaN. */
INLINE vec exponential(vec x) {
    x = _mm512_min_ps(_mm512_set1_ps(87.0f), _mm512_max_ps(_mm512_set1_ps(-87.0f), x));
    vec t = x * _mm512_set1_ps(1.44269504f);
    vec n = _mm512_roundscale_ps(t, 0);
    vec r = _mm512_fmadd_ps(x, _mm512_set1_ps(1.44269504f), -n);
    vec p = _mm512_set1_ps(0.000154035304f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0013333558f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0096181291f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0555041087f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.2402265070f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.6931471806f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

/* 1 / (1 + 2^t), t = -x * log2(e) for the logistic function of x: within 1e-4 of the value, a
twentieth of what rounding it to bfloat16 costs. */
INLINE vec rough_logistic(vec t) {
    t = _mm512_min_ps(_mm512_set1_ps(126.0f), t);
    vec n = _mm512_roundscale_ps(t, 0);
    vec r = t - n;
    vec p = _mm512_set1_ps(0.0096181291f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.0555041087f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.2402265070f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.6931471806f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f));
    return _mm512_rcp14_ps(_mm512_set1_ps(1.0f) + _mm512_scalef_ps(p, n));
}

INLINE vec logistic(vec x) { return rough_logistic(x * _mm512_set1_ps(-1.44269504f)); }

INLINE vec hyperbolic(vec x) {
    vec s = rough_logistic(x * _mm512_set1_ps(-2.88539008f));
    return _mm512_fmadd_ps(_mm512_set1_ps(2.0f), s, _mm512_set1_ps(-1.0f));
}

INLINE vec clipped(vec x, vec bound) {
    return _mm512_min_ps(bound, _mm512_max_ps(-bound, x));
}

/* sums (rows, 64 columns of stride floats) += left (rows, n) @ right [n][64] */
INLINE void add_product(float *sums, int64_t sums_stride, const unit *left, int64_t stride,
                        const unit *right, int64_t n, const int rows) {
    vec s[IN_REGISTERS][4];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) s[r][j] = _mm512_loadu_ps(sums + r * sums_stride + j * LANES);
    for (int64_t k = 0; k < n; k++) {
        __m512bh w[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            w[j] = (__m512bh)_mm512_loadu_si512(right + k * COLUMNS + j * LANES);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512bh x = (__m512bh)_mm512_set1_epi32((int)left[r * stride + k]);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) s[r][j] = _mm512_dpbf16_ps(s[r][j], x, w[j]);
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) _mm512_storeu_ps(sums + r * sums_stride + j * LANES, s[r][j]);
}

/* The same for any even number of rows. Not inlined: GCC would run out of registers beside other
work. */
static __attribute__((noinline, unused)) void add_to(float *sums, int64_t sums_stride,
                                                     const unit *left, int64_t stride,
                                                     const unit *right, int64_t n, int64_t n_rows) {
    if (has_tiles) {
        for (int64_t row = 0; row < n_rows; row += ROWS)
            add_in_tiles(sums + row * sums_stride, sums_stride, left + row * stride, stride, right,
                         n, (int)least(ROWS, n_rows - row));
        return;
    }
    for (; n_rows >= IN_REGISTERS; n_rows -= IN_REGISTERS) {
        add_product(sums, sums_stride, left, stride, right, n, IN_REGISTERS);
        sums += IN_REGISTERS * sums_stride;
        left += IN_REGISTERS * stride;
    }
    if (n_rows == 4) add_product(sums, sums_stride, left, stride, right, n, 4);
    if (n_rows == 2) add_product(sums, sums_stride, left, stride, right, n, 2);
}

/* The same for a block whose sums stand one row after the other. */
INLINE void block_product(vec sums[ROWS][4], const unit *left, int64_t stride, const unit *right,
                          int64_t n, int rows) {
    add_to((float *)sums, COLUMNS, left, stride, right, n, rows);
}

/* 16 pairs of two vectors, as bfloat16: the first one's values in the low halves. */
INLINE __m512i paired(vec first, vec second) {
    __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first));
    __m512i high = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second));
    return _mm512_or_si512(low, _mm512_slli_epi32(high, 16));
}
