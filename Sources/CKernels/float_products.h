// Products of F32, F16 and BF16 weights, compiled once per unit. A unit that has an instruction
// for converting half precision defines LANES_FROM_HALF before including this.
#pragma once
#include "lanes.h"

// The fp32 numbers equal to sixteen half-precision numbers: shifted into place, the exponent is
// rebiased by a multiplication, exact for normal and subnormal numbers alike.
#ifndef LANES_FROM_HALF
#define LANES_FROM_HALF lanes_from_half
INLINE lanes lanes_from_half(short_lanes bits) {
    integer_lanes wide = __builtin_convertvector(bits, integer_lanes);
    integer_lanes magnitude = (wide & 0x7fff) << 13;
    integer_lanes scaled = (integer_lanes)((lanes)magnitude * 0x1p112f);
    integer_lanes special = magnitude >= 0x0f800000;  // infinity and NaN
    integer_lanes infinite = magnitude | 0x7f800000;
    integer_lanes result = (special & infinite) | (~special & scaled);
    return (lanes)(result | (wide & 0x8000) << 16);
}
#endif

// The first `count` ≤ 16 weights of each kind as fp32, then zeros.

INLINE lanes f32_weights(const void *row, size_t start, size_t count) {
    const float *weights = (const float *)((const char *)row + start * sizeof *weights);
    return count == LANES ? lanes_load(weights) : lanes_load_part(weights, count, 0);
}

INLINE lanes f16_weights(const void *row, size_t start, size_t count) {
    short_lanes bits = {0};
    memcpy(&bits, (const char *)row + start * 2, count * 2);
    return LANES_FROM_HALF(bits);
}

INLINE lanes bf16_weights(const void *row, size_t start, size_t count) {
    short_lanes bits = {0};
    memcpy(&bits, (const char *)row + start * 2, count * 2);
    return (lanes)(__builtin_convertvector(bits, unsigned_lanes) << 16);
}

typedef lanes (*load_weights)(const void *row, size_t start, size_t count);

// Four rows at a time, for four independent chains of additions: enough to hide the latency of one.
#define ROWS_PER_TILE 4
// How far ahead to fetch each row: four rows and 1 KiB are some 100 ns of reading.
#define PREFETCH_BYTES 1024

INLINE void float_tile(
    load_weights load, size_t size, const char *const rows[ROWS_PER_TILE], const float *input,
    size_t columns, float sums[ROWS_PER_TILE]
) {
    lanes lane_sums[ROWS_PER_TILE] = {0};
    size_t i = 0;
    for (; i + LANES <= columns; i += LANES) {
        lanes x = lanes_load(input + i);
        for (int row = 0; row < ROWS_PER_TILE; row++) {
            __builtin_prefetch(rows[row] + i * size + PREFETCH_BYTES);
            lane_sums[row] = lanes_fma(load(rows[row], i, LANES), x, lane_sums[row]);
        }
    }
    if (i < columns) {
        lanes x = lanes_load_part(input + i, columns - i, 0);
        for (int row = 0; row < ROWS_PER_TILE; row++) {
            lane_sums[row] = lanes_fma(load(rows[row], i, columns - i), x, lane_sums[row]);
        }
    }
    for (int row = 0; row < ROWS_PER_TILE; row++) {
        sums[row] = lanes_sum(lane_sums[row]);
    }
}

INLINE void float_product(load_weights load, size_t size, const struct martlet_product *p) {
    for (size_t first = 0; first < p->rows; first += ROWS_PER_TILE) {
        size_t count = p->rows - first < ROWS_PER_TILE ? p->rows - first : ROWS_PER_TILE;
        const char *rows[ROWS_PER_TILE];
        for (size_t row = 0; row < ROWS_PER_TILE; row++) {
            // Rows that a last, incomplete tile lacks are its last one again.
            size_t index = first + (row < count ? row : count - 1);
            rows[row] = (const char *)p->weights + index * p->columns * size;
        }
        for (size_t t = 0; t < p->inputs; t++) {
            float sums[ROWS_PER_TILE];
            float_tile(load, size, rows, p->values + t * p->columns, p->columns, sums);
            memcpy(p->out + t * p->output_stride + first, sums, count * sizeof *sums);
        }
    }
}

static void product_f32(const struct martlet_product *p) {
    float_product(f32_weights, 4, p);
}

static void product_f16(const struct martlet_product *p) {
    float_product(f16_weights, 2, p);
}

static void product_bf16(const struct martlet_product *p) {
    float_product(bf16_weights, 2, p);
}
