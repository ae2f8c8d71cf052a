/* What prediction runs compiled, for one width of vectors: included once for each kind of CPU.

LANES: float32 values of a vector. BLOCK: rows of a product that stay in registers beside four
vectors of weights. NAME(x): x with the kind's suffix. HALVES(from): LANES float16 values as a
vector, on CPUs that convert them in one instruction. BFLOAT16: whether products are of bfloat16.
TILES: whether those run in AMX's tiles. All of them are undefined at the end.
*/

typedef float NAME(vec) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef int32_t NAME(ints) __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
#define vec NAME(vec)
#define ints NAME(ints)
#define COLUMNS (4 * LANES) /* of a block: four vectors */

/* x in each lane: compilers know that subtracting 0 changes nothing. */
INLINE vec NAME(all)(float x) { return x - (vec){0}; }

INLINE vec NAME(chosen)(ints mask, vec yes, vec no) {
    return (vec)(((ints)yes & mask) | ((ints)no & ~mask));
}

#include "lstm_prediction.h"
#ifndef BFLOAT16
#include "char_cnn_prediction.h"
#endif

#undef vec
#undef ints
#undef COLUMNS
#undef WEIGHTS
#undef DEPTH
#undef number
#undef LANES
#undef BLOCK
#undef HALVES
#undef HALVES_UP_TO
#undef BFLOAT16
#undef TILES
#undef NAME
