// Blocks of quantised weights as vectors of which lane r belongs to row r, so that a product needs
// no sum across lanes. A unit defines before including this:
//   ROWS                                rows that are read at once: the lanes of a vector
//   load_words(bytes, stride, words)    sixteen bytes of each row as four vectors of 32 bits
//   load_halves(bytes, stride)          a half-precision number of each row
//   load_packed_halves(bytes)           half-precision numbers that lie one after another
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

// Stored blocks of ROWS rows at the same columns: as published, `stride` bytes apart; or packed
// (CKernels.h), where `bytes` is the panel's block and `lane` the first of the rows in it.
struct stored {
    const uint8_t *bytes;
    size_t stride;
    size_t lane;
    bool packed;
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
    // Whether rows lie packed in panels.
    bool packed;
    void (*unpack)(struct stored stored, size_t index, block_sink sink, void *context);
};

#define NIBBLES 0x0f0f0f0f

// Byte `index` of each lane.
INLINE floats byte_of(ints words, int index) {
    return __builtin_convertvector((uints)words >> (uint32_t)(8 * index) & 255u, floats);
}

INLINE ints signed_byte_of(ints words, int index) {
    return words << (24 - 8 * index) >> 24;
}

// Where a packed field of `width` bytes, `offset` bytes into a block, lies for the first row.
INLINE const uint8_t *packed_field(struct stored stored, size_t offset, size_t width) {
    return stored.bytes + MARTLET_PANEL_ROWS * offset + width * stored.lane;
}

// Sixteen bytes of each row as four vectors of 32 bits.
INLINE void words_at(struct stored stored, size_t offset, ints words[4]) {
    if (!stored.packed) {
        return load_words(stored.bytes + offset, stored.stride, words);
    }
    for (size_t i = 0; i < 4; i++) {
        memcpy(&words[i], packed_field(stored, offset + 4 * i, 4), sizeof words[i]);
    }
}

INLINE void eight_words_at(struct stored stored, size_t offset, ints words[8]) {
    words_at(stored, offset, words);
    words_at(stored, offset + 16, words + 4);
}

INLINE floats halves_at(struct stored stored, size_t offset) {
    if (!stored.packed) {
        return load_halves(stored.bytes + offset, stored.stride);
    }
    return load_packed_halves(packed_field(stored, offset, 2));
}

INLINE ints first_bytes(struct stored stored) {
    size_t stride = stored.packed ? 1 : stored.stride;
    const uint8_t *bytes = stored.packed ? packed_field(stored, 0, 1) : stored.bytes;
    ints result = {0};
    for (size_t row = 0; row < ROWS; row++) {
        result[row] = bytes[row * stride];
    }
    return result;
}

INLINE void unpack_q8_0(
    struct stored stored, size_t index, block_sink sink, void *context
) {
    struct panel_block block;
    block.scale = halves_at(stored, 0);
    eight_words_at(stored, 2, block.weights);
    for (int i = 0; i < 8; i++) {
        block.weights[i] = from_signed(block.weights[i]);
    }
    sink(context, index, &block);
}

INLINE void unpack_q4_0(
    struct stored stored, size_t index, block_sink sink, void *context
) {
    struct panel_block block;
    block.scale = halves_at(stored, 0);
    ints words[4];
    words_at(stored, 2, words);
    for (int i = 0; i < 4; i++) {
        block.weights[i] = words[i] & NIBBLES;
        block.weights[i + 4] = (ints)((uints)words[i] >> 4) & NIBBLES;
    }
    sink(context, index, &block);
}

INLINE void unpack_mxfp4(
    struct stored stored, size_t index, block_sink sink, void *context
) {
    // Twice the E2M1 numbers, plus 12.
    static const uint8_t doubled[16] = {12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0};
    struct panel_block block;
    ints exponent = first_bytes(stored);
    // 2^(e - 128), subnormal for e = 0 and 1.
    ints tiny = exponent < 2;
    ints bits = (tiny & (0x00200000 << (exponent & 1))) | (~tiny & (exponent - 1) << 23);
    block.scale = (floats)bits;
    ints words[4];
    words_at(stored, 1, words);
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

INLINE struct panel_factors load_panel_factors(struct stored stored) {
    struct panel_factors factors;
    ints head[4];
    words_at(stored, 0, head);
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
    struct stored stored, size_t index, block_sink sink, void *context
) {
    struct panel_factors factors = load_panel_factors(stored);
    for (int group = 0; group < 8; group += 2) {
        struct panel_block low, high;
        eight_words_at(stored, 16 + 16 * (size_t)group, low.weights);
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
    struct stored stored, size_t index, block_sink sink, void *context
) {
    struct panel_factors factors = load_panel_factors(stored);
    ints fifth[8];
    eight_words_at(stored, 16, fifth);
    for (int group = 0; group < 8; group += 2) {
        struct panel_block low, high;
        eight_words_at(stored, 48 + 16 * (size_t)group, low.weights);
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
    struct stored stored, size_t index, block_sink sink, void *context
) {
    ints scales[4];
    words_at(stored, 192, scales);
    floats scale = halves_at(stored, 208);
    for (int half = 0; half < 2; half++) {
        ints high[8];
        eight_words_at(stored, 128 + 32 * (size_t)half, high);
        for (int group = 0; group < 4; group++) {
            struct panel_block block;
            eight_words_at(stored, 64 * (size_t)half + 32 * (size_t)(group % 2), block.weights);
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
    34, 1, SIGNED_BIAS, true, false, false, false, unpack_q8_0};
static const struct panel_format format_q4_0 = {18, 1, 8, false, false, false, false, unpack_q4_0};
static const struct panel_format format_mxfp4 = {
    17, 1, 12, false, false, false, false, unpack_mxfp4};
static const struct panel_format format_q4_k = {144, 8, 0, false, true, false, false, unpack_q4_k};
static const struct panel_format format_q5_k = {176, 8, 0, false, true, false, false, unpack_q5_k};
static const struct panel_format format_q6_k = {210, 8, 32, false, false, true, false, unpack_q6_k};
