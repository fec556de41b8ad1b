// The kernels for AVX2 with FMA and F16C.
#if defined(__x86_64__)
#pragma clang fp contract(off)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "lanes.h"

INLINE lanes lanes_from_half(short_lanes bits) {
    __m128i parts[2];
    memcpy(parts, &bits, sizeof parts);
    __m256 halves[2] = {_mm256_cvtph_ps(parts[0]), _mm256_cvtph_ps(parts[1])};
    lanes result;
    memcpy(&result, halves, sizeof result);
    return result;
}
#define LANES_FROM_HALF lanes_from_half
#include "float_products.h"

#include "dequantize.h"
#include "row_kernels.h"
#include "attention.h"
#include "attention_store.h"
#include "x86_blocks.h"

// Eight weight rows at a time, one per lane.
#define GROUP_ROWS 8

// Eight partial sums of the integer products of one block of a row and of the input.
typedef __m256i (*block_sums)(const uint8_t *quants, __m256i input);

INLINE __m256i q8_0_sums(const uint8_t *quants, __m256i input) {
    __m256i weights = _mm256_loadu_si256((const __m256i *)quants);
    // maddubs wants one unsigned factor: |w| * (x with w's sign). The sum of two products is at
    // most 2 * 128 * 127, which fits in 16 bits.
    __m256i sums = _mm256_maddubs_epi16(
        _mm256_sign_epi8(weights, weights), _mm256_sign_epi8(input, weights));
    return _mm256_madd_epi16(sums, _mm256_set1_epi16(1));
}

INLINE __m256i q4_0_sums(const uint8_t *quants, __m256i input) {
    __m256i weights = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)quants));
    weights = _mm256_srlv_epi32(weights, _mm256_set_epi32(4, 4, 4, 4, 0, 0, 0, 0));
    weights = _mm256_and_si256(weights, _mm256_set1_epi8(15));
    return _mm256_madd_epi16(_mm256_maddubs_epi16(weights, input), _mm256_set1_epi16(1));
}

// Lane r: the sum of row r's eight partial sums.
INLINE __m256i transposed_sum(const __m256i rows[GROUP_ROWS]) {
    __m256i low = _mm256_hadd_epi32(
        _mm256_hadd_epi32(rows[0], rows[1]), _mm256_hadd_epi32(rows[2], rows[3]));
    __m256i high = _mm256_hadd_epi32(
        _mm256_hadd_epi32(rows[4], rows[5]), _mm256_hadd_epi32(rows[6], rows[7]));
    return _mm256_add_epi32(
        _mm256_permute2x128_si256(low, high, 0x20), _mm256_permute2x128_si256(low, high, 0x31));
}

// A kind of quantised weights: how a block is multiplied, the bias of its quants, its size.
struct block_kind {
    block_sums sums;
    int32_t bias;
    size_t bytes;
};

// The products of a group of rows and input `t`.
INLINE void quantized_group(
    struct block_kind kind, struct row_group group, const struct martlet_product *p, size_t t
) {
    size_t blocks = p->columns / 32;
    __m256 result = _mm256_setzero_ps();
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *weights = group.weights + b * kind.bytes;
        size_t block = t * blocks + b;
        if (t == 0) {
            // The first pass over a group fetches the next one, in the order of addresses.
            size_t next = GROUP_ROWS * (group.stride + b * kind.bytes);
            prefetch(group.weights + next, GROUP_ROWS * kind.bytes);
        }
        __m256i input = _mm256_loadu_si256((const __m256i *)(p->quants + block * 32));
        __m256i rows[GROUP_ROWS];
        for (int row = 0; row < GROUP_ROWS; row++) {
            rows[row] = kind.sums(weights + 2 + row * group.stride, input);
        }
        __m256i correction = _mm256_set1_epi32(kind.bias * p->sums[block]);
        __m256 sums = _mm256_cvtepi32_ps(_mm256_sub_epi32(transposed_sum(rows), correction));
        __m256 scales = _mm256_cvtph_ps(eight_halves(weights, group.stride));
        __m256 scale = _mm256_mul_ps(scales, _mm256_set1_ps(p->scales[block]));
        result = _mm256_fmadd_ps(scale, sums, result);
    }
    float results[GROUP_ROWS];
    _mm256_storeu_ps(results, result);
    memcpy(group.out + t * p->output_stride, results, group.count * sizeof *results);
}

INLINE void quantized_product(struct block_kind kind, const struct martlet_product *p) {
    size_t stride = p->columns / 32 * kind.bytes;
    const uint8_t *weights = p->weights;
    size_t row = 0;
    for (; row + GROUP_ROWS <= p->rows; row += GROUP_ROWS) {
        struct row_group group = {weights + row * stride, stride, GROUP_ROWS, p->out + row};
        for (size_t t = 0; t < p->inputs; t++) {
            quantized_group(kind, group, p, t);
        }
    }
    for (; row < p->rows; row++) {
        // What remains goes row by row: a group of the same row eight times.
        struct row_group group = {weights + row * stride, 0, 1, p->out + row};
        for (size_t t = 0; t < p->inputs; t++) {
            quantized_group(kind, group, p, t);
        }
    }
}

static void product_q8_0(const struct martlet_product *p) {
    quantized_product((struct block_kind){q8_0_sums, 0, 34}, p);
}

static void product_q4_0(const struct martlet_product *p) {
    quantized_product((struct block_kind){q4_0_sums, 8, 18}, p);
}

#pragma clang attribute pop

const struct martlet_kernels martlet_avx2_kernels = {
#include "table_entries.h"
};
#endif
