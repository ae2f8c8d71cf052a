/* Softmax over many classes, its loss and gradient, in one pass over blocks of rows.

A block's exponentials are stored in bfloat16, twice: beside each other, for the gradient of what
comes in, which is summed at once, and in pairs of rows, for the gradient of the weights, which
waits until their sum is known. They are taken without the largest logit, which is known only in the
end; where it would have been needed the block is done again.
*/

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 10
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")
#pragma GCC target("prefer-vector-width=512")

#include <math.h>

#include "kernels.h"

#define BLOCK 96        /* rows; a multiple of 12 and 16 */
#define CHUNK 256       /* classes whose gradient is summed together */
#define NARROW 12       /* rows of a product with one or two vectors of columns */
#define FURTHEST 60.0f  /* largest logits within this are safe for exp in float32 and its sums */

struct softmax {
    int64_t n, dim, n_classes, n_parts, threads;
    const float *hidden;    /* (n, dim) */
    const float *weight;    /* (n_classes, dim) */
    const int64_t *targets; /* (n,) */
    unit *packed;           /* scratch */
    float *d_hidden;        /* (n, dim) */
    float *d_weight;        /* (n_parts, dim, classes in columns), zeros */
    double *loss;           /* (n_parts,) */
    int64_t failed;
};

/* Columns of a product that gives `dim` values: 16, 32 or a multiple of 64. */
INLINE int64_t down_columns(int64_t dim) {
    return dim <= LANES ? LANES : dim <= 2 * LANES ? 2 * LANES : in_columns(dim);
}

/* [classes / 64][dim / 2][64] */
static void pack_up(const struct softmax *s, unit *to) {
    int64_t n = s->dim / 2;
    for (int64_t c = 0; c < s->n_classes; c += COLUMNS, to += n * COLUMNS)
        for (int64_t j = 0; j < COLUMNS; j++) {
            const float *from = s->weight + (c + j) * s->dim;
            int there = c + j < s->n_classes;
            for (int64_t k = 0; k < n; k++)
                to[k * COLUMNS + j] =
                    there ? pair_of(to_half(from[2 * k]), to_half(from[2 * k + 1])) : 0;
        }
}

/* [classes / CHUNK][columns / 64][CHUNK / 2][64, or all columns if less] */
static void pack_down(const struct softmax *s, unit *to) {
    int64_t columns = down_columns(s->dim), wide = least(columns, COLUMNS);
    for (int64_t c0 = 0; c0 < s->n_classes; c0 += CHUNK)
        for (int64_t d = 0; d < columns; d += wide)
            for (int64_t c = c0; c < c0 + CHUNK; c += 2, to += wide)
                for (int64_t j = 0; j < wide; j++) {
                    int there = d + j < s->dim;
                    half one = there && c < s->n_classes ? to_half(s->weight[c * s->dim + d + j]) : 0;
                    half two = there && c + 1 < s->n_classes
                                   ? to_half(s->weight[(c + 1) * s->dim + d + j])
                                   : 0;
                    to[j] = pair_of(one, two);
                }
}

/* Adds left (NARROW, n) @ right [n][16 * vectors] to result. */
INLINE void add_narrow(float *result, int64_t stride, const unit *left, int64_t left_stride,
                       const unit *right, int64_t n, const int vectors) {
    vec s[NARROW][2];
#pragma GCC unroll 12
    for (int r = 0; r < NARROW; r++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) s[r][j] = _mm512_loadu_ps(result + r * stride + j * LANES);
    for (int64_t k = 0; k < n; k++) {
        __m512bh w[2];
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++)
            w[j] = (__m512bh)_mm512_loadu_si512(right + (k * vectors + j) * LANES);
#pragma GCC unroll 12
        for (int r = 0; r < NARROW; r++) {
            __m512bh x = (__m512bh)_mm512_set1_epi32((int)left[r * left_stride + k]);
#pragma GCC unroll 2
            for (int j = 0; j < vectors; j++) s[r][j] = _mm512_dpbf16_ps(s[r][j], x, w[j]);
        }
    }
#pragma GCC unroll 12
    for (int r = 0; r < NARROW; r++)
#pragma GCC unroll 2
        for (int j = 0; j < vectors; j++) _mm512_storeu_ps(result + r * stride + j * LANES, s[r][j]);
}

static __attribute__((noinline)) void add_one(float *result, int64_t stride, const unit *left,
                                              int64_t left_stride, const unit *right, int64_t n) {
    for (int64_t row = 0; row < BLOCK; row += NARROW)
        add_narrow(result + row * stride, stride, left + row * left_stride, left_stride, right, n, 1);
}

static __attribute__((noinline)) void add_two(float *result, int64_t stride, const unit *left,
                                              int64_t left_stride, const unit *right, int64_t n) {
    for (int64_t row = 0; row < BLOCK; row += NARROW)
        add_narrow(result + row * stride, stride, left + row * left_stride, left_stride, right, n, 2);
}

struct block {
    half *hidden;       /* (BLOCK, dim) */
    half *flat;         /* (BLOCK, CHUNK) */
    unit *pairs;        /* [classes / 64][BLOCK / 2][64] */
    unit *scaled;       /* (dim, BLOCK / 2): hidden by the sum, transposed, in pairs of rows */
    float *d_hidden;    /* (BLOCK, columns) */
    vec sums[BLOCK], largest[BLOCK];
    float shift[BLOCK];
};

static void exponentials(const struct softmax *s, struct block *b, const unit *up,
                         const unit *down) {
    int64_t n_units = s->dim / 2, columns = down_columns(s->dim);
    memset(b->d_hidden, 0, BLOCK * columns * sizeof(float));
    for (int r = 0; r < BLOCK; r++) {
        b->sums[r] = _mm512_setzero_ps();
        b->largest[r] = _mm512_set1_ps(-INFINITY);
    }
    for (int64_t c0 = 0; c0 < s->n_classes; c0 += CHUNK) {
        if (c0 + CHUNK > s->n_classes) memset(b->flat, 0, BLOCK * CHUNK * sizeof(half));
        for (int64_t c = c0; c < least(c0 + CHUNK, s->n_classes); c += COLUMNS) {
            const unit *weight = up + c / COLUMNS * n_units * COLUMNS;
            unit *pairs = b->pairs + c / COLUMNS * (BLOCK / 2) * COLUMNS;
            for (int row = 0; row < BLOCK; row += ROWS) {
                vec logits[ROWS][4];
                memset(logits, 0, sizeof logits);
                block_product(logits, (const unit *)b->hidden + row * n_units, n_units, weight,
                              n_units, ROWS);
                for (int j = 0; j < 4; j++) {
                    int64_t left = s->n_classes - c - j * LANES;
                    __mmask16 there = left >= LANES ? 0xffff : left > 0 ? (1 << left) - 1 : 0;
                    for (int r = row; r < row + ROWS; r += 2) {
                        vec e[2];
                        for (int i = 0; i < 2; i++) {
                            vec logit = logits[r - row + i][j];
                            b->largest[r + i] =
                                _mm512_mask_max_ps(b->largest[r + i], there, b->largest[r + i], logit);
                            e[i] = _mm512_maskz_mov_ps(
                                there, exponential(logit - _mm512_set1_ps(b->shift[r + i])));
                            b->sums[r + i] += e[i];
                        }
                        __m256i one = (__m256i)_mm512_cvtneps_pbh(e[0]);
                        __m256i two = (__m256i)_mm512_cvtneps_pbh(e[1]);
                        half *flat = b->flat + r * CHUNK + c - c0 + j * LANES;
                        _mm256_storeu_si256((__m256i *)flat, one);
                        _mm256_storeu_si256((__m256i *)(flat + CHUNK), two);
                        _mm512_storeu_si512(
                            pairs + r / 2 * COLUMNS + j * LANES,
                            _mm512_or_si512(_mm512_cvtepu16_epi32(one),
                                            _mm512_slli_epi32(_mm512_cvtepu16_epi32(two), 16)));
                    }
                }
            }
        }
        const unit *left = (const unit *)b->flat;
        if (columns == LANES) add_one(b->d_hidden, columns, left, CHUNK / 2, down, CHUNK / 2);
        else if (columns == 2 * LANES) add_two(b->d_hidden, columns, left, CHUNK / 2, down, CHUNK / 2);
        else
            for (int64_t d = 0; d < columns; d += COLUMNS)
                add_to(b->d_hidden + d, columns, left, CHUNK / 2, down + d * CHUNK / 2, CHUNK / 2,
                       BLOCK);
        down += columns * CHUNK / 2;
    }
}

static void softmax_part(void *context, int part) {
    struct softmax *s = context;
    int64_t dim = s->dim, n_units = dim / 2, columns = down_columns(dim);
    int64_t classes = in_columns(s->n_classes);
    const unit *up = s->packed, *down = up + classes * n_units;
    float *d_weight = s->d_weight + part * dim * classes;
    size_t size = sizeof(struct block) + BLOCK * (dim + CHUNK) * sizeof(half) +
                  (classes / 2 + dim / 2) * BLOCK * sizeof(unit) + BLOCK * columns * sizeof(float);
    struct block *b = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!b) {
        s->failed = 1;
        return;
    }
    b->pairs = (unit *)(b + 1);
    b->d_hidden = (float *)(b->pairs + classes * (BLOCK / 2));
    b->flat = (half *)(b->d_hidden + BLOCK * columns);
    b->hidden = b->flat + BLOCK * CHUNK;
    b->scaled = (unit *)(b->hidden + BLOCK * dim);
    double loss = 0;
    if (has_tiles) take_tiles();
    for (int64_t start = part * BLOCK; start < s->n; start += BLOCK * s->n_parts) {
        int64_t n = least(BLOCK, s->n - start);
        memset(b->hidden, 0, BLOCK * dim * sizeof(half));
        memset(b->shift, 0, sizeof b->shift);
        for (int64_t i = 0; i < n * dim; i++) b->hidden[i] = to_half(s->hidden[start * dim + i]);
        exponentials(s, b, up, down);
        float most = 0;
        for (int64_t r = 0; r < n; r++) {
            b->shift[r] = _mm512_reduce_max_ps(b->largest[r]);
            most = fmaxf(most, fabsf(b->shift[r]));
        }
        if (most > FURTHEST) exponentials(s, b, up, down);
        else memset(b->shift, 0, sizeof b->shift);
        memset(b->scaled, 0, dim / 2 * BLOCK * sizeof(unit));
        for (int64_t r = 0; r < n; r++) {
            int64_t target = s->targets[start + r];
            const half *hidden = b->hidden + r * dim;
            const float *weight = s->weight + target * dim;
            float *d_hidden = s->d_hidden + (start + r) * dim;
            float logit = 0;
            for (int64_t k = 0; k < dim; k++) logit += from_half(hidden[k]) * from_half(to_half(weight[k]));
            float sum = _mm512_reduce_add_ps(b->sums[r]);
            loss += logf(sum) + b->shift[r] - logit;
            /* What stands for the target is replaced by its exact gradient. */
            unit pair = b->pairs[(target / COLUMNS * (BLOCK / 2) + r / 2) * COLUMNS + target % COLUMNS];
            float stored = from_half(r & 1 ? pair >> 16 : pair & 0xffff);
            float probability = expf(logit - b->shift[r]) / sum;
            float correction = probability - 1.0f - stored / sum;
            for (int64_t k = 0; k < dim; k++) {
                half *scaled = (half *)(b->scaled + k * (BLOCK / 2)) + r;
                *scaled = to_half(from_half(hidden[k]) / sum);
                d_hidden[k] = b->d_hidden[r * columns + k] / sum +
                              correction * from_half(to_half(weight[k]));
                d_weight[k * classes + target] +=
                    (probability - 1.0f) * from_half(hidden[k]) - stored * from_half(*scaled);
            }
        }
        for (int64_t c = 0; c < classes; c += COLUMNS)
            add_to(d_weight + c, classes, b->scaled, BLOCK / 2, b->pairs + c * (BLOCK / 2), BLOCK / 2,
                   dim);
    }
    if (has_tiles) give_tiles_back();
    s->loss[part] = loss;
    free(b);
}

int64_t softmax_packed_units(const struct softmax *s) {
    int64_t chunks = (s->n_classes + CHUNK - 1) / CHUNK;
    return in_columns(s->n_classes) * s->dim / 2 + chunks * CHUNK / 2 * down_columns(s->dim);
}

int64_t softmax_loss(struct softmax *s) {
    pack_up(s, s->packed);
    pack_down(s, s->packed + in_columns(s->n_classes) * s->dim / 2);
    run_parts(softmax_part, s, (int)s->n_parts, (int)s->threads);
    return s->failed ? -1 : 0;
}

#endif
