/* Products of small blocks in AMX's tiles, for kernels that are compiled for AVX512-BF16.

A tile holds 16 rows of 64 bytes, which is how blocks are cut and right sides packed. Every part of
a kernel takes the tiles before its first product and gives them back after the last: while they are
taken, Linux saves 8 KB with the thread.
*/

#ifndef TILES_H
#define TILES_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "bfloat16.h"
#include "parts.h"

#define TILE_ROWS 16
#define TILE_UNITS 16   /* of a tile's row, or float32 values */
#define TILE_COLUMNS 64 /* of a block: four tiles side by side */

extern int has_tiles; /* of tiles.c: whether products run in tiles */

/* Instructions as such: GCC's own functions do not say which memory they read. */
#if __GNUC__ >= 11
#define INSTRUCTION(...) __asm__ volatile(__VA_ARGS__)
#else
#define INSTRUCTION(...) /* unknown to its assembler; there are no tiles */
#endif
#define LOAD_TILE(tile, from, stride)                                                          \
    INSTRUCTION("tileloadd (%0,%1,1), %%tmm" #tile ::"r"(from), "r"((int64_t)(stride) * 4) \
                : "memory")
#define STORE_TILE(tile, to, stride)                                                            \
    INSTRUCTION("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(to), "r"((int64_t)(stride) * 4) \
                : "memory")
#define ADD_PRODUCT(to, left, right) \
    INSTRUCTION("tdpbf16ps %tmm" #right ", %tmm" #left ", %tmm" #to)

/* Sums are in tiles 0 to 3, the left side in 4, the right side in 5. All are whole. */
INLINE void take_tiles(void) {
    struct {
        uint8_t palette, start_row, unused[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shapes = {.palette = 1};
    for (int i = 0; i < 6; i++) shapes.bytes[i] = 64, shapes.rows[i] = TILE_ROWS;
    INSTRUCTION("ldtilecfg %0" ::"m"(shapes));
}

INLINE void give_tiles_back(void) { INSTRUCTION("tilerelease"); }

/* sums (rows, 64 columns of stride floats) += left (rows, n) @ right [n][64] */
INLINE void add_in_tiles(float *sums, int64_t sums_stride, const unit *left, int64_t stride,
                         const unit *right, int64_t n, int rows) {
    _Alignas(64) float whole[TILE_ROWS][TILE_COLUMNS];
    _Alignas(64) unit part[TILE_ROWS][TILE_UNITS], last[TILE_UNITS][TILE_COLUMNS];
    float *block = sums;
    int64_t block_stride = sums_stride;
    if (rows < TILE_ROWS) {
        block = whole[0];
        block_stride = TILE_COLUMNS;
        for (int r = 0; r < rows; r++) memcpy(whole[r], sums + r * sums_stride, sizeof whole[r]);
        memset(part, 0, sizeof part);
    }
    LOAD_TILE(0, block, block_stride);
    LOAD_TILE(1, block + TILE_UNITS, block_stride);
    LOAD_TILE(2, block + 2 * TILE_UNITS, block_stride);
    LOAD_TILE(3, block + 3 * TILE_UNITS, block_stride);
    for (int64_t k = 0; k < n; k += TILE_UNITS) {
        int64_t depth = least(TILE_UNITS, n - k), from_stride = stride;
        const unit *from = left + k, *weights = right + k * TILE_COLUMNS;
        if (rows < TILE_ROWS || depth < TILE_UNITS) {
            __mmask16 there = (__mmask16)((1 << depth) - 1);
            for (int r = 0; r < rows; r++)
                _mm512_store_si512(part[r], _mm512_maskz_loadu_epi32(there, from + r * stride));
            from = part[0];
            from_stride = TILE_UNITS;
        }
        if (depth < TILE_UNITS) {
            memcpy(last, weights, depth * sizeof last[0]);
            memset(last + depth, 0, (TILE_UNITS - depth) * sizeof last[0]);
            weights = last[0];
        }
        LOAD_TILE(4, from, from_stride);
        LOAD_TILE(5, weights, TILE_COLUMNS);
        ADD_PRODUCT(0, 4, 5);
        LOAD_TILE(5, weights + TILE_UNITS, TILE_COLUMNS);
        ADD_PRODUCT(1, 4, 5);
        LOAD_TILE(5, weights + 2 * TILE_UNITS, TILE_COLUMNS);
        ADD_PRODUCT(2, 4, 5);
        LOAD_TILE(5, weights + 3 * TILE_UNITS, TILE_COLUMNS);
        ADD_PRODUCT(3, 4, 5);
    }
    STORE_TILE(0, block, block_stride);
    STORE_TILE(1, block + TILE_UNITS, block_stride);
    STORE_TILE(2, block + 2 * TILE_UNITS, block_stride);
    STORE_TILE(3, block + 3 * TILE_UNITS, block_stride);
    if (rows < TILE_ROWS)
        for (int r = 0; r < rows; r++) memcpy(sums + r * sums_stride, whole[r], sizeof whole[r]);
}

#endif
