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

// Sixteen weight rows at a time, one per lane.
#define ROWS 16
#include "x86_rows.h"

INLINE void load_words(const uint8_t *bytes, size_t stride, __v16si words[4]) {
    __m512i rows[4];
    for (int i = 0; i < 4; i++) {
        const uint8_t *row = bytes + (size_t)i * stride;
        __m512i four = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)row));
        for (int part = 1; part < 4; part++) {
            row += 4 * stride;
            __m128i next = _mm_loadu_si128((const __m128i *)row);
            four = _mm512_mask_broadcast_i32x4(four, (__mmask16)(15 << (4 * part)), next);
        }
        rows[i] = four;
    }
    // Within each 128-bit part, four rows of four words become four words of four rows.
    __m512i a = _mm512_unpacklo_epi32(rows[0], rows[1]);
    __m512i b = _mm512_unpackhi_epi32(rows[0], rows[1]);
    __m512i c = _mm512_unpacklo_epi32(rows[2], rows[3]);
    __m512i d = _mm512_unpackhi_epi32(rows[2], rows[3]);
    words[0] = (__v16si)_mm512_unpacklo_epi64(a, c);
    words[1] = (__v16si)_mm512_unpackhi_epi64(a, c);
    words[2] = (__v16si)_mm512_unpacklo_epi64(b, d);
    words[3] = (__v16si)_mm512_unpackhi_epi64(b, d);
}

INLINE __v16sf load_halves(const uint8_t *bytes, size_t stride) {
    __m128i low = eight_halves(bytes, stride);
    __m128i high = eight_halves(bytes + 8 * stride, stride);
    return (__v16sf)_mm512_cvtph_ps(_mm256_set_m128i(high, low));
}

INLINE __v16sf load_packed_halves(const uint8_t *bytes) {
    return (__v16sf)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)bytes));
}

INLINE __v16sf floats_from_halves(__v16si words) {
    return (__v16sf)_mm512_cvtph_ps(_mm512_cvtepi32_epi16((__m512i)words));
}

INLINE __v16si look_up(const uint8_t table[16], __v16si nibbles) {
    __m512i entries = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table));
    return (__v16si)_mm512_shuffle_epi8(entries, (__m512i)nibbles);
}

INLINE __v16si dot_small(__v16si sum, __v16si words, int32_t input) {
    return (__v16si)_mm512_dpbusd_epi32(
        (__m512i)sum, (__m512i)words, _mm512_set1_epi32(input));
}
#define dot_bytes dot_small

// The instruction takes unsigned weights.
#define SIGNED_BIAS 128
INLINE __v16si from_signed(__v16si words) {
    return words ^ (int32_t)0x80808080;
}

#include "panel_products.h"

#pragma clang attribute pop

const struct martlet_kernels martlet_avx512_kernels = {
#include "table_entries.h"
};
#endif
