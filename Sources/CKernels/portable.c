// The kernels in plain C, for any machine.
#pragma clang fp contract(off)
#include "tables.h"

#include "float_products.h"

#include "dequantize.h"
#include "row_kernels.h"
#include "attention.h"
#include "attention_store.h"

static float half_to_float(const uint8_t *bytes) {
    short_lanes bits = {(uint16_t)(bytes[0] | bytes[1] << 8)};
    return lanes_from_half(bits)[0];
}

INLINE int32_t q8_0_sum(const uint8_t *quants, const int8_t *inputs) {
    int32_t sum = 0;
    for (int i = 0; i < 32; i++) {
        sum += (int8_t)quants[i] * inputs[i];
    }
    return sum;
}

INLINE int32_t q4_0_sum(const uint8_t *quants, const int8_t *inputs) {
    int32_t sum = 0;
    for (int i = 0; i < 16; i++) {
        sum += ((quants[i] & 15) - 8) * inputs[i] + ((quants[i] >> 4) - 8) * inputs[i + 16];
    }
    return sum;
}

typedef int32_t (*block_sum)(const uint8_t *quants, const int8_t *inputs);

INLINE float quantized_dot(
    block_sum sum, size_t block_bytes, const uint8_t *row, const struct martlet_product *p,
    size_t t
) {
    size_t blocks = p->columns / 32;
    float result = 0;
    for (size_t b = 0; b < blocks; b++) {
        const uint8_t *block = row + b * block_bytes;
        float scale = half_to_float(block) * p->scales[t * blocks + b];
        int32_t integer = sum(block + 2, p->quants + t * p->columns + b * 32);
        result = __builtin_fmaf(scale, (float)integer, result);
    }
    return result;
}

INLINE void quantized_product(
    block_sum sum, size_t block_bytes, const struct martlet_product *p
) {
    for (size_t row = 0; row < p->rows; row++) {
        const uint8_t *weights = (const uint8_t *)p->weights + row * p->columns / 32 * block_bytes;
        for (size_t t = 0; t < p->inputs; t++) {
            p->out[t * p->output_stride + row] = quantized_dot(sum, block_bytes, weights, p, t);
        }
    }
}

static void product_q8_0(const struct martlet_product *p) {
    quantized_product(q8_0_sum, 34, p);
}

static void product_q4_0(const struct martlet_product *p) {
    quantized_product(q4_0_sum, 18, p);
}

const struct martlet_kernels martlet_portable_kernels = {
#include "table_entries.h"
};
