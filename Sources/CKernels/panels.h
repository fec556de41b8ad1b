// Blocks of quantised weights as vectors of which lane r belongs to row r, so that a product needs
// no sum across lanes. A unit defines before including this:
//   ROWS                                rows that are read at once: the lanes of a vector
//   load_words(bytes, stride, words)    sixteen bytes of each row as four vectors of 32 bits
//   load_halves(bytes, stride)          a half-precision number of each row
//   floats_from_halves(words)           the numbers in the low 16 bits of each lane
//   look_up(table, nibbles)             each byte replaced by that entry of sixteen bytes
//   dot_small(sum, words, input)        sum + the products of four bytes from 0 to 127 and four
//                                       signed bytes
//   dot_bytes(sum, words, input)        the same for bytes as from_signed leaves them
//   from_signed(words), SIGNED_BIAS     signed bytes as dot_bytes wants them: plus that bias
#pragma once
#include <stdbool.h>

#include "lanes.h"

typedef int32_t ints __attribute__((vector_size(ROWS * 4)));
typedef uint32_t uints __attribute__((vector_size(ROWS * 4)));
typedef float floats __attribute__((vector_size(ROWS * 4)));

INLINE ints ints_of(int32_t value) {
    return (ints){0} + value;
}

INLINE floats floats_of(float value) {
    return (floats){0} + value;
}

// 32 columns of ROWS rows.
struct panel_block {
    // Vector i: columns 4 i to 4 i + 3 of each row, plus the format's bias.
    ints weights[8];
    floats scale;
    // What is subtracted from every weight; only in formats with minimums.
    floats minimum;
    // The integer scales of columns 0 to 15 and 16 to 31; only in formats with halves.
    ints halves[2];
};

// Takes block number `index` of a row of blocks of 32.
typedef void (*block_sink)(void *context, size_t index, const struct panel_block *block);

// How a format's blocks become panel blocks.
struct panel_format {
    // Size of a stored block, and how many blocks of 32 it holds.
    size_t bytes;
    size_t blocks;
    int32_t bias;
    // Whether weights need more than seven bits, are offset by a minimum, have scales of halves.
    bool bytewise;
    bool minimums;
    bool halves;
    void (*unpack)(
        const uint8_t *stored, size_t stride, size_t index, block_sink sink, void *context);
};

#define NIBBLES 0x0f0f0f0f

// Byte `index` of each lane.
INLINE floats byte_of(ints words, int index) {
    return __builtin_convertvector((uints)words >> (uint32_t)(8 * index) & 255u, floats);
}

INLINE ints signed_byte_of(ints words, int index) {
    return words << (24 - 8 * index) >> 24;
}

INLINE void load_half_words(const uint8_t *bytes, size_t stride, ints words[8]) {
    load_words(bytes, stride, words);
    load_words(bytes + 16, stride, words + 4);
}

INLINE void unpack_q8_0(
    const uint8_t *stored, size_t stride, size_t index, block_sink sink, void *context
) {
    struct panel_block block;
    block.scale = load_halves(stored, stride);
    load_half_words(stored + 2, stride, block.weights);
    for (int i = 0; i < 8; i++) {
        block.weights[i] = from_signed(block.weights[i]);
    }
    sink(context, index, &block);
}

INLINE void unpack_q4_0(
    const uint8_t *stored, size_t stride, size_t index, block_sink sink, void *context
) {
    struct panel_block block;
    block.scale = load_halves(stored, stride);
    ints words[4];
    load_words(stored + 2, stride, words);
    for (int i = 0; i < 4; i++) {
        block.weights[i] = words[i] & NIBBLES;
        block.weights[i + 4] = (ints)((uints)words[i] >> 4) & NIBBLES;
    }
    sink(context, index, &block);
}

INLINE void unpack_mxfp4(
    const uint8_t *stored, size_t stride, size_t index, block_sink sink, void *context
) {
    // Twice the E2M1 numbers, plus 12.
    static const uint8_t doubled[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};
    struct panel_block block;
    ints exponent = {0};
    for (int row = 0; row < ROWS; row++) {
        exponent[row] = stored[row * stride];
    }
    // 2^(e - 128), subnormal for e = 0 and 1.
    ints tiny = exponent < 2;
    ints bits = (tiny & (0x00200000 << (exponent & 1))) | (~tiny & (exponent - 1) << 23);
    block.scale = (floats)bits;
    ints words[4];
    load_words(stored + 1, stride, words);
    for (int i = 0; i < 4; i++) {
        block.weights[i] = look_up(doubled, words[i] & NIBBLES);
        block.weights[i + 4] = look_up(doubled, (ints)((uints)words[i] >> 4) & NIBBLES);
    }
    sink(context, index, &block);
}

// The scales and minimums of a block of Q4_K or Q5_K: 6 bits each, byte after byte.
struct panel_factors {
    floats scale;
    floats minimum;
    ints scales[2];
    ints minimums[2];
};

INLINE struct panel_factors load_panel_factors(const uint8_t *stored, size_t stride) {
    struct panel_factors factors;
    ints head[4];
    load_words(stored, stride, head);
    factors.scale = floats_from_halves(head[0] & 0xffff);
    factors.minimum = floats_from_halves((ints)((uints)head[0] >> 16));
    factors.scales[0] = head[1] & 0x3f3f3f3f;
    factors.minimums[0] = head[2] & 0x3f3f3f3f;
    ints high_scales = (ints)((uints)head[1] >> 2) & 0x30303030;
    ints high_minimums = (ints)((uints)head[2] >> 2) & 0x30303030;
    factors.scales[1] = (head[3] & NIBBLES) | high_scales;
    factors.minimums[1] = ((ints)((uints)head[3] >> 4) & NIBBLES) | high_minimums;
    return factors;
}

INLINE void set_factors(
    struct panel_block *block, const struct panel_factors *factors, int group
) {
    block->scale = factors->scale * byte_of(factors->scales[group / 4], group % 4);
    block->minimum = factors->minimum * byte_of(factors->minimums[group / 4], group % 4);
}

INLINE void unpack_q4_k(
    const uint8_t *stored, size_t stride, size_t index, block_sink sink, void *context
) {
    struct panel_factors factors = load_panel_factors(stored, stride);
    for (int group = 0; group < 8; group += 2) {
        struct panel_block low, high;
        load_half_words(stored + 16 + 16 * group, stride, low.weights);
        for (int i = 0; i < 8; i++) {
            high.weights[i] = (ints)((uints)low.weights[i] >> 4) & NIBBLES;
            low.weights[i] &= NIBBLES;
        }
        set_factors(&low, &factors, group);
        sink(context, index + (size_t)group, &low);
        set_factors(&high, &factors, group + 1);
        sink(context, index + (size_t)group + 1, &high);
    }
}

INLINE void unpack_q5_k(
    const uint8_t *stored, size_t stride, size_t index, block_sink sink, void *context
) {
    struct panel_factors factors = load_panel_factors(stored, stride);
    ints fifth[8];
    load_half_words(stored + 16, stride, fifth);
    for (int group = 0; group < 8; group += 2) {
        struct panel_block low, high;
        load_half_words(stored + 48 + 16 * group, stride, low.weights);
        for (int i = 0; i < 8; i++) {
            ints bits = (ints)((uints)fifth[i] >> (uint32_t)group);
            high.weights[i] = ((ints)((uints)low.weights[i] >> 4) & NIBBLES)
                | (bits << 3 & 0x10101010);
            low.weights[i] = (low.weights[i] & NIBBLES) | (bits << 4 & 0x10101010);
        }
        set_factors(&low, &factors, group);
        sink(context, index + (size_t)group, &low);
        set_factors(&high, &factors, group + 1);
        sink(context, index + (size_t)group + 1, &high);
    }
}

INLINE void unpack_q6_k(
    const uint8_t *stored, size_t stride, size_t index, block_sink sink, void *context
) {
    ints scales[4];
    load_words(stored + 192, stride, scales);
    floats scale = load_halves(stored + 208, stride);
    for (int half = 0; half < 2; half++) {
        ints high[8];
        load_half_words(stored + 128 + 32 * half, stride, high);
        for (int group = 0; group < 4; group++) {
            struct panel_block block;
            load_half_words(stored + 64 * half + 32 * (group % 2), stride, block.weights);
            for (int i = 0; i < 8; i++) {
                ints low = (ints)((uints)block.weights[i] >> (uint32_t)(group / 2 * 4)) & NIBBLES;
                ints bits = (ints)((uints)high[i] >> (uint32_t)(2 * group)) & 0x03030303;
                block.weights[i] = low | bits << 4;
            }
            block.scale = scale;
            ints words = scales[2 * half + group / 2];
            block.halves[0] = signed_byte_of(words, group % 2 * 2);
            block.halves[1] = signed_byte_of(words, group % 2 * 2 + 1);
            sink(context, index + (size_t)(4 * half + group), &block);
        }
    }
}

static const struct panel_format format_q8_0 = {
    34, 1, SIGNED_BIAS, true, false, false, unpack_q8_0};
static const struct panel_format format_q4_0 = {18, 1, 8, false, false, false, unpack_q4_0};
static const struct panel_format format_mxfp4 = {17, 1, 12, false, false, false, unpack_mxfp4};
static const struct panel_format format_q4_k = {144, 8, 0, false, true, false, unpack_q4_k};
static const struct panel_format format_q5_k = {176, 8, 0, false, true, false, unpack_q5_k};
static const struct panel_format format_q6_k = {210, 8, 32, false, false, true, unpack_q6_k};
