// What products with few and with many inputs share: groups of rows, and the arithmetic of a block.
#pragma once
#include "panels.h"

// Where a product's rows start, and how far apart they are. Packed rows are rows of the panel that
// starts at `weights`, from `lane` on.
struct row_group {
    const uint8_t *weights;
    size_t stride;
    size_t lane;
    float *out;
    // Outputs that are written: all lanes, or the first.
    size_t count;
};

INLINE int32_t word_at(const int8_t *bytes) {
    int32_t word;
    memcpy(&word, bytes, sizeof word);
    return word;
}

INLINE ints dot_block_word(struct panel_format format, ints sum, ints words, int32_t input) {
    return format.bytewise ? dot_bytes(sum, words, input) : dot_small(sum, words, input);
}

// acc = fma(scale * input scale, sum, acc), then fma(minimum * input scale, -sum of inputs, acc).
INLINE floats add_scaled_sum(
    struct panel_format format, const struct panel_block *block, ints sum, float scale,
    int32_t input_sum, floats result
) {
    floats product = __builtin_convertvector(sum, floats);
    result = __builtin_elementwise_fma(block->scale * scale, product, result);
    if (format.minimums) {
        result = __builtin_elementwise_fma(
            block->minimum * scale, floats_of((float)-input_sum), result);
    }
    return result;
}

// The group that starts `rows` rows after `group`.
INLINE struct row_group rows_after(
    struct panel_format format, struct row_group group, size_t rows
) {
    size_t row = group.lane + rows;
    size_t lane = format.packed ? row % MARTLET_PANEL_ROWS : 0;
    group.weights += (row - lane) * group.stride;
    group.lane = lane;
    group.out += rows;
    return group;
}

// The group's stored block number `index`.
INLINE struct stored stored_block(
    struct panel_format format, struct row_group group, size_t index
) {
    size_t rows = format.packed ? MARTLET_PANEL_ROWS : 1;
    return (struct stored){
        group.weights + rows * index * format.bytes, group.stride, group.lane, format.packed};
}

// Fetches only into the second cache: two groups of rows are more than the first one holds.
INLINE void prefetch_to_second(const uint8_t *address, size_t bytes) {
    for (size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(address + line, 0, 2);
    }
}

// Fetches into the first cache what is read next.
INLINE void prefetch_to_first(const uint8_t *address, size_t bytes) {
    for (size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(address + line, 0, 3);
    }
}
