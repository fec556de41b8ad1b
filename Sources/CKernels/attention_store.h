// Storing keys and values in the tiles of a paged cache, compiled once per unit after attention.h.
#pragma once
#include "attention.h"

// Sixteen numbers of a row of `size`, then zeros.
INLINE lanes row_part(const float *row, size_t size, size_t first) {
    if (first + LANES <= size) {
        return lanes_load(row + first);
    }
    return first < size ? lanes_load_part(row + first, size - first, 0) : lanes_of(0);
}

// A row's numbers in blocks of 32 bytes; what a last block lacks is zero.
INLINE void bytes_of_block(
    const float *row, size_t size, size_t first, int8_t *quants, float *scale
) {
    float block[32];
    int32_t sum;
    lanes_store(block, row_part(row, size, first));
    lanes_store(block + LANES, row_part(row, size, first + LANES));
    quantize_block(block, quants, scale, &sum);
}

static void store_key(
    const struct martlet_tile *t, const float *key, size_t position, uint8_t *tile
) {
    size_t size = t->key_size;
    if (t->precision == MARTLET_TILE_F32) {
        float *keys = (float *)tile + position;
        for (size_t k = 0; k < size; k++) {
            keys[k * TILE] = key[k];
        }
    } else if (t->precision == MARTLET_TILE_F16) {
        uint16_t *keys = (uint16_t *)tile + position;
        for (size_t k = 0; k < size; k += LANES) {
            short_lanes halves = lanes_to_half(row_part(key, size, k));
            for (size_t i = 0; i < LANES && k + i < size; i++) {
                keys[(k + i) * TILE] = halves[i];
            }
        }
    } else {
        int8_t *keys = (int8_t *)tile + position;
        float *scales = (float *)(tile + rounded_up(size, 32) * TILE) + position;
        for (size_t k = 0; k < size; k += 32) {
            int8_t quants[32];
            bytes_of_block(key, size, k, quants, scales + k / 32 * TILE);
            for (size_t i = 0; i < 32; i++) {
                keys[(k + i) * TILE] = quants[i];
            }
        }
    }
}

static void store_value(
    const struct martlet_tile *t, const float *value, size_t position, uint8_t *values
) {
    size_t size = t->value_size;
    size_t columns = rounded_up(size, LANES);
    if (t->precision == MARTLET_TILE_F32) {
        float *row = (float *)values + position * columns;
        for (size_t n = 0; n < columns; n += LANES) {
            lanes_store(row + n, row_part(value, size, n));
        }
    } else if (t->precision == MARTLET_TILE_F16) {
        uint16_t *row = (uint16_t *)values + position * columns;
        for (size_t n = 0; n < columns; n += LANES) {
            short_lanes halves = lanes_to_half(row_part(value, size, n));
            memcpy(row + n, &halves, sizeof halves);
        }
    } else {
        size_t width = rounded_up(size, 32);
        float *scales = (float *)(values + width * TILE) + position * (width / 32);
        for (size_t n = 0; n < size; n += 32) {
            bytes_of_block(
                value, size, n, (int8_t *)values + position * width + n, scales + n / 32);
        }
    }
}

static void row_store(
    const struct martlet_tile *t, const float *key, const float *value, size_t position,
    void *tile
) {
    store_key(t, key, position, tile);
    if (!t->values_are_keys) {
        store_value(t, value, position, (uint8_t *)tile + t->key_bytes);
    }
}
