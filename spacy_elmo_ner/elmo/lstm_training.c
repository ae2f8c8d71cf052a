/* One layer and direction of an LSTM over packed sequences, for training: forward and backward, all
steps in one call. The formulas and the order of gates are those of `lstm_training.py`.

Sequences are dealt out to parts that never wait for each other. At each step, a block of 16 rows
by 16 cells by 4 gates goes through the product and the cell without leaving the first cache.
Backward, 64 cells at a time: what hidden states pass down, the gates' gradient, and at once its two
products, with the weights and with what the step had read.

A step's rows are padded to an even number. Its cells stand as [block of 16 cells][row][16], gates
as [block of 16 cells][row][4 gates][16], what it reads as [row][inputs, states before]. What only
the backward pass reads again is bfloat16 and written past the caches.
*/

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 10
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c")
#pragma GCC target("prefer-vector-width=512")

#include "kernels.h"

#define GATES 64      /* values of one row in a block: 4 gates of 16 cells */
#define CHUNK 4       /* blocks of 16 cells that go through the backward pass together */
#define SUMMED 128    /* units that a weight gradient sums before the next block: 32 KB */

struct lstm {
    int64_t n_steps, n_in, n_out, units, n_parts, threads;
    const int64_t *sizes;       /* (n_steps,): sequences still running */
    const float *inputs;        /* (n_packed, n_in) */
    const float *h0, *c0;       /* (n_sequences, n_out), (n_sequences, units), or NULL: zeros */
    const float *mask;          /* (n_sequences, n_out), or NULL */
    const float *input, *recurrent; /* (4 * units, n_in) and (4 * units, n_out) */
    const float *bias;          /* (4 * units,) */
    const float *projection;    /* (n_out, units), or NULL */
    int64_t input_stride, recurrent_stride;
    int64_t order[4];           /* of gates in these: where input, forget, candidate, output are */
    float cell_clip, proj_clip, forget_bias;
    unit *packed;               /* scratch: packed weights */
    float *outputs;             /* (n_packed, n_out) */
    float *last_cells;          /* (n_sequences, units) */
    unit *read;                 /* saved for backward: see the head of this file */
    half *gates;
    half *cells;                /* one step more: before the first */
    half *hidden;               /* (padded rows, units); with a projection only */
    /* backward */
    const float *d_outputs;     /* (n_packed, n_out) */
    float *d_inputs;            /* (n_packed, n_in) */
    float *d_weight;            /* (n_parts, read width, 4 * units in blocks), zeros */
    float *d_bias;              /* (n_parts, 4 * units in blocks), zeros */
    float *d_input, *d_recurrent, *d_all_bias; /* as the weights, rows without gaps */
    half *d_projected;          /* (padded rows, n_out); with a projection only */
    int64_t failed;
};

/* Values of a row that a step reads: inputs, padded to an even number, and states. */
INLINE int64_t read_width(const struct lstm *l) { return even(l->n_in) + l->n_out; }

INLINE float weight_of(const struct lstm *l, int gate_number, int64_t cell, int64_t read) {
    int64_t n_in = even(l->n_in), gate = l->order[gate_number] * l->units + cell;
    if (read >= n_in) return l->recurrent[gate * l->recurrent_stride + read - n_in];
    return read < l->n_in ? l->input[gate * l->input_stride + read] : 0.0f;
}

/* [units / 16][read / 2][4 gates][16] */
static void pack_gates(const struct lstm *l, unit *to) {
    int64_t n = read_width(l) / 2;
    for (int64_t p = 0; p < l->units / LANES; p++)
        for (int g = 0; g < 4; g++)
            for (int u = 0; u < LANES; u++) {
                int64_t cell = p * LANES + u;
                unit *at = to + p * n * GATES + g * LANES + u;
                for (int64_t k = 0; k < n; k++)
                    at[k * GATES] = pair_of(to_half(weight_of(l, g, cell, 2 * k)),
                                            to_half(weight_of(l, g, cell, 2 * k + 1)));
            }
}

/* right sides (n_sum, n_columns) of a row-major matrix: [n_columns / 64][n_sum / 2][64] */
static void pack_rows(const float *from, int64_t n_sum, int64_t n_columns, unit *to) {
    for (int64_t c = 0; c < n_columns; c += COLUMNS)
        for (int64_t k = 0; k < n_sum; k += 2, to += COLUMNS)
            for (int64_t j = 0; j < COLUMNS; j++)
                to[j] = c + j < n_columns ? pair_of(to_half(from[k * n_columns + c + j]),
                                                    to_half(from[(k + 1) * n_columns + c + j]))
                                          : 0;
}

/* The same of its transpose: from (n_columns, n_sum). */
static void pack_columns(const float *from, int64_t n_sum, int64_t n_columns, unit *to) {
    for (int64_t c = 0; c < n_columns; c += COLUMNS, to += n_sum / 2 * COLUMNS)
        for (int64_t j = 0; j < COLUMNS; j++)
            for (int64_t k = 0; k < n_sum / 2; k++)
                to[k * COLUMNS + j] =
                    c + j < n_columns ? pair_of(to_half(from[(c + j) * n_sum + 2 * k]),
                                                to_half(from[(c + j) * n_sum + 2 * k + 1]))
                                      : 0;
}

/* For the gradient of what is read: [chunk][read / 64][cells of the chunk * 4 / 2][64] */
static void pack_gates_transposed(const struct lstm *l, unit *to) {
    int64_t width = read_width(l), n_panels = l->units / LANES;
    for (int64_t p0 = 0; p0 < n_panels; p0 += CHUNK)
        for (int64_t c = 0; c < width; c += COLUMNS)
            for (int64_t p = p0; p < least(p0 + CHUNK, n_panels); p++)
                for (int g = 0; g < 4; g++)
                    for (int u = 0; u < LANES; u += 2, to += COLUMNS) {
                        int64_t cell = p * LANES + u;
                        for (int64_t j = 0; j < COLUMNS; j++)
                            to[j] = c + j < width
                                        ? pair_of(to_half(weight_of(l, g, cell, c + j)),
                                                  to_half(weight_of(l, g, cell + 1, c + j)))
                                        : 0;
                    }
}

INLINE void write_state(const struct lstm *l, unit *read, const float *state, int64_t row) {
    half *to = (half *)read + even(l->n_in);
    const float *mask = l->mask ? l->mask + row * l->n_out : NULL;
    for (int64_t k = 0; k < l->n_out; k += LANES) {
        vec h = _mm512_loadu_ps(state + k);
        if (mask) h = h * _mm512_loadu_ps(mask + k);
        store_half(to + k, h);
    }
}

/* Rows that a part has at most. */
INLINE int64_t own_rows(const struct lstm *l) {
    int64_t stride = ROWS * l->n_parts;
    return (even(l->sizes[0]) + stride - 1) / stride * ROWS;
}

static void forward_part(void *context, int part) {
    struct lstm *l = context;
    int64_t n_in = l->n_in, n_out = l->n_out, units = l->units, n_panels = units / LANES;
    int64_t n_read = read_width(l) / 2;
    const unit *projection = l->packed + n_panels * n_read * GATES;
    vec cell_clip = _mm512_set1_ps(l->cell_clip), proj_clip = _mm512_set1_ps(l->proj_clip);
    int64_t stride = ROWS * l->n_parts, first = ROWS * part;
    const float *inputs = l->inputs;
    float *outputs = l->outputs;
    int64_t n_first = even(l->sizes[0]), n_own = own_rows(l);
    half *saved = l->cells + n_first * units;
    /* Cells now, of own rows: [block of 16][row][16]. */
    float *cells = aligned_alloc(64, n_own * units * sizeof(float));
    if (!cells) {
        l->failed = 1;
        return;
    }
    unit *read = l->read;
    half *gates = l->gates, *hidden = l->hidden;
    int64_t own = 0;
    for (int64_t row = first; row < n_first; row += stride)
        for (int64_t r = row; r < least(row + ROWS, n_first); r++, own++) {
            int there = r < l->sizes[0];
            for (int64_t p = 0; p < n_panels; p++) {
                vec c = l->c0 && there ? _mm512_loadu_ps(l->c0 + r * units + p * LANES)
                                       : _mm512_setzero_ps();
                _mm512_storeu_ps(cells + (p * n_own + own) * LANES, c);
                store_half(l->cells + (p * n_first + r) * LANES, c);
            }
            half *to = (half *)(read + r * n_read) + even(n_in);
            memset(to, 0, n_out * sizeof(half));
            if (l->h0 && there) write_state(l, read + r * n_read, l->h0 + r * n_out, r);
        }
    if (has_tiles) take_tiles();
    for (int64_t t = 0; t < l->n_steps; t++) {
        int64_t n = l->sizes[t], n_rows = even(n), n_next = t + 1 < l->n_steps ? l->sizes[t + 1] : 0;
        unit *read_next = read + n_rows * n_read;
        for (int64_t row = first; row < n_rows; row += stride)
            for (int64_t r = row; r < least(row + ROWS, n_rows); r++) {
                half *to = (half *)(read + r * n_read);
                if (r >= n) {
                    memset(to, 0, n_read * sizeof(unit));
                    continue;
                }
                const float *x = inputs + r * n_in;
                int64_t k = 0;
                for (; k + LANES <= n_in; k += LANES) store_half(to + k, _mm512_loadu_ps(x + k));
                for (; k < n_in; k++) to[k] = to_half(x[k]);
                if (n_in & 1) to[n_in] = 0;
            }
        for (int64_t p = 0; p < n_panels; p++) {
            const unit *weight = l->packed + p * n_read * GATES;
            vec bias[4];
            for (int j = 0; j < 4; j++)
                bias[j] = _mm512_loadu_ps(l->bias + l->order[j] * units + p * LANES);
            bias[1] += _mm512_set1_ps(l->forget_bias);
            float *cell = cells + p * n_own * LANES;
            for (int64_t row = first; row < n_rows; row += stride) {
                int rows = (int)least(ROWS, n_rows - row);
                vec sums[ROWS][4];
                for (int r = 0; r < rows; r++)
                    for (int j = 0; j < 4; j++) sums[r][j] = bias[j];
                block_product(sums, read + row * n_read, n_read, weight, n_read, rows);
                for (int r = 0; r < rows; r += 2) {
                    vec c[2];
                    for (int e = 0; e < 2; e++, cell += LANES) {
                        vec i = logistic(sums[r + e][0]), f = logistic(sums[r + e][1]);
                        vec g = hyperbolic(sums[r + e][2]), o = logistic(sums[r + e][3]);
                        half *to = gates + (p * n_rows + row + r + e) * GATES;
                        stream_halves(to, i, f);
                        stream_halves(to + 2 * LANES, g, o);
                        c[e] = _mm512_fmadd_ps(i, g, f * _mm512_load_ps(cell));
                        c[e] = clipped(c[e], cell_clip);
                        _mm512_store_ps(cell, c[e]);
                        vec h = o * hyperbolic(c[e]);
                        if (l->projection)
                            store_half(hidden + (row + r + e) * units + p * LANES, h);
                        else if (row + r + e < n)
                            _mm512_storeu_ps(outputs + (row + r + e) * n_out + p * LANES, h);
                    }
                    stream_halves(saved + (p * n_rows + row + r) * LANES, c[0], c[1]);
                }
            }
        }
        if (l->projection)
            for (int64_t c = 0; c < n_out; c += COLUMNS)
                for (int64_t row = first; row < n_rows; row += stride) {
                    int rows = (int)least(ROWS, n_rows - row);
                    vec sums[ROWS][4];
                    for (int r = 0; r < rows; r++)
                        for (int j = 0; j < 4; j++) sums[r][j] = _mm512_setzero_ps();
                    block_product(sums, (const unit *)(hidden + row * units), units / 2,
                                  projection + c * units / 2, units / 2, rows);
                    for (int r = 0; r < rows && row + r < n; r++)
                        for (int j = 0; j < 4 && c + j * LANES < n_out; j++)
                            _mm512_storeu_ps(outputs + (row + r) * n_out + c + j * LANES,
                                             clipped(sums[r][j], proj_clip));
                }
        own = 0;
        for (int64_t row = first; row < n_rows; row += stride)
            for (int64_t r = row; r < least(row + ROWS, n); r++, own++) {
                if (r < n_next) write_state(l, read_next + r * n_read, outputs + r * n_out, r);
                else
                    for (int64_t p = 0; p < n_panels; p++)
                        _mm512_storeu_ps(l->last_cells + r * units + p * LANES,
                                         _mm512_load_ps(cells + (p * n_own + own) * LANES));
            }
        saved += n_rows * units;
        gates += n_rows * 4 * units;
        hidden += l->projection ? n_rows * units : 0;
        read = read_next;
        inputs += n * n_in;
        outputs += n * n_out;
    }
    if (has_tiles) give_tiles_back();
    _mm_sfence();
    free(cells);
}

/* Everything of one part that lasts for a step. */
struct scratch {
    float *d_read;      /* (rows, read width in columns) */
    float *d_cells;     /* [16 cells][row][16] */
    float *d_hidden;    /* (rows, n_out) */
    half *d_gates;      /* (rows, CHUNK * GATES) */
    unit *d_pairs;      /* [block][pair of rows][GATES] */
    unit *read_pairs;   /* (read width, pairs of rows) */
};

struct backward {
    struct lstm *l;
    int64_t n_packed, n_padded;
    const unit *down, *transposed;
};

INLINE void cell_gradient(const half *gates, const half *before, const half *cells, vec d_h,
                          float *d_cells, vec bound, vec d[4]) {
    vec one = _mm512_set1_ps(1.0f);
    vec i = load_half(gates), f = load_half(gates + LANES);
    vec g = load_half(gates + 2 * LANES), o = load_half(gates + 3 * LANES);
    vec c = load_half(cells), squashed = hyperbolic(c);
    vec d_c = _mm512_loadu_ps(d_cells) + d_h * o * _mm512_fnmadd_ps(squashed, squashed, one);
    d_c = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(_mm512_abs_ps(c), bound, _CMP_LT_OQ), d_c);
    d[0] = d_c * g * i * (one - i);
    d[1] = d_c * load_half(before) * f * (one - f);
    d[2] = d_c * i * _mm512_fnmadd_ps(g, g, one);
    d[3] = d_h * squashed * o * (one - o);
    _mm512_storeu_ps(d_cells, d_c * f);
}

static void backward_part(void *context, int part) {
    const struct backward *b = context;
    struct lstm *l = b->l;
    int64_t n_in = l->n_in, n_out = l->n_out, units = l->units, n_panels = units / LANES;
    int64_t width = read_width(l), n_read = width / 2, columns = in_columns(width);
    int64_t stride = ROWS * l->n_parts, first = ROWS * part;
    int64_t most = even(l->sizes[0]);
    int64_t n_own = own_rows(l);
    int64_t n_pairs_most = n_own / 2;
    float *d_weight = l->d_weight + part * width * 4 * units;
    float *d_bias = l->d_bias + part * 4 * units;
    size_t n_floats = n_own * (columns + units + n_out);
    size_t n_units = n_own * CHUNK * GATES / 2 + CHUNK * n_pairs_most * GATES + width * n_pairs_most;
    char *memory = aligned_alloc(64, ((n_floats + n_units) * 4 + 63) / 64 * 64);
    if (!memory) {
        l->failed = 1;
        return;
    }
    struct scratch s;
    s.d_read = (float *)memory;
    s.d_cells = s.d_read + n_own * columns;
    s.d_hidden = s.d_cells + n_own * units;
    s.d_gates = (half *)(s.d_hidden + n_own * n_out);
    s.d_pairs = (unit *)(s.d_gates + n_own * CHUNK * GATES);
    s.read_pairs = s.d_pairs + CHUNK * n_pairs_most * GATES;
    memset(s.d_read, 0, n_own * columns * sizeof(float));
    memset(s.d_cells, 0, n_own * units * sizeof(float));
    /* Cells are kept in bfloat16: at the bound is what the bound was rounded to. */
    vec cell_clip = _mm512_set1_ps(from_half(to_half(l->cell_clip)));
    vec proj_clip = _mm512_set1_ps(l->proj_clip);
    int64_t packed_end = b->n_packed, padded_end = b->n_padded;
    if (has_tiles) take_tiles();
    for (int64_t t = l->n_steps - 1; t >= 0; t--) {
        int64_t n = l->sizes[t], n_rows = even(n);
        int64_t n_before = even(l->sizes[t ? t - 1 : 0]);
        packed_end -= n;
        padded_end -= n_rows;
        const float *outputs = l->outputs + packed_end * n_out;
        const float *d_outputs = l->d_outputs + packed_end * n_out;
        const half *gates = l->gates + padded_end * 4 * units;
        const half *cells = l->cells + (most + padded_end) * units;
        const half *before = cells - n_before * units;
        const unit *read = l->read + padded_end * n_read;
        half *d_projected = l->d_projected + padded_end * n_out;
        /* Own rows stand one after the other: "own" counts them, "row" all of the step. */
        int64_t own = 0;
        for (int64_t row = first; row < n_rows; row += stride)
            for (int64_t r = row; r < least(row + ROWS, n_rows); r++, own++) {
                float *d_read = s.d_read + own * columns;
                for (int64_t k = 0; k < n_out; k += LANES) {
                    vec d = _mm512_loadu_ps(d_read + even(n_in) + k);
                    if (l->mask && r < n) d = d * _mm512_loadu_ps(l->mask + r * n_out + k);
                    if (r < n) d = d + _mm512_loadu_ps(d_outputs + r * n_out + k);
                    if (l->projection) {
                        vec out = r < n ? _mm512_loadu_ps(outputs + r * n_out + k) : d;
                        d = _mm512_maskz_mov_ps(
                            _mm512_cmp_ps_mask(_mm512_abs_ps(out), proj_clip, _CMP_LT_OQ), d);
                        store_half(d_projected + r * n_out + k, d);
                    } else
                        _mm512_storeu_ps(s.d_hidden + own * n_out + k, d);
                }
                memset(d_read, 0, columns * sizeof(float));
            }
        int64_t n_pairs = own / 2;
        /* 16 units of two rows at a time: their low and high halves are 32 values' pairs of rows. */
        for (int64_t row = first, pair = 0; row < n_rows; row += stride)
            for (int64_t r = row; r < least(row + ROWS, n_rows); r += 2, pair++) {
                const unit *one = read + r * n_read, *two = one + n_read;
                __m512i places = _mm512_mullo_epi32(
                    _mm512_set1_epi32(2 * (int)n_pairs),
                    _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
                for (int64_t k = 0; k < n_read; k += LANES) {
                    __mmask16 there = n_read - k < LANES ? (1 << (n_read - k)) - 1 : 0xffff;
                    __m512i x = _mm512_maskz_loadu_epi32(there, one + k);
                    __m512i y = _mm512_maskz_loadu_epi32(there, two + k);
                    unit *to = s.read_pairs + 2 * k * n_pairs + pair;
                    _mm512_mask_i32scatter_epi32(
                        to, there, places,
                        _mm512_mask_blend_epi16(0xaaaaaaaa, x, _mm512_slli_epi32(y, 16)), 4);
                    _mm512_mask_i32scatter_epi32(
                        to + n_pairs, there, places,
                        _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(x, 16), y), 4);
                }
            }
        const unit *transposed = b->transposed;
        for (int64_t p0 = 0; p0 < n_panels; p0 += CHUNK) {
            int n_blocks = (int)least(CHUNK, n_panels - p0);
            const unit *down = b->down + p0 * LANES * (n_out / 2);
            own = 0;
            for (int64_t row = first; row < n_rows; row += stride) {
                int rows = (int)least(ROWS, n_rows - row);
                vec sums[ROWS][4];
                if (l->projection) {
                    for (int r = 0; r < rows; r++)
                        for (int j = 0; j < 4; j++) sums[r][j] = _mm512_setzero_ps();
                    block_product(sums, (const unit *)(d_projected + row * n_out), n_out / 2, down,
                                  n_out / 2, rows);
                } else
                    for (int r = 0; r < rows; r++)
                        for (int j = 0; j < n_blocks; j++)
                            sums[r][j] = _mm512_loadu_ps(s.d_hidden + (own + r) * n_out +
                                                         (p0 + j) * LANES);
                /* What the caches do not expect: parts skip each other's rows. */
                for (int j = 0; j < n_blocks; j++) {
                    int64_t ahead = (p0 + j) * n_rows + row + stride;
                    for (int r = 0; r < ROWS; r++) {
                        _mm_prefetch((const char *)(gates + (ahead + r) * GATES), _MM_HINT_T0);
                        _mm_prefetch((const char *)(gates + (ahead + r) * GATES + 32), _MM_HINT_T0);
                    }
                    for (int r = 0; r < ROWS; r += 2) {
                        _mm_prefetch((const char *)(cells + (ahead + r) * LANES), _MM_HINT_T0);
                        _mm_prefetch((const char *)(before + ((p0 + j) * n_before + row + stride + r) *
                                                                 LANES),
                                     _MM_HINT_T0);
                    }
                }
                for (int j = 0; j < n_blocks; j++) {
                    int64_t p = p0 + j;
                    float *to_bias = d_bias + p * GATES;
                    vec total[4];
                    for (int g = 0; g < 4; g++) total[g] = _mm512_loadu_ps(to_bias + g * LANES);
                    for (int r = 0; r < rows; r += 2) {
                        vec d[2][4];
                        for (int e = 0; e < 2; e++)
                            cell_gradient(gates + (p * n_rows + row + r + e) * GATES,
                                          before + (p * n_before + row + r + e) * LANES,
                                          cells + (p * n_rows + row + r + e) * LANES,
                                          sums[r + e][j],
                                          s.d_cells + (p * n_own + own + r + e) * LANES, cell_clip,
                                          d[e]);
                        unit *pairs = s.d_pairs + (j * n_pairs + (own + r) / 2) * GATES;
                        half *flat = s.d_gates + (own + r) * CHUNK * GATES + j * GATES;
                        for (int g = 0; g < 4; g++) {
                            total[g] += d[0][g] + d[1][g];
                            __m256i one = (__m256i)_mm512_cvtneps_pbh(d[0][g]);
                            __m256i two = (__m256i)_mm512_cvtneps_pbh(d[1][g]);
                            _mm256_storeu_si256((__m256i *)(flat + g * LANES), one);
                            _mm256_storeu_si256((__m256i *)(flat + CHUNK * GATES + g * LANES), two);
                            __m512i both = _mm512_or_si512(
                                _mm512_cvtepu16_epi32(one),
                                _mm512_slli_epi32(_mm512_cvtepu16_epi32(two), 16));
                            _mm512_storeu_si512(pairs + g * LANES, both);
                        }
                    }
                    for (int g = 0; g < 4; g++) _mm512_storeu_ps(to_bias + g * LANES, total[g]);
                }
                own += rows;
            }
            int64_t n_sum = n_blocks * GATES / 2;
            for (int64_t c = 0; c < columns; c += COLUMNS, transposed += n_sum * COLUMNS)
                add_to(s.d_read + c, columns, (const unit *)s.d_gates, CHUNK * GATES / 2, transposed,
                       n_sum, own);
            for (int j = 0; j < n_blocks; j++)
                for (int64_t k = 0; k < n_pairs; k += SUMMED)
                    add_to(d_weight + (p0 + j) * GATES, 4 * units, s.read_pairs + k, n_pairs,
                           s.d_pairs + (j * n_pairs + k) * GATES, least(SUMMED, n_pairs - k), width);
        }
        own = 0;
        float *d_inputs = l->d_inputs + packed_end * n_in;
        for (int64_t row = first; row < n_rows; row += stride)
            for (int64_t r = row; r < least(row + ROWS, n_rows); r++, own++)
                if (r < n) memcpy(d_inputs + r * n_in, s.d_read + own * columns, n_in * 4);
    }
    if (has_tiles) give_tiles_back();
    free(memory);
}

/* Sums what the parts found and gives it the shape of the weights; a part takes every other block
of 16 cells. */
static void sum_part(void *context, int part) {
    struct lstm *l = context;
    int64_t width = read_width(l), row = 4 * l->units, n_in = l->n_in, skipped = even(n_in);
    for (int64_t p = part; p < l->units / LANES; p += l->n_parts)
        for (int g = 0; g < 4; g++) {
            int64_t first = l->order[g] * l->units + p * LANES, from = p * GATES + g * LANES;
            vec sum = _mm512_setzero_ps();
            for (int64_t i = 0; i < l->n_parts; i++) sum += _mm512_loadu_ps(l->d_bias + i * row + from);
            _mm512_storeu_ps(l->d_all_bias + first, sum);
            for (int64_t k = 0; k < width; k++) {
                if (k == n_in && k < skipped) continue;
                float values[LANES];
                sum = _mm512_setzero_ps();
                for (int64_t i = 0; i < l->n_parts; i++)
                    sum += _mm512_loadu_ps(l->d_weight + (i * width + k) * row + from);
                _mm512_storeu_ps(values, sum);
                int in = k < n_in;
                float *to = in ? l->d_input + first * n_in + k
                               : l->d_recurrent + first * l->n_out + k - skipped;
                int64_t stride = in ? n_in : l->n_out;
                for (int u = 0; u < LANES; u++) to[u * stride] = values[u];
            }
        }
}

/* Units that `packed` must hold. */
int64_t lstm_packed_units(const struct lstm *l) {
    int64_t width = read_width(l), columns = in_columns(width);
    int64_t forward = 2 * l->units * width + in_columns(l->n_out) * l->units / 2;
    int64_t backward = 2 * l->units * columns + in_columns(l->units) * l->n_out / 2;
    return forward > backward ? forward : backward;
}

int64_t lstm_forward(struct lstm *l) {
    int64_t n_read = read_width(l) / 2;
    pack_gates(l, l->packed);
    if (l->projection)
        pack_columns(l->projection, l->units, l->n_out,
                     l->packed + l->units / LANES * n_read * GATES);
    run_parts(forward_part, l, (int)l->n_parts, (int)l->threads);
    return l->failed ? -1 : 0;
}

int64_t lstm_backward(struct lstm *l) {
    int64_t columns = in_columns(read_width(l));
    struct backward b = {l, 0, 0, l->packed + 2 * l->units * columns, l->packed};
    for (int64_t t = 0; t < l->n_steps; t++) {
        b.n_packed += l->sizes[t];
        b.n_padded += even(l->sizes[t]);
    }
    pack_gates_transposed(l, l->packed);
    if (l->projection)
        pack_rows(l->projection, l->n_out, l->units, l->packed + 2 * l->units * columns);
    run_parts(backward_part, &b, (int)l->n_parts, (int)l->threads);
    run_parts(sum_part, l, (int)l->n_parts, (int)l->threads);
    return l->failed ? -1 : 0;
}

#endif
