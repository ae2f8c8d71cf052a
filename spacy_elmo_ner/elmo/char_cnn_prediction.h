/* The char-CNN's convolutions for one kind of CPU: a part of prediction_kind.h.

Four vectors of filters at a time go over all words, so that their part of the table stays in the
cache.
*/

INLINE void NAME(largest_of)(const struct convolution *c, int64_t word, int64_t filter, const int n) {
    const int16_t *ids = c->ids + word * c->n_slots;
    int64_t row = c->n_filters, width = c->width;
    /* Behind a word all places see padding alone and have one value. */
    int64_t last = least(c->lengths[word], c->n_slots - width);
    vec best[4];
    for (int j = 0; j < n; j++) best[j] = NAME(all)(-INFINITY);
    for (int64_t at = 0; at <= last; at++) {
        vec sum[4];
#pragma GCC unroll 4
        for (int j = 0; j < n; j++)
            sum[j] = *(const vec *)(c->table + ids[at] * width * row + filter + j * LANES);
        for (int64_t k = 1; k < width; k++) {
            const float *from = c->table + (ids[at + k] * width + k) * row + filter;
#pragma GCC unroll 4
            for (int j = 0; j < n; j++) sum[j] += *(const vec *)(from + j * LANES);
        }
#pragma GCC unroll 4
        for (int j = 0; j < n; j++) /* NaN counts as the largest, as in torch. */
            best[j] = NAME(chosen)((sum[j] > best[j]) | (sum[j] != sum[j]), sum[j], best[j]);
    }
    float *to = c->largest + word * c->stride + filter;
    for (int j = 0; j < n; j++)
        *(vec *)(to + j * LANES) = best[j] + *(const vec *)(c->bias + filter + j * LANES);
}

static void NAME(pool_part)(void *context, int part) {
    const struct convolution *c = context;
    for (int64_t f = part * COLUMNS; f < c->n_filters; f += COLUMNS * c->n_parts)
        for (int64_t word = 0; word < c->n_words; word++) {
            int n = (int)least(COLUMNS, c->n_filters - f) / LANES;
            if (n == 4) NAME(largest_of)(c, word, f, 4);
            else if (n == 3) NAME(largest_of)(c, word, f, 3);
            else if (n == 2) NAME(largest_of)(c, word, f, 2);
            else NAME(largest_of)(c, word, f, 1);
        }
}
