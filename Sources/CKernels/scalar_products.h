// Products of quantised weights in scalar C: the same blocks as panels.h, one row at a time.
#pragma once
#include <stdbool.h>

#include "lanes.h"

// 32 columns of a row.
struct scalar_block {
    int8_t weights[32];
    float scale;
    float minimum;
    // The integer scales of the two halves.
    int32_t halves[2];
};

// Block `index` of the stored block of 32 or 256 columns at `stored`.
typedef void (*scalar_unpack)(const uint8_t *stored, size_t index, struct scalar_block *block);

struct scalar_format {
    size_t bytes;
    // Size of the first field where rows are packed.
    size_t head;
    size_t blocks;
    bool minimums;
    bool halves;
    scalar_unpack unpack;
};

INLINE float scalar_half(const uint8_t *bytes) {
    short_lanes bits = {(uint16_t)(bytes[0] | bytes[1] << 8)};
    return LANES_FROM_HALF(bits)[0];
}

INLINE void scalar_q8_0(const uint8_t *stored, size_t index, struct scalar_block *block) {
    (void)index;
    block->scale = scalar_half(stored);
    memcpy(block->weights, stored + 2, 32);
}

INLINE void scalar_q4_0(const uint8_t *stored, size_t index, struct scalar_block *block) {
    (void)index;
    block->scale = scalar_half(stored);
    for (int i = 0; i < 16; i++) {
        block->weights[i] = (int8_t)((stored[2 + i] & 15) - 8);
        block->weights[i + 16] = (int8_t)((stored[2 + i] >> 4) - 8);
    }
}

INLINE void scalar_mxfp4(const uint8_t *stored, size_t index, struct scalar_block *block) {
    static const int8_t doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    (void)index;
    uint32_t bits = stored[0] < 2 ? 0x00200000u << stored[0] : (uint32_t)(stored[0] - 1) << 23;
    memcpy(&block->scale, &bits, sizeof bits);
    for (int i = 0; i < 16; i++) {
        block->weights[i] = doubled[stored[1 + i] & 15];
        block->weights[i + 16] = doubled[stored[1 + i] >> 4];
    }
}

// Q4_K, or Q5_K where `fifth` is the address of its fifth bits.
INLINE void scalar_group(
    const uint8_t *stored, const uint8_t *quants, const uint8_t *fifth, size_t index,
    struct scalar_block *block
) {
    group_factors(stored + 4, (int)index, &block->scale, &block->minimum);
    block->scale *= scalar_half(stored);
    block->minimum *= scalar_half(stored + 2);
    for (int i = 0; i < 32; i++) {
        int quant = quants[index / 2 * 32 + (size_t)i] >> (index % 2 * 4) & 15;
        int high = fifth ? fifth[i] >> index & 1 : 0;
        block->weights[i] = (int8_t)(quant | high << 4);
    }
}

INLINE void scalar_q4_k(const uint8_t *stored, size_t index, struct scalar_block *block) {
    scalar_group(stored, stored + 16, NULL, index, block);
}

INLINE void scalar_q5_k(const uint8_t *stored, size_t index, struct scalar_block *block) {
    scalar_group(stored, stored + 48, stored + 16, index, block);
}

INLINE void scalar_q6_k(const uint8_t *stored, size_t index, struct scalar_block *block) {
    const uint8_t *low = stored + index / 4 * 64 + index % 2 * 32;
    const uint8_t *high = stored + 128 + index / 4 * 32;
    for (int i = 0; i < 32; i++) {
        int quant = low[i] >> (index % 4 / 2 * 4) & 15;
        block->weights[i] = (int8_t)((quant | (high[i] >> (index % 4 * 2) & 3) << 4) - 32);
    }
    block->scale = scalar_half(stored + 208);
    block->halves[0] = (int8_t)stored[192 + 2 * index];
    block->halves[1] = (int8_t)stored[193 + 2 * index];
}

INLINE float scalar_add_block(
    struct scalar_format format, const struct scalar_block *block,
    const struct martlet_product *p, size_t at, float result
) {
    const int8_t *inputs = p->quants + 32 * at;
    int32_t sums[2] = {0, 0};
    for (int i = 0; i < 16; i++) {
        sums[0] += block->weights[i] * inputs[i];
        sums[1] += block->weights[i + 16] * inputs[i + 16];
    }
    if (format.halves) {
        sums[0] *= block->halves[0];
        sums[1] *= block->halves[1];
    }
    float scale = p->scales[at];
    result = __builtin_fmaf(block->scale * scale, (float)(sums[0] + sums[1]), result);
    if (format.minimums) {
        float input_sum = (float)-(p->sums[2 * at] + p->sums[2 * at + 1]);
        result = __builtin_fmaf(block->minimum * scale, input_sum, result);
    }
    return result;
}

// The largest stored block of the formats below.
#define LARGEST_BLOCK 210

// A row's stored block; a packed one's fields are put together in `copy`.
INLINE const uint8_t *scalar_stored(
    struct scalar_format format, const struct martlet_product *p, size_t row, size_t index,
    uint8_t copy[LARGEST_BLOCK]
) {
    const uint8_t *weights = p->weights;
    size_t stride = p->columns / 32 / format.blocks * format.bytes;
    if (!p->packed) {
        return weights + row * stride + index * format.bytes;
    }
    size_t lane = row % MARTLET_PANEL_ROWS;
    const uint8_t *block =
        weights + (row - lane) * stride + MARTLET_PANEL_ROWS * index * format.bytes;
    size_t width = format.head;
    for (size_t offset = 0; offset < format.bytes; offset += width, width = 4) {
        if (width == 0) {
            continue;
        }
        size_t rest = format.bytes - offset;
        width = width < rest ? width : rest;
        memcpy(
            copy + offset, block + MARTLET_PANEL_ROWS * offset + width * lane, width);
    }
    return copy;
}

INLINE void scalar_product(struct scalar_format format, const struct martlet_product *p) {
    size_t blocks = p->columns / 32;
    for (size_t row = 0; row < p->rows; row++) {
        for (size_t b = 0; b < blocks; b++) {
            struct scalar_block block;
            uint8_t copy[LARGEST_BLOCK];
            const uint8_t *stored = scalar_stored(format, p, row, b / format.blocks, copy);
            format.unpack(stored, b % format.blocks, &block);
            for (size_t t = 0; t < p->inputs; t++) {
                float *out = p->out + t * p->output_stride + row;
                *out = scalar_add_block(format, &block, p, t * blocks + b, b == 0 ? 0 : *out);
            }
        }
    }
}

static void product_q8_0(const struct martlet_product *p) {
    scalar_product((struct scalar_format){34, 2, 1, false, false, scalar_q8_0}, p);
}

static void product_q4_0(const struct martlet_product *p) {
    scalar_product((struct scalar_format){18, 2, 1, false, false, scalar_q4_0}, p);
}

static void product_mxfp4(const struct martlet_product *p) {
    scalar_product((struct scalar_format){17, 1, 1, false, false, scalar_mxfp4}, p);
}

static void product_q4_k(const struct martlet_product *p) {
    scalar_product((struct scalar_format){144, 0, 8, true, false, scalar_q4_k}, p);
}

static void product_q5_k(const struct martlet_product *p) {
    scalar_product((struct scalar_format){176, 0, 8, true, false, scalar_q5_k}, p);
}

static void product_q6_k(const struct martlet_product *p) {
    scalar_product((struct scalar_format){210, 0, 8, false, true, scalar_q6_k}, p);
}

static size_t multiply_ceiling(size_t rounds, int32_t *sum) {
    int32_t sums[8] = {0};
    for (size_t round = 0; round < rounds; round++) {
        for (int i = 0; i < 8; i++) {
            sums[i] += (int8_t)(round + (size_t)i) * (int8_t)(round >> 8);
        }
    }
    for (int i = 1; i < 8; i++) {
        sums[0] += sums[i];
    }
    *sum = sums[0];
    return rounds * 8 * 2;
}
