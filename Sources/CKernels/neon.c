// The kernels for 64-bit Arm with dot-product instructions.
#if defined(__aarch64__)
#pragma clang fp contract(off)
#include <arm_neon.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#include "float_products.h"

#include "dequantize.h"
#include "row_kernels.h"
#include "attention.h"
#include "attention_store.h"

// Four weight rows at a time, one per lane.
#define ROWS 4
#define TILE_INPUTS 4
#define TILE_VECTORS 2

typedef int32_t four_ints __attribute__((vector_size(16)));
typedef float four_floats __attribute__((vector_size(16)));

INLINE void load_words(const uint8_t *bytes, size_t stride, four_ints words[4]) {
    int32x4_t rows[4];
    for (int i = 0; i < 4; i++) {
        rows[i] = vreinterpretq_s32_u8(vld1q_u8(bytes + (size_t)i * stride));
    }
    // Four rows of four words become four words of four rows.
    int64x2_t a = vreinterpretq_s64_s32(vtrn1q_s32(rows[0], rows[1]));
    int64x2_t b = vreinterpretq_s64_s32(vtrn2q_s32(rows[0], rows[1]));
    int64x2_t c = vreinterpretq_s64_s32(vtrn1q_s32(rows[2], rows[3]));
    int64x2_t d = vreinterpretq_s64_s32(vtrn2q_s32(rows[2], rows[3]));
    words[0] = (four_ints)vtrn1q_s64(a, c);
    words[1] = (four_ints)vtrn1q_s64(b, d);
    words[2] = (four_ints)vtrn2q_s64(a, c);
    words[3] = (four_ints)vtrn2q_s64(b, d);
}

INLINE four_floats floats_from_halves(four_ints words) {
    float16x4_t halves = vreinterpret_f16_u16(vmovn_u32((uint32x4_t)words));
    return (four_floats)vcvt_f32_f16(halves);
}

INLINE four_floats load_halves(const uint8_t *bytes, size_t stride) {
    four_ints words;
    for (int row = 0; row < 4; row++) {
        uint16_t half;
        memcpy(&half, bytes + (size_t)row * stride, sizeof half);
        words[row] = half;
    }
    return floats_from_halves(words);
}

INLINE four_floats load_packed_halves(const uint8_t *bytes) {
    return (four_floats)vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(bytes)));
}

INLINE four_ints look_up(const uint8_t table[16], four_ints nibbles) {
    return (four_ints)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)nibbles);
}

// The instruction takes signed weights, as which bytes up to 127 are themselves.
INLINE four_ints dot_small(four_ints sum, four_ints words, int32_t input) {
    int8x16_t inputs = vreinterpretq_s8_s32(vdupq_n_s32(input));
    return (four_ints)vdotq_s32((int32x4_t)sum, (int8x16_t)words, inputs);
}
#define dot_bytes dot_small

#define SIGNED_BIAS 0
INLINE four_ints from_signed(four_ints words) {
    return words;
}

#include "panel_products.h"

#pragma clang attribute pop

const struct martlet_kernels martlet_neon_kernels = {
#include "table_entries.h"
};
#endif
