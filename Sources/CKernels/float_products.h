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
// Inputs that share one reading of the rows: as many as leave all sums in registers.
#ifndef INPUTS_PER_TILE
#define INPUTS_PER_TILE 1
#endif
// How far ahead to fetch each row: four rows and 1 KiB are some 100 ns of reading.
#define PREFETCH_BYTES 1024

// Some rows of weights, how to read them, and where to write their `count` first products.
struct float_tile {
    load_weights load;
    size_t size;  // of a weight in bytes
    const char *rows[ROWS_PER_TILE];
    size_t count;
    float *out;
};

// Adds the products of `count` ≤ 16 columns from `i` on and of `inputs` ≤ INPUTS_PER_TILE inputs.
INLINE void float_step(
    const struct float_tile *tile, const float *values, size_t columns, size_t inputs, size_t i,
    size_t count, lanes sums[INPUTS_PER_TILE][ROWS_PER_TILE]
) {
    lanes weights[ROWS_PER_TILE];
    for (size_t row = 0; row < ROWS_PER_TILE; row++) {
        weights[row] = tile->load(tile->rows[row], i, count);
    }
    for (size_t t = 0; t < inputs; t++) {
        const float *input = values + t * columns + i;
        lanes x = count == LANES ? lanes_load(input) : lanes_load_part(input, count, 0);
        for (size_t row = 0; row < ROWS_PER_TILE; row++) {
            sums[t][row] = lanes_fma(weights[row], x, sums[t][row]);
        }
    }
}

// The products of a tile's rows and `inputs` ≤ INPUTS_PER_TILE inputs from `first` on.
INLINE void float_tile_product(
    const struct float_tile *tile, const struct martlet_product *p, size_t first, size_t inputs
) {
    lanes sums[INPUTS_PER_TILE][ROWS_PER_TILE] = {0};
    const float *values = p->values + first * p->columns;
    size_t i = 0;
    for (; i + LANES <= p->columns; i += LANES) {
        for (size_t row = 0; row < ROWS_PER_TILE; row++) {
            __builtin_prefetch(tile->rows[row] + i * tile->size + PREFETCH_BYTES);
        }
        float_step(tile, values, p->columns, inputs, i, LANES, sums);
    }
    if (i < p->columns) {
        float_step(tile, values, p->columns, inputs, i, p->columns - i, sums);
    }
    for (size_t t = 0; t < inputs; t++) {
        for (size_t row = 0; row < tile->count; row++) {
            tile->out[(first + t) * p->output_stride + row] = lanes_sum(sums[t][row]);
        }
    }
}

INLINE void float_product(load_weights load, size_t size, const struct martlet_product *p) {
    for (size_t first = 0; first < p->rows; first += ROWS_PER_TILE) {
        size_t count = p->rows - first < ROWS_PER_TILE ? p->rows - first : ROWS_PER_TILE;
        struct float_tile tile = {load, size, {0}, count, p->out + first};
        for (size_t row = 0; row < ROWS_PER_TILE; row++) {
            // Rows that a last, incomplete tile lacks are its last one again.
            size_t index = first + (row < count ? row : count - 1);
            tile.rows[row] = (const char *)p->weights + index * p->columns * size;
        }
        size_t t = 0;
        for (; t + INPUTS_PER_TILE <= p->inputs; t += INPUTS_PER_TILE) {
            float_tile_product(&tile, p, t, INPUTS_PER_TILE);
        }
        for (; t < p->inputs; t++) {
            float_tile_product(&tile, p, t, 1);
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
