// The kernels for AVX-512 with VNNI.
#if defined(__x86_64__)
#pragma clang fp contract(off)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma clang attribute push( \
    __attribute__((target("avx2,fma,f16c,avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"))), \
    apply_to = function)

#define LANES_FROM_HALF(bits) ((lanes)_mm512_cvtph_ps((__m256i)(bits)))
#define INPUTS_PER_TILE 4
#define ATTENTION_LANES(queries) 4
#include "float_products.h"

#include "dequantize.h"
#include "row_kernels.h"
#include "attention.h"
#include "attention_store.h"
#include "x86_blocks.h"

// Sixteen weight rows at a time, one per lane.
#define GROUP_ROWS 16
// Inputs that share one reading of a group's blocks; more would not fit in registers.
#define INPUTS_PER_PASS 4

INLINE __m512 group_scales(const uint8_t *block, size_t stride) {
    __m128i low = eight_halves(block, stride);
    __m128i high = eight_halves(block + 8 * stride, stride);
    return _mm512_cvtph_ps(_mm256_set_m128i(high, low));
}

// Thirty-two unsigned bytes of each of two rows: the block's quants plus a bias.
typedef __m512i (*load_pair)(const uint8_t *low, const uint8_t *high);

INLINE __m512i q8_0_pair(const uint8_t *low, const uint8_t *high) {
    __m512i pair = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)low));
    pair = _mm512_mask_broadcast_i32x8(pair, 0xff00, _mm256_loadu_si256((const __m256i *)high));
    return _mm512_xor_si512(pair, _mm512_set1_epi8((char)0x80));
}

INLINE __m512i q4_0_pair(const uint8_t *low, const uint8_t *high) {
    __m512i pair = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)low));
    pair = _mm512_mask_broadcast_i32x4(pair, 0xff00, _mm_loadu_si128((const __m128i *)high));
    const __m512i shifts = _mm512_set_epi32(4, 4, 4, 4, 0, 0, 0, 0, 4, 4, 4, 4, 0, 0, 0, 0);
    return _mm512_and_si512(_mm512_srlv_epi32(pair, shifts), _mm512_set1_epi8(15));
}

// Sums within each 128-bit part, of a in even lanes and b in odd ones.
INLINE __m512i add_pairs(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
}

INLINE __m512i add_quads(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}

// Lane r: the sum of row r's eight partial sums. pairs[i] holds those of rows i and i + 4 for
// i < 4, of rows i + 4 and i + 8 for the others.
INLINE __m512i transposed_sum(const __m512i pairs[8]) {
    __m512i low = add_quads(add_pairs(pairs[0], pairs[1]), add_pairs(pairs[2], pairs[3]));
    __m512i high = add_quads(add_pairs(pairs[4], pairs[5]), add_pairs(pairs[6], pairs[7]));
    return _mm512_add_epi32(
        _mm512_shuffle_i32x4(low, high, 0x88), _mm512_shuffle_i32x4(low, high, 0xdd));
}

// Lane r: the exact sum of integer products of row r's block, in biased pairs, and the input's.
INLINE __m512i group_sums(const __m512i pairs[8], const int8_t *quants, int32_t correction) {
    __m512i input = _mm512_broadcast_i32x8(_mm256_loadu_si256((const __m256i *)quants));
    __m512i products[8];
    for (int i = 0; i < 8; i++) {
        products[i] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), pairs[i], input);
    }
    return _mm512_sub_epi32(transposed_sum(products), _mm512_set1_epi32(correction));
}

// A kind of quantised weights: how pairs are loaded, what bias they have, the size of a block.
struct block_kind {
    load_pair load;
    int32_t bias;
    size_t bytes;
};

// The products of a group of rows and `inputs` ≤ INPUTS_PER_PASS inputs from `t` on.
INLINE void quantized_group(
    struct block_kind kind, struct row_group group, const struct martlet_product *p, size_t t,
    size_t inputs
) {
    size_t blocks = p->columns / 32;
    __m512 results[INPUTS_PER_PASS] = {0};
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *weights = group.weights + b * kind.bytes;
        if (t == 0) {
            // The first pass over a group fetches the next one, in the order of addresses.
            size_t next = GROUP_ROWS * (group.stride + b * kind.bytes);
            prefetch(group.weights + next, GROUP_ROWS * kind.bytes);
        }
        __m512 scales = group_scales(weights, group.stride);
        __m512i pairs[8];
        for (int i = 0; i < 8; i++) {
            const uint8_t *low = weights + 2 + (i < 4 ? i : i + 4) * group.stride;
            pairs[i] = kind.load(low, low + 4 * group.stride);
        }
        for (size_t i = 0; i < inputs; i++) {
            size_t block = (t + i) * blocks + b;
            __m512i sums = group_sums(pairs, p->quants + block * 32, kind.bias * p->sums[block]);
            __m512 scale = _mm512_mul_ps(scales, _mm512_set1_ps(p->scales[block]));
            results[i] = _mm512_fmadd_ps(scale, _mm512_cvtepi32_ps(sums), results[i]);
        }
    }
    for (size_t i = 0; i < inputs; i++) {
        __mmask16 rows = (__mmask16)((1u << group.count) - 1);
        _mm512_mask_storeu_ps(group.out + (t + i) * p->output_stride, rows, results[i]);
    }
}

INLINE void quantized_rows(
    struct block_kind kind, struct row_group group, const struct martlet_product *p
) {
    size_t t = 0;
    for (; t + INPUTS_PER_PASS <= p->inputs; t += INPUTS_PER_PASS) {
        quantized_group(kind, group, p, t, INPUTS_PER_PASS);
    }
    for (; t < p->inputs; t++) {
        quantized_group(kind, group, p, t, 1);
    }
}

INLINE void quantized_product(struct block_kind kind, const struct martlet_product *p) {
    size_t stride = p->columns / 32 * kind.bytes;
    const uint8_t *weights = p->weights;
    size_t row = 0;
    for (; row + GROUP_ROWS <= p->rows; row += GROUP_ROWS) {
        struct row_group group = {weights + row * stride, stride, GROUP_ROWS, p->out + row};
        quantized_rows(kind, group, p);
    }
    for (; row < p->rows; row++) {
        // What remains goes row by row: a group of the same row sixteen times.
        struct row_group group = {weights + row * stride, 0, 1, p->out + row};
        quantized_rows(kind, group, p);
    }
}

static void product_q8_0(const struct martlet_product *p) {
    quantized_product((struct block_kind){q8_0_pair, 128, 34}, p);
}

static void product_q4_0(const struct martlet_product *p) {
    quantized_product((struct block_kind){q4_0_pair, 8, 18}, p);
}

#pragma clang attribute pop

const struct martlet_kernels martlet_avx512_kernels = {
#include "table_entries.h"
};
#endif
