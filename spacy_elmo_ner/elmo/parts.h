/* Work that is dealt out to threads which never wait for each other. */

#ifndef PARTS_H
#define PARTS_H

#include <stddef.h>
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline, unused))

INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

#define MOST_PARTS 16

/* Runs work(context, 0..n-1) and returns when all are done: on this thread alone where threads is 1,
otherwise also on others. */
void run_parts(void (*work)(void *, int), void *context, int n, int threads);

#endif
