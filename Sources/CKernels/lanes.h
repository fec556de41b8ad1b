// Sixteen lanes of fp32 as the compiler's vector type. Each unit includes this under its own
// target attribute: one register with AVX-512, two with AVX2, four with SSE2 or NEON, and the same
// bits from all of them.
#pragma once
#include <stdint.h>
#include <string.h>

// These functions are always inlined, so no vector crosses a call and its ABI does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define LANES 16
#define INLINE static inline __attribute__((always_inline, unused))

typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t integer_lanes __attribute__((vector_size(LANES * 4)));
typedef uint32_t unsigned_lanes __attribute__((vector_size(LANES * 4)));
typedef int8_t byte_lanes __attribute__((vector_size(LANES)));
typedef uint16_t short_lanes __attribute__((vector_size(LANES * 2)));
typedef float lanes8 __attribute__((vector_size(32)));
typedef float lanes4 __attribute__((vector_size(16)));

INLINE lanes lanes_of(float value) {
    return (lanes){0} + value;
}

INLINE lanes lanes_load(const float *values) {
    lanes result;
    memcpy(&result, values, sizeof result);
    return result;
}

// The first `count` < 16 lanes from `values`, the others `fill`.
INLINE lanes lanes_load_part(const float *values, size_t count, float fill) {
    lanes result = lanes_of(fill);
    memcpy(&result, values, count * sizeof *values);
    return result;
}

INLINE void lanes_store(float *values, lanes lanes) {
    memcpy(values, &lanes, sizeof lanes);
}

INLINE void lanes_store_part(float *values, size_t count, lanes lanes) {
    memcpy(values, &lanes, count * sizeof *values);
}

// a * b + c with one rounding.
INLINE lanes lanes_fma(lanes a, lanes b, lanes c) {
    return __builtin_elementwise_fma(a, b, c);
}

// mask's lanes are all ones or all zeros.
INLINE lanes lanes_select(integer_lanes mask, lanes yes, lanes no) {
    return (lanes)((mask & (integer_lanes)yes) | (~mask & (integer_lanes)no));
}

// j and j + 8, j and j + 4, j and j + 2, j and j + 1.
INLINE float lanes_sum(lanes a) {
    lanes8 eight = __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7)
        + __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
    lanes4 four = __builtin_shufflevector(eight, eight, 0, 1, 2, 3)
        + __builtin_shufflevector(eight, eight, 4, 5, 6, 7);
    return (four[0] + four[2]) + (four[1] + four[3]);
}

INLINE float lanes_max(lanes a) {
    float largest = a[0];
    for (int lane = 1; lane < LANES; lane++) {
        largest = a[lane] > largest ? a[lane] : largest;
    }
    return largest;
}

// e^x for every x: 0 and infinity beyond the range of fp32, subnormal results rounded once, NaN
// for NaN; otherwise within 1 ulp. x = n ln 2 + r with the nearest integer n (Cody and Waite), a
// polynomial for e^r (Cephes' coefficients), and the power of two in two exact steps.
INLINE lanes lanes_exp(lanes x) {
    const float rounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
    x = lanes_select(x > lanes_of(89.0f), lanes_of(89.0f), x);
    x = lanes_select(x < lanes_of(-104.0f), lanes_of(-104.0f), x);
    lanes shifted = lanes_fma(x, lanes_of(0x1.715476p+0f), lanes_of(rounder));
    lanes n = shifted - rounder;
    // The high part of ln 2 has few enough bits that n times it is exact.
    lanes r = lanes_fma(-n, lanes_of(0.693359375f), x);
    r = lanes_fma(-n, lanes_of(-2.12194440e-4f), r);
    lanes p = lanes_fma(lanes_of(1.9875691500e-4f), r, lanes_of(1.3981999507e-3f));
    p = lanes_fma(p, r, lanes_of(8.3334519073e-3f));
    p = lanes_fma(p, r, lanes_of(4.1665795894e-2f));
    p = lanes_fma(p, r, lanes_of(1.6666665459e-1f));
    p = lanes_fma(p, r, lanes_of(0.5f));
    p = lanes_fma(p, r, lanes_of(1.0f));
    p = lanes_fma(p, r, lanes_of(1.0f));
    integer_lanes exponent = (integer_lanes)shifted - (integer_lanes)lanes_of(rounder);
    integer_lanes half = exponent >> 1;
    lanes first = (lanes)((unsigned_lanes)(half + 127) << 23);
    lanes second = (lanes)((unsigned_lanes)(exponent - half + 127) << 23);
    return p * first * second;
}
