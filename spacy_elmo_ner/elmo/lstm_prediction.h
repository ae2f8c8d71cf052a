/* Prediction's LSTM layer for one kind of CPU: a part of prediction_kind.h.

A product of few rows waits for its weights to come from memory; it reads them as float16 where that
holds them, but with more rows than HALVES_UP_TO it would wait for their conversion. With BFLOAT16, a
"number" of a left side and 32 bits of a right side hold two values at once along the sum. Sums,
cells and outputs are float32 all the same.
*/

#ifdef BFLOAT16
typedef half NAME(number);
#define DEPTH(n) (((n) + 1) / 2) /* rows of packed weights for n values of a left side */
#else
typedef float NAME(number);
#define DEPTH(n) (n)
#endif
#define number NAME(number)

INLINE vec NAME(bounded)(vec x, float bound) {
    vec high = NAME(all)(bound);
    x = NAME(chosen)(x > high, high, x);
    return NAME(chosen)(x < -high, -high, x);
}

/* 1 / (1 + exp(-x)) within a few units in the last place; NaN stays NaN. */
INLINE vec NAME(logistic)(vec x) {
    x = NAME(bounded)(x, 87.0f);
    /* exp(-x) = 2^n * exp(r), |r| <= log(2) / 2; adding 1.5 * 2^23 rounds to a whole number. */
    vec n = (x * -1.44269504f + 12582912.0f) - 12582912.0f;
    vec r = (-x - n * 0.693359375f) + n * 2.12194440e-4f;
    vec p = NAME(all)(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    ints power = (__builtin_convertvector(n, ints) + 127) << 23;
    return 1.0f / (1.0f + p * (vec)power);
}

INLINE vec NAME(hyperbolic)(vec x) { return 2.0f * NAME(logistic)(x + x) - 1.0f; }

#ifdef HALVES
#define WEIGHTS(right, at, halves) \
    ((halves) ? HALVES((const uint16_t *)(right) + (at)) : *(const vec *)((const float *)(right) + (at)))
#else
#define HALVES_UP_TO 0
#define WEIGHTS(right, at, halves) (*(const vec *)((const float *)(right) + (at)))
#endif

#ifndef TILES
/* sums[row] += left[row] (n,) @ right [DEPTH(n)][4 * LANES], float32, float16 or bfloat16 */
INLINE void NAME(add_rows)(vec sums[BLOCK][4], const number *const left[BLOCK], const void *right,
                           int64_t n, const int rows, const int halves) {
    vec s[BLOCK][4];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) s[r][j] = sums[r][j];
    for (int64_t k = 0; k < DEPTH(n); k++) {
#ifdef BFLOAT16
        __m512bh w[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            w[j] = (__m512bh)_mm512_loadu_si512((const float *)right + k * COLUMNS + j * LANES);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            __m512bh x = (__m512bh)_mm512_set1_epi32(((const unit *)left[r])[k]);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) s[r][j] = (vec)_mm512_dpbf16_ps((__m512)s[r][j], x, w[j]);
        }
#else
        vec w[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) w[j] = WEIGHTS(right, k * COLUMNS + j * LANES, halves);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            vec x = NAME(all)(left[r][k]);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) s[r][j] += x * w[j];
        }
#endif
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) sums[r][j] = s[r][j];
}
#endif

/* A row's sums are taken in one order whatever the number of rows: a sentence's vectors are the
same to the last bit beside any others.

The right side begins at a place of the packed weights; halves: read them as float16. */
static __attribute__((noinline)) void NAME(add)(vec sums[BLOCK][4], const number *const left[BLOCK],
                                                const struct prediction *c, int64_t at, int64_t n,
                                                int rows, int halves) {
#ifdef TILES
    /* Rows of bfloat16 are at one distance from each other. */
    const unit *first = (const unit *)left[0];
    int64_t stride = rows > 1 ? (const unit *)left[1] - first : 0;
    add_in_tiles((float *)sums, COLUMNS, first, stride, (const unit *)(c->packed + at), DEPTH(n),
                 rows);
#else
    if (halves) {
        switch (rows) {
        case 1: NAME(add_rows)(sums, left, c->halves + at, n, 1, 1); break;
        case 2: NAME(add_rows)(sums, left, c->halves + at, n, 2, 1); break;
        case 3: NAME(add_rows)(sums, left, c->halves + at, n, 3, 1); break;
#if BLOCK > 3
        case 4: NAME(add_rows)(sums, left, c->halves + at, n, 4, 1); break;
        case 5: NAME(add_rows)(sums, left, c->halves + at, n, 5, 1); break;
        case 6: NAME(add_rows)(sums, left, c->halves + at, n, 6, 1); break;
#endif
        }
        return;
    }
    switch (rows) {
    case 1: NAME(add_rows)(sums, left, c->packed + at, n, 1, 0); break;
    case 2: NAME(add_rows)(sums, left, c->packed + at, n, 2, 0); break;
    case 3: NAME(add_rows)(sums, left, c->packed + at, n, 3, 0); break;
#if BLOCK > 3
    case 4: NAME(add_rows)(sums, left, c->packed + at, n, 4, 0); break;
    case 5: NAME(add_rows)(sums, left, c->packed + at, n, 5, 0); break;
    case 6: NAME(add_rows)(sums, left, c->packed + at, n, 6, 0); break;
#endif
    }
#endif
}

/* What a right side holds for value k of a left side, or for values 2 k and 2 k + 1, in the column
whose n weights these are. */
INLINE float NAME(entry)(const float *weights, int64_t k, int64_t n) {
#ifdef BFLOAT16
    unit both = pair_of(to_half(weights[2 * k]), 2 * k + 1 < n ? to_half(weights[2 * k + 1]) : 0);
    float result;
    memcpy(&result, &both, sizeof result);
    return result;
#else
    return weights[k];
#endif
}

/* To [DEPTH(n)][4][LANES]: what n values of a left side give the gates of one panel. */
static float *NAME(pack_gates)(const float *weights, int64_t n, int64_t units, int64_t panel,
                               float *to) {
    for (int64_t k = 0; k < DEPTH(n); k++)
        for (int g = 0; g < 4; g++)
            for (int64_t u = panel * LANES; u < (panel + 1) * LANES; u++)
                *to++ = u < units ? NAME(entry)(weights + (g * units + u) * n, k, n) : 0.0f;
    return to;
}

/* bias [units / LANES][4][LANES], then [units / LANES][DEPTH(n_in) + DEPTH(n_out)][4][LANES], then
[n_out / 4 / LANES][DEPTH(units)][4 * LANES]. */
static void NAME(pack)(const struct layer *l, float *to) {
    int64_t n_panels = (l->units + LANES - 1) / LANES;
    for (int64_t p = 0; p < n_panels; p++)
        for (int g = 0; g < 4; g++)
            for (int64_t u = p * LANES; u < (p + 1) * LANES; u++)
                *to++ = u < l->units ? l->bias[g * l->units + u] : 0.0f;
    for (int64_t p = 0; p < n_panels; p++) {
        to = NAME(pack_gates)(l->input, l->n_in, l->units, p, to);
        to = NAME(pack_gates)(l->recurrent, l->n_out, l->units, p, to);
    }
    if (l->projection)
        for (int64_t c = 0; c < l->n_out; c += COLUMNS)
            for (int64_t k = 0; k < DEPTH(l->units); k++)
                for (int64_t j = c; j < c + COLUMNS; j++)
                    *to++ = j < l->n_out
                                ? NAME(entry)(l->projection + j * l->units, k, l->units)
                                : 0.0f;
}

static int64_t NAME(packed_floats)(const struct layer *l) {
    int64_t n_panels = (l->units + LANES - 1) / LANES;
    int64_t n_columns = l->projection ? (l->n_out + COLUMNS - 1) / COLUMNS * COLUMNS : 0;
    return n_panels * COLUMNS * (1 + DEPTH(l->n_in) + DEPTH(l->n_out)) + n_columns * DEPTH(l->units);
}

INLINE void NAME(store)(number *to, vec from) {
#ifdef BFLOAT16
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh((__m512)from));
#else
    *(vec *)to = from;
#endif
}

/* Keeps a row of states for the next step; n is a multiple of LANES. */
INLINE void NAME(keep)(number *to, const float *from, int64_t n) {
    for (int64_t k = 0; k < n; k += LANES) NAME(store)(to + k, *(const vec *)(from + k));
}

/* Products of bfloat16 read inputs from a copy, those of float32 where they stand. This copies n
rows from `row` of the packed order on. */
INLINE void NAME(take_inputs)(const struct prediction *c, int64_t row, int64_t n, number *copy) {
#ifdef BFLOAT16
    int64_t n_in = c->layer.n_in;
    for (int64_t end = row + n; row < end; row++, copy += 2 * DEPTH(n_in)) {
        const float *from = c->inputs + (c->reads ? c->reads[row] : row) * c->input_stride;
        int64_t k = 0;
        for (; k + LANES <= n_in; k += LANES) NAME(store)(copy + k, *(const vec *)(from + k));
        for (; k < n_in; k++) copy[k] = to_half(from[k]);
        if (n_in % 2) copy[n_in] = 0;
    }
#endif
}

/* Row `row` of the packed order, number `i` of the copy. */
INLINE const number *NAME(input)(const struct prediction *c, int64_t row, const number *copy,
                                 int64_t i) {
#ifdef BFLOAT16
    return copy + i * 2 * DEPTH(c->layer.n_in);
#else
    return c->inputs + (c->reads ? c->reads[row] : row) * c->input_stride;
#endif
}

static void NAME(predict_part)(void *context, int part) {
    const struct prediction *c = context;
    const struct layer *l = &c->layer;
    int64_t n_in = l->n_in, n_out = l->n_out, width = DEPTH(n_in) + DEPTH(n_out);
    int64_t n_panels = (l->units + LANES - 1) / LANES, units = n_panels * LANES;
    /* States are read and written in whole vectors. */
    int64_t n_state = (n_out + COLUMNS - 1) / COLUMNS * COLUMNS;
    if (n_state < units) n_state = units;
    int64_t most = c->sizes[0], stride = BLOCK * c->n_parts, first = BLOCK * part;
    int64_t n_ahead = most < AHEAD_BELOW ? AHEAD_ROWS : 0;
    if (n_ahead < most) n_ahead = most;
    const float *bias = c->packed;
    int64_t weights = n_panels * COLUMNS, projection = weights + n_panels * width * COLUMNS;
    size_t n_floats = most * (2 * n_state + 2 * units);
    if (most < AHEAD_BELOW) n_floats += n_ahead * n_panels * COLUMNS;
#ifdef BFLOAT16
    n_floats += n_ahead * DEPTH(n_in);
#endif
    float *memory = calloc(n_floats + LANES, sizeof(float));
    if (!memory) {
        ((struct prediction *)c)->failed = 1;
        return;
    }
    /* What steps hand on, as outputs and as the next products read it; cells [panel][row][LANES] */
    float *next = memory, *cells = next + most * n_state;
    number *states = (number *)(cells + most * units);
    number *hidden = states + most * n_state, *copy = hidden + most * units;
    float *ahead = (float *)copy + (sizeof(number) < sizeof(float) ? n_ahead * DEPTH(n_in) : 0);
    for (int64_t row = first; row < most; row += stride)
        for (int64_t r = row; r < least(row + BLOCK, most); r++) {
            if (c->h0) {
                memcpy(next + r * n_state, c->h0 + r * n_out, n_out * sizeof(float));
                NAME(keep)(states + r * n_state, next + r * n_state, n_state);
            }
            if (c->c0)
                for (int64_t u = 0; u < l->units; u++)
                    cells[(u / LANES * most + r) * LANES + u % LANES] = c->c0[r * l->units + u];
        }
#ifdef TILES
    take_tiles();
#endif
    int64_t done = 0, known = 0, known_from = 0; /* rows of inputs whose product is in `ahead` */
    for (int64_t t = 0; t < c->n_steps; t++) {
        int64_t n = c->sizes[t], n_next = t + 1 < c->n_steps ? c->sizes[t + 1] : 0;
        if (most < AHEAD_BELOW && done + n > known) {
            /* Few rows: the inputs' product of many steps at once, so that weights are read once. */
            known_from = done;
            for (int64_t s = t; s < c->n_steps && known + c->sizes[s] - known_from <= n_ahead; s++)
                known += c->sizes[s];
            NAME(take_inputs)(c, known_from, known - known_from, copy);
            int halves = c->halves && known - known_from <= HALVES_UP_TO;
            for (int64_t p = 0; p < n_panels; p++)
                for (int64_t row = known_from; row < known; row += BLOCK) {
                    int rows = (int)least(BLOCK, known - row);
                    const number *left[BLOCK];
                    vec sums[BLOCK][4];
                    for (int r = 0; r < rows; r++) {
                        left[r] = NAME(input)(c, row + r, copy, row + r - known_from);
                        for (int j = 0; j < 4; j++)
                            sums[r][j] = *(const vec *)(bias + p * COLUMNS + j * LANES);
                    }
                    NAME(add)(sums, left, c, weights + p * width * COLUMNS, n_in, rows, halves);
                    memcpy(ahead + (p * n_ahead + row - known_from) * COLUMNS, sums,
                           rows * COLUMNS * sizeof(float));
                }
        }
        if (most >= AHEAD_BELOW)
            for (int64_t row = first; row < n; row += stride)
                NAME(take_inputs)(c, done + row, least(BLOCK, n - row),
                                  copy + row * 2 * DEPTH(n_in));
        int halves = c->halves && n <= HALVES_UP_TO;
        for (int64_t visit = 0; visit < n_panels; visit++) {
            /* There and back: what a step has read last is still in the cache for the next one. */
            int64_t p = t % 2 ? n_panels - 1 - visit : visit;
            int64_t weight = weights + p * width * COLUMNS;
            for (int64_t row = first; row < n; row += stride) {
                int rows = (int)least(BLOCK, n - row);
                const number *left[BLOCK];
                vec sums[BLOCK][4];
                if (most < AHEAD_BELOW)
                    memcpy(sums, ahead + (p * n_ahead + done + row - known_from) * COLUMNS,
                           rows * COLUMNS * sizeof(float));
                else {
                    for (int r = 0; r < rows; r++) {
                        left[r] = NAME(input)(c, done + row + r, copy, row + r);
                        for (int j = 0; j < 4; j++)
                            sums[r][j] = *(const vec *)(bias + p * COLUMNS + j * LANES);
                    }
                    NAME(add)(sums, left, c, weight, n_in, rows, halves);
                }
                for (int r = 0; r < rows; r++) left[r] = states + (row + r) * n_state;
                NAME(add)(sums, left, c, weight + DEPTH(n_in) * COLUMNS, n_out, rows, halves);
                for (int r = 0; r < rows; r++) {
                    vec *cell = (vec *)(cells + (p * most + row + r) * LANES);
                    vec i = NAME(logistic)(sums[r][0]), f = NAME(logistic)(sums[r][1]);
                    vec g = NAME(hyperbolic)(sums[r][2]), o = NAME(logistic)(sums[r][3]);
                    vec value = f * *cell + i * g;
                    if (c->cell_clip < INFINITY) value = NAME(bounded)(value, c->cell_clip);
                    *cell = value;
                    vec h = o * NAME(hyperbolic)(value);
                    if (l->projection)
                        NAME(store)(hidden + (row + r) * units + p * LANES, h);
                    else
                        *(vec *)(next + (row + r) * n_state + p * LANES) = h;
                }
            }
        }
        for (int64_t row = first; row < n; row += stride) {
            int rows = (int)least(BLOCK, n - row);
            if (l->projection)
                for (int64_t k = 0; k < n_out; k += COLUMNS) {
                    const number *left[BLOCK];
                    vec sums[BLOCK][4];
                    memset(sums, 0, sizeof sums);
                    for (int r = 0; r < rows; r++) left[r] = hidden + (row + r) * units;
                    NAME(add)(sums, left, c, projection + k * DEPTH(l->units), l->units, rows,
                              halves);
                    for (int r = 0; r < rows; r++)
                        for (int j = 0; j < 4; j++) {
                            vec value = sums[r][j];
                            if (c->proj_clip < INFINITY) value = NAME(bounded)(value, c->proj_clip);
                            *(vec *)(next + (row + r) * n_state + k + j * LANES) = value;
                        }
                }
            for (int64_t r = row; r < row + rows; r++) {
                int64_t place = c->writes ? c->writes[done + r] : done + r;
                memcpy(c->outputs + place * c->output_stride, next + r * n_state,
                       n_out * sizeof(float));
                if (r < n_next) NAME(keep)(states + r * n_state, next + r * n_state, n_state);
                for (int64_t u = 0; r >= n_next && u < l->units; u++)
                    c->last_cells[r * l->units + u] =
                        cells[(u / LANES * most + r) * LANES + u % LANES];
            }
        }
        done += n;
    }
#ifdef TILES
    give_tiles_back();
#endif
    free(memory);
}
