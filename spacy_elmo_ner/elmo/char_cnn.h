/* What the char-CNN's convolutions are given, in training and in prediction. */

#ifndef CHAR_CNN_H
#define CHAR_CNN_H

#include <stdint.h>

struct convolution {
    int64_t n_words, n_slots, width, n_filters, n_parts, threads;
    int64_t kind;           /* of CPU; prediction only */
    const int16_t *ids;     /* (n_words, n_slots) */
    const int16_t *lengths; /* (n_words,) */
    const float *table;     /* (n_characters, width, n_filters) */
    const float *bias;      /* (n_filters,) */
    int64_t stride;         /* of largest, where and d_largest, whose columns these filters are */
    float *largest;         /* (n_words, n_filters) */
    uint16_t *largest_half; /* training: or in bfloat16 */
    int16_t *where;         /* training: (n_words, n_filters): first character of the largest */
    const float *d_largest; /* training: (n_words, n_filters) */
    float *d_table;         /* training: zeros */
};

#endif
