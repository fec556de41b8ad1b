// Blocks of the formats that published models use most as fp32 numbers, compiled once per unit.
// Layouts and formulas are those of the scalar twins in Sources/Tensors/Quantization, and so are
// the bits.
#pragma once
#include "lanes.h"

typedef uint8_t level_lanes __attribute__((vector_size(LANES)));

INLINE level_lanes levels_load(const uint8_t *bytes) {
    level_lanes levels;
    memcpy(&levels, bytes, sizeof levels);
    return levels;
}

INLINE lanes levels_as_numbers(level_lanes levels) {
    return __builtin_convertvector(__builtin_convertvector(levels, integer_lanes), lanes);
}

INLINE float half_at(const uint8_t *bytes) {
    short_lanes bits = {0};
    memcpy(&bits, bytes, 2);
    return LANES_FROM_HALF(bits)[0];
}

// The 6-bit scale and minimum of group `group` of Q4_K and Q5_K from their 12 bytes.
INLINE void group_factors(const uint8_t *bytes, int group, float *scale, float *minimum) {
    if (group < 4) {
        *scale = (float)(bytes[group] & 63);
        *minimum = (float)(bytes[group + 4] & 63);
    } else {
        *scale = (float)((bytes[group + 4] & 15) | (bytes[group - 4] >> 6) << 4);
        *minimum = (float)((bytes[group + 4] >> 4) | (bytes[group] >> 6) << 4);
    }
}

// One block of Q4_K, or of Q5_K where `fifth` is the address of its 32 bytes of fifth bits.
INLINE void dequantize_groups(
    const uint8_t *block, const uint8_t *quants, const uint8_t *fifth, float *out
) {
    float block_scale = half_at(block);
    float block_minimum = half_at(block + 2);
    for (int group = 0; group < 8; group++) {
        float scale, minimum;
        group_factors(block + 4, group, &scale, &minimum);
        scale *= block_scale;
        minimum *= block_minimum;
        for (int part = 0; part < 32; part += LANES) {
            level_lanes levels = levels_load(quants + group / 2 * 32 + part);
            levels = group % 2 == 0 ? levels & 15 : levels >> 4;
            if (fifth) {
                levels |= (levels_load(fifth + part) >> (uint8_t)group & 1) << 4;
            }
            lanes numbers = levels_as_numbers(levels) * scale - minimum;
            lanes_store(out + group * 32 + part, numbers);
        }
    }
}

static void dequantize_q4_k(const void *blocks, size_t count, float *out) {
    const uint8_t *block = blocks;
    for (size_t b = 0; b < count; b++, block += 144, out += 256) {
        dequantize_groups(block, block + 16, NULL, out);
    }
}

static void dequantize_q5_k(const void *blocks, size_t count, float *out) {
    const uint8_t *block = blocks;
    for (size_t b = 0; b < count; b++, block += 176, out += 256) {
        dequantize_groups(block, block + 48, block + 16, out);
    }
}

static void dequantize_q6_k(const void *blocks, size_t count, float *out) {
    const uint8_t *block = blocks;
    for (size_t b = 0; b < count; b++, block += 210, out += 256) {
        float block_scale = half_at(block + 208);
        for (int group = 0; group < 16; group++) {
            int half = group / 8;
            int start = group % 8 * 16;
            level_lanes low = levels_load(block + half * 64 + start % 64);
            level_lanes high = levels_load(block + 128 + half * 32 + start % 32);
            low = start < 64 ? low & 15 : low >> 4;
            high = high >> (uint8_t)(start / 32 * 2) & 3;
            float scale = block_scale * (float)(int8_t)block[192 + group];
            lanes numbers = (levels_as_numbers(low | high << 4) - 32.0f) * scale;
            lanes_store(out + group * 16, numbers);
        }
    }
}

// Twice the values of sixteen E2M1 numbers (sign, two bits of exponent, one of fraction).
INLINE lanes doubled_e2m1(level_lanes levels) {
    integer_lanes bits = __builtin_convertvector(levels, integer_lanes);
    integer_lanes exponent = bits >> 1 & 3;
    integer_lanes fraction = bits & 1;
    // An exponent of zero has no leading one, and the spacing of an exponent of one.
    integer_lanes leading = (exponent > 0) & 2;
    integer_lanes shift = exponent + (exponent > 0);
    integer_lanes magnitude = (leading | fraction) << shift;
    integer_lanes negative = (bits & 8) > 0;
    return __builtin_convertvector((magnitude ^ negative) - negative, lanes);
}

static void dequantize_mxfp4(const void *blocks, size_t count, float *out) {
    const uint8_t *block = blocks;
    for (size_t b = 0; b < count; b++, block += 17, out += 32) {
        // 2^(e - 128), subnormal for e = 0 and 1.
        uint32_t bits = block[0] < 2 ? 0x00200000u << block[0] : (uint32_t)(block[0] - 1) << 23;
        float scale;
        memcpy(&scale, &bits, sizeof scale);
        level_lanes pairs = levels_load(block + 1);
        lanes_store(out, doubled_e2m1(pairs & 15) * scale);
        lanes_store(out + LANES, doubled_e2m1(pairs >> 4) * scale);
    }
}
