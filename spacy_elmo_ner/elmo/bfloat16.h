/* bfloat16, the upper half of a float32, and the pairs of it that products take. */

#ifndef BFLOAT16_H
#define BFLOAT16_H

#include <stdint.h>
#include <string.h>

#include "parts.h"

typedef uint16_t half;

/* The 32 bits that a product takes at once: two values that are neighbours along the sum. */
typedef uint32_t unit __attribute__((may_alias));

INLINE half to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    return value != value ? 0x7fc0 : rounded;
}

INLINE float from_half(half value) {
    uint32_t bits = (uint32_t)value << 16;
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

INLINE unit pair_of(half first, half second) { return (unit)first | (unit)second << 16; }

#endif
