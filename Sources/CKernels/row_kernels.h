// The kernels over rows of fp32 numbers, compiled once per unit. CKernels.h says what they compute.
#pragma once
#include <math.h>

#include "lanes.h"

static float row_dot(const float *a, const float *b, size_t count) {
    lanes sums = lanes_of(0);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        sums = lanes_fma(lanes_load(a + i), lanes_load(b + i), sums);
    }
    if (i < count) {
        lanes last = lanes_load_part(a + i, count - i, 0);
        sums = lanes_fma(last, lanes_load_part(b + i, count - i, 0), sums);
    }
    return lanes_sum(sums);
}

static void row_add_scaled(float *out, float scale, const float *x, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes_store(out + i, lanes_fma(lanes_of(scale), lanes_load(x + i), lanes_load(out + i)));
    }
    if (i < count) {
        lanes last = lanes_load_part(out + i, count - i, 0);
        last = lanes_fma(lanes_of(scale), lanes_load_part(x + i, count - i, 0), last);
        lanes_store_part(out + i, count - i, last);
    }
}

static float row_max(const float *row, size_t count) {
    lanes largest = lanes_of(row[0]);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes next = lanes_load(row + i);
        largest = lanes_select(next > largest, next, largest);
    }
    if (i < count) {
        lanes next = lanes_load_part(row + i, count - i, row[0]);
        largest = lanes_select(next > largest, next, largest);
    }
    return lanes_max(largest);
}

static void row_softmax(float *row, size_t count) {
    if (count == 0) {
        return;
    }
    float largest = row_max(row, count);
    lanes sums = lanes_of(0);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes e = lanes_exp(lanes_load(row + i) - largest);
        lanes_store(row + i, e);
        sums += e;
    }
    if (i < count) {
        // exp(-infinity) = 0: the padding adds nothing.
        lanes e = lanes_exp(lanes_load_part(row + i, count - i, -INFINITY) - largest);
        lanes_store_part(row + i, count - i, e);
        sums += e;
    }
    float reciprocal = 1.0f / lanes_sum(sums);
    for (i = 0; i < count; i++) {
        row[i] *= reciprocal;
    }
}

static void row_swiglu(const float *gate, const float *up, float *out, size_t count) {
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        lanes g = lanes_load(gate + i);
        lanes_store(out + i, g / (lanes_exp(-g) + 1.0f) * lanes_load(up + i));
    }
    if (i < count) {
        lanes g = lanes_load_part(gate + i, count - i, 0);
        lanes last = g / (lanes_exp(-g) + 1.0f) * lanes_load_part(up + i, count - i, 0);
        lanes_store_part(out + i, count - i, last);
    }
}

static void row_rms_norm(
    const float *x, const float *weight, float epsilon, size_t rows, size_t columns, float *out
) {
    for (size_t row = 0; row < rows; row++, x += columns, out += columns) {
        float mean = row_dot(x, x, columns) / (float)columns;
        float scale = 1.0f / __builtin_sqrtf(mean + epsilon);
        for (size_t i = 0; i < columns; i++) {
            out[i] = x[i] * scale * weight[i];
        }
    }
}

INLINE void quantize_block(const float *values, int8_t *quants, float *scale, int32_t *sums) {
    lanes low = lanes_load(values);
    lanes high = lanes_load(values + LANES);
    // As integers, magnitudes compare as they do as numbers, and NaN is the largest.
    integer_lanes larger = __builtin_elementwise_max(
        (integer_lanes)low & INT32_MAX, (integer_lanes)high & INT32_MAX);
    int32_t bits = __builtin_reduce_max(larger);
    float largest;
    memcpy(&largest, &bits, sizeof largest);
    if (!(largest >= 0x1p-120f && largest < INFINITY)) {
        *scale = largest < 0x1p-120f ? 0 : NAN;
        sums[0] = sums[1] = 0;
        memset(quants, 0, 32);
        return;
    }
    *scale = largest / 127.0f;
    float inverse = 127.0f / largest;
    const float rounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
    integer_lanes q = __builtin_convertvector(low * inverse + rounder - rounder, integer_lanes);
    integer_lanes r = __builtin_convertvector(high * inverse + rounder - rounder, integer_lanes);
    sums[0] = __builtin_reduce_add(q);
    sums[1] = __builtin_reduce_add(r);
    byte_lanes first = __builtin_convertvector(q, byte_lanes);
    byte_lanes second = __builtin_convertvector(r, byte_lanes);
    memcpy(quants, &first, sizeof first);
    memcpy(quants + LANES, &second, sizeof second);
}

static void row_quantize(
    const float *values, size_t blocks, int8_t *quants, float *scales, int32_t *sums
) {
    for (size_t b = 0; b < blocks; b++) {
        quantize_block(values + 32 * b, quants + 32 * b, scales + b, sums + 2 * b);
    }
}
