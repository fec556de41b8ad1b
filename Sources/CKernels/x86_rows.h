// What the x86 units share to read several rows of quantised weights at once.
#pragma once
#include "lanes.h"

INLINE int16_t load_short(const uint8_t *bytes) {
    int16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

// The half-precision numbers at `block` and the same place in the next seven rows. Not gathered:
// gathers are slow on AMD's processors and, since the microcode against Downfall, on many of
// Intel's.
INLINE __m128i eight_halves(const uint8_t *block, size_t stride) {
    __m128i halves = _mm_loadu_si16(block);
    const uint8_t *middle = block + 4 * stride;
    halves = _mm_insert_epi16(halves, load_short(block + stride), 1);
    halves = _mm_insert_epi16(halves, load_short(block + 2 * stride), 2);
    halves = _mm_insert_epi16(halves, load_short(block + 3 * stride), 3);
    halves = _mm_insert_epi16(halves, load_short(middle), 4);
    halves = _mm_insert_epi16(halves, load_short(middle + stride), 5);
    halves = _mm_insert_epi16(halves, load_short(middle + 2 * stride), 6);
    return _mm_insert_epi16(halves, load_short(middle + 3 * stride), 7);
}
