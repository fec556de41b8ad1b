// The kernels for AVX2, for a unit that has set its target attributes. One whose target has VNNI
// defines UNIT_HAS_VNNI.
#pragma once
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
// Eight weight rows at a time, one per lane; sixteen registers hold small tiles only.
#define ROWS 8
#define TILE_INPUTS 4
#define TILE_VECTORS 1
#include "x86_rows.h"

INLINE void load_words(const uint8_t *bytes, size_t stride, __v8si words[4]) {
    __m256i rows[4];
    for (int i = 0; i < 4; i++) {
        const uint8_t *row = bytes + (size_t)i * stride;
        __m256i two = _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)row));
        __m128i next = _mm_loadu_si128((const __m128i *)(row + 4 * stride));
        rows[i] = _mm256_inserti128_si256(two, next, 1);
    }
    // Within each 128-bit part, four rows of four words become four words of four rows.
    __m256i a = _mm256_unpacklo_epi32(rows[0], rows[1]);
    __m256i b = _mm256_unpackhi_epi32(rows[0], rows[1]);
    __m256i c = _mm256_unpacklo_epi32(rows[2], rows[3]);
    __m256i d = _mm256_unpackhi_epi32(rows[2], rows[3]);
    words[0] = (__v8si)_mm256_unpacklo_epi64(a, c);
    words[1] = (__v8si)_mm256_unpackhi_epi64(a, c);
    words[2] = (__v8si)_mm256_unpacklo_epi64(b, d);
    words[3] = (__v8si)_mm256_unpackhi_epi64(b, d);
}

INLINE __v8sf load_halves(const uint8_t *bytes, size_t stride) {
    return (__v8sf)_mm256_cvtph_ps(eight_halves(bytes, stride));
}

INLINE __v8sf load_packed_halves(const uint8_t *bytes) {
    return (__v8sf)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)bytes));
}

INLINE __v8sf floats_from_halves(__v8si words) {
    __m128i low = _mm256_castsi256_si128((__m256i)words);
    __m128i high = _mm256_extracti128_si256((__m256i)words, 1);
    return (__v8sf)_mm256_cvtph_ps(_mm_packus_epi32(low, high));
}

INLINE __v8si look_up(const uint8_t table[16], __v8si nibbles) {
    __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table));
    return (__v8si)_mm256_shuffle_epi8(entries, (__m256i)nibbles);
}

#ifdef UNIT_HAS_VNNI
INLINE __v8si dot_small(__v8si sum, __v8si words, int32_t input) {
    return (__v8si)_mm256_dpbusd_avx_epi32(
        (__m256i)sum, (__m256i)words, _mm256_set1_epi32(input));
}
#define dot_bytes dot_small

// The instruction takes unsigned weights.
#define SIGNED_BIAS 128
INLINE __v8si from_signed(__v8si words) {
    return words ^ (int32_t)0x80808080;
}
#else
INLINE __v8si add_fours(__v8si sum, __m256i pairs) {
    return sum + (__v8si)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

INLINE __v8si dot_small(__v8si sum, __v8si words, int32_t input) {
    return add_fours(sum, _mm256_maddubs_epi16((__m256i)words, _mm256_set1_epi32(input)));
}

// maddubs wants one unsigned factor: |w| * (x with w's sign). The sum of two products is at most
// 2 * 128 * 127, which fits in 16 bits.
INLINE __v8si dot_bytes(__v8si sum, __v8si words, int32_t input) {
    __m256i weights = (__m256i)words;
    __m256i inputs = _mm256_sign_epi8(_mm256_set1_epi32(input), weights);
    return add_fours(sum, _mm256_maddubs_epi16(_mm256_sign_epi8(weights, weights), inputs));
}

#define SIGNED_BIAS 0
INLINE __v8si from_signed(__v8si words) {
    return words;
}
#endif

#include "panel_products.h"
