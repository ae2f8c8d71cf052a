/* Prediction's LSTM layer for one width of vectors: included once for each kind of CPU.

LANES: float32 values of a vector. BLOCK: rows of a product that stay in registers beside four
vectors of weights. NAME(x): x with the kind's suffix. HALVES(from): LANES float16 values as a
vector, on CPUs that convert them in one instruction. A product of few rows waits for its weights
to come from memory, and with more rows than HALVES_UP_TO it would wait for their conversion.
*/

typedef float NAME(vec) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t NAME(ints) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
#define vec NAME(vec)
#define ints NAME(ints)
#define GATES (4 * LANES)

/* x in each lane: compilers know that subtracting 0 changes nothing. */
INLINE vec NAME(all)(float x) { return x - (vec){0}; }

INLINE vec NAME(chosen)(ints mask, vec yes, vec no) {
    return (vec)(((ints)yes & mask) | ((ints)no & ~mask));
}

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

/* sums[row] += left[row] (n,) @ right [n][4 * LANES], float32 or float16 */
INLINE void NAME(add_rows)(vec sums[BLOCK][4], const float *const left[BLOCK], const void *right,
                           int64_t n, const int rows, const int halves) {
    vec s[BLOCK][4];
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) s[r][j] = sums[r][j];
    for (int64_t k = 0; k < n; k++) {
        vec w[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) w[j] = WEIGHTS(right, k * GATES + j * LANES, halves);
#pragma GCC unroll 6
        for (int r = 0; r < rows; r++) {
            vec x = NAME(all)(left[r][k]);
#pragma GCC unroll 4
            for (int j = 0; j < 4; j++) s[r][j] += x * w[j];
        }
    }
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++) sums[r][j] = s[r][j];
}

/* A row's sums are taken in one order whatever the number of rows: a sentence's vectors are the
same to the last bit beside any others.

The right side begins at a place of the packed weights; halves: read them as float16. */
static __attribute__((noinline)) void NAME(add)(vec sums[BLOCK][4], const float *const left[BLOCK],
                                                const struct prediction *c, int64_t at, int64_t n,
                                                int rows, int halves) {
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
}

/* bias [units / LANES][4][LANES], then [units / LANES][n_in + n_out][4][LANES], then
[n_out / 4 / LANES][units][4 * LANES]. */
static void NAME(pack)(const struct layer *l, float *to) {
    int64_t n_panels = (l->units + LANES - 1) / LANES, width = l->n_in + l->n_out;
    for (int64_t p = 0; p < n_panels; p++)
        for (int g = 0; g < 4; g++)
            for (int64_t u = p * LANES; u < (p + 1) * LANES; u++)
                *to++ = u < l->units ? l->bias[g * l->units + u] : 0.0f;
    for (int64_t p = 0; p < n_panels; p++)
        for (int64_t k = 0; k < width; k++)
            for (int g = 0; g < 4; g++)
                for (int64_t u = p * LANES; u < (p + 1) * LANES; u++) {
                    int64_t row = g * l->units + u;
                    *to++ = u >= l->units ? 0.0f
                            : k < l->n_in ? l->input[row * l->n_in + k]
                                          : l->recurrent[row * l->n_out + k - l->n_in];
                }
    if (l->projection)
        for (int64_t c = 0; c < l->n_out; c += GATES)
            for (int64_t k = 0; k < l->units; k++)
                for (int64_t j = c; j < c + GATES; j++)
                    *to++ = j < l->n_out ? l->projection[j * l->units + k] : 0.0f;
}

static int64_t NAME(packed_floats)(const struct layer *l) {
    int64_t n_panels = (l->units + LANES - 1) / LANES;
    int64_t projection = l->projection ? (l->n_out + GATES - 1) / GATES * GATES * l->units : 0;
    return n_panels * GATES * (1 + l->n_in + l->n_out) + projection;
}

static void NAME(predict_part)(void *context, int part) {
    const struct prediction *c = context;
    const struct layer *l = &c->layer;
    int64_t n_in = l->n_in, n_out = l->n_out, width = n_in + n_out;
    int64_t n_panels = (l->units + LANES - 1) / LANES, units = n_panels * LANES;
    /* States are read and written in whole vectors. */
    int64_t n_state = (n_out + GATES - 1) / GATES * GATES;
    if (n_state < units) n_state = units;
    int64_t most = c->sizes[0], stride = BLOCK * c->n_parts, first = BLOCK * part;
    int64_t n_ahead = most < AHEAD_BELOW ? AHEAD_ROWS : 0;
    if (n_ahead < most) n_ahead = most;
    const float *bias = c->packed;
    int64_t weights = n_panels * GATES, projection = weights + n_panels * width * GATES;
    size_t n_floats = most * (2 * n_state + 2 * units);
    if (most < AHEAD_BELOW) n_floats += n_ahead * n_panels * GATES;
    float *memory = calloc(n_floats + LANES, sizeof(float));
    if (!memory) {
        ((struct prediction *)c)->failed = 1;
        return;
    }
    float *states = memory, *next = states + most * n_state, *hidden = next + most * n_state;
    float *cells = hidden + most * units, *ahead = cells + most * units; /* [panel][row][LANES] */
    for (int64_t row = first; row < most; row += stride)
        for (int64_t r = row; r < least(row + BLOCK, most); r++) {
            if (c->h0) memcpy(states + r * n_state, c->h0 + r * n_out, n_out * sizeof(float));
            if (c->c0)
                for (int64_t u = 0; u < l->units; u++)
                    cells[(u / LANES * most + r) * LANES + u % LANES] = c->c0[r * l->units + u];
        }
    int64_t done = 0, known = 0, known_from = 0; /* rows of inputs whose product is in `ahead` */
    for (int64_t t = 0; t < c->n_steps; t++) {
        int64_t n = c->sizes[t], n_next = t + 1 < c->n_steps ? c->sizes[t + 1] : 0;
        if (most < AHEAD_BELOW && done + n > known) {
            /* Few rows: the inputs' product of many steps at once, so that weights are read once. */
            known_from = done;
            for (int64_t s = t; s < c->n_steps && known + c->sizes[s] - known_from <= n_ahead; s++)
                known += c->sizes[s];
            int halves = c->halves && known - known_from <= HALVES_UP_TO;
            for (int64_t p = 0; p < n_panels; p++)
                for (int64_t row = known_from; row < known; row += BLOCK) {
                    int rows = (int)least(BLOCK, known - row);
                    const float *left[BLOCK];
                    vec sums[BLOCK][4];
                    for (int r = 0; r < rows; r++) {
                        int64_t from = c->reads ? c->reads[row + r] : row + r;
                        left[r] = c->inputs + from * c->input_stride;
                        for (int j = 0; j < 4; j++)
                            sums[r][j] = *(const vec *)(bias + p * GATES + j * LANES);
                    }
                    NAME(add)(sums, left, c, weights + p * width * GATES, n_in, rows, halves);
                    memcpy(ahead + (p * n_ahead + row - known_from) * GATES, sums,
                           rows * GATES * sizeof(float));
                }
        }
        int halves = c->halves && n <= HALVES_UP_TO;
        for (int64_t visit = 0; visit < n_panels; visit++) {
            /* There and back: what a step has read last is still in the cache for the next one. */
            int64_t p = t % 2 ? n_panels - 1 - visit : visit;
            int64_t weight = weights + p * width * GATES;
            for (int64_t row = first; row < n; row += stride) {
                int rows = (int)least(BLOCK, n - row);
                const float *left[BLOCK];
                vec sums[BLOCK][4];
                if (most < AHEAD_BELOW)
                    memcpy(sums, ahead + (p * n_ahead + done + row - known_from) * GATES,
                           rows * GATES * sizeof(float));
                else {
                    for (int r = 0; r < rows; r++) {
                        int64_t from = c->reads ? c->reads[done + row + r] : done + row + r;
                        left[r] = c->inputs + from * c->input_stride;
                        for (int j = 0; j < 4; j++)
                            sums[r][j] = *(const vec *)(bias + p * GATES + j * LANES);
                    }
                    NAME(add)(sums, left, c, weight, n_in, rows, halves);
                }
                for (int r = 0; r < rows; r++) left[r] = states + (row + r) * n_state;
                NAME(add)(sums, left, c, weight + n_in * GATES, n_out, rows, halves);
                for (int r = 0; r < rows; r++) {
                    vec *cell = (vec *)(cells + (p * most + row + r) * LANES);
                    vec i = NAME(logistic)(sums[r][0]), f = NAME(logistic)(sums[r][1]);
                    vec g = NAME(hyperbolic)(sums[r][2]), o = NAME(logistic)(sums[r][3]);
                    vec value = f * *cell + i * g;
                    if (c->cell_clip < INFINITY) value = NAME(bounded)(value, c->cell_clip);
                    *cell = value;
                    float *to = l->projection ? hidden + (row + r) * units
                                              : next + (row + r) * n_state;
                    *(vec *)(to + p * LANES) = o * NAME(hyperbolic)(value);
                }
            }
        }
        for (int64_t row = first; row < n; row += stride) {
            int rows = (int)least(BLOCK, n - row);
            if (l->projection)
                for (int64_t k = 0; k < n_out; k += GATES) {
                    const float *left[BLOCK];
                    vec sums[BLOCK][4];
                    memset(sums, 0, sizeof sums);
                    for (int r = 0; r < rows; r++) left[r] = hidden + (row + r) * units;
                    NAME(add)(sums, left, c, projection + k * l->units, l->units, rows,
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
                for (int64_t u = 0; r >= n_next && u < l->units; u++)
                    c->last_cells[r * l->units + u] =
                        cells[(u / LANES * most + r) * LANES + u % LANES];
            }
        }
        float *swapped = states;
        states = next;
        next = swapped;
        done += n;
    }
    free(memory);
}

#undef vec
#undef ints
#undef GATES
#undef WEIGHTS
