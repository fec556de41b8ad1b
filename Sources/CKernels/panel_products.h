// Products of quantised weights, compiled once per unit over its panels (panels.h).
//
// Few inputs: each block is unpacked in registers and multiplied with all of them. Many inputs: a
// stretch of rows is unpacked into a small panel in the first or second cache, over which tiles of
// inputs and rows then run. Both add an output's blocks in sequence, so they give the same bits.
#pragma once
#include "panel_tiles.h"

// Inputs that share one unpacking in registers.
#define INPUTS_PER_PASS 4
// How far ahead packed rows are fetched from memory into the second cache, and from there into the
// first.
#define PACKED_FAR 4096
#define PACKED_NEAR 1024

// The exact sum of integer products of a block of each row and an input's.
INLINE ints block_sum(
    struct panel_format format, const struct panel_block *block, const int8_t *quants,
    const int32_t sums[2]
) {
    ints first, second;
    if (format.halves) {
        first = ints_of(-format.bias * sums[0]);
        second = ints_of(-format.bias * sums[1]);
    } else {
        first = ints_of(-format.bias * (sums[0] + sums[1]));
        second = ints_of(0);
    }
    for (int i = 0; i < 4; i++) {
        first = dot_block_word(format, first, block->weights[i], word_at(quants + 4 * i));
        second = dot_block_word(
            format, second, block->weights[i + 4], word_at(quants + 16 + 4 * i));
    }
    if (format.halves) {
        first *= block->halves[0];
        second *= block->halves[1];
    }
    return first + second;
}

// A pass of a few inputs over a group of rows.
struct pass {
    struct panel_format format;
    const struct martlet_product *product;
    size_t first;
    size_t inputs;
    floats results[INPUTS_PER_PASS];
};

INLINE void add_block(void *context, size_t index, const struct panel_block *block) {
    struct pass *pass = context;
    const struct martlet_product *p = pass->product;
    for (size_t t = 0; t < pass->inputs; t++) {
        size_t at = (pass->first + t) * (p->columns / 32) + index;
        const int32_t *sums = p->sums + 2 * at;
        ints sum = block_sum(pass->format, block, p->quants + 32 * at, sums);
        pass->results[t] = add_scaled_sum(
            pass->format, block, sum, p->scales[at], sums[0] + sums[1], pass->results[t]);
    }
}

// The first pass over a group fetches what comes after its stored block `index`.
INLINE void prefetch_after(
    struct panel_format format, struct row_group group, struct stored block, size_t index
) {
    if (!format.packed) {
        // The next group's rows, in the order of addresses.
        prefetch_to_second(
            group.weights + ROWS * (group.stride + index * format.bytes), ROWS * format.bytes);
    } else if (group.lane == 0) {
        // Read in the order of addresses, which processors see, but not far enough ahead. Later
        // lanes' groups find the panel in the cache.
        size_t bytes = MARTLET_PANEL_ROWS * format.bytes;
        prefetch_to_second(block.bytes + PACKED_FAR, bytes);
        prefetch_to_first(block.bytes + PACKED_NEAR, bytes);
    }
}

INLINE void few_inputs(
    struct panel_format format, struct row_group group, const struct martlet_product *p,
    size_t first, size_t inputs
) {
    struct pass pass = {format, p, first, inputs, {{0}}};
    size_t stored = p->columns / 32 / format.blocks;
    for (size_t b = 0; b < stored; b++) {
        struct stored block = stored_block(format, group, b);
        if (first == 0) {
            prefetch_after(format, group, block, b);
        }
        format.unpack(block, b * format.blocks, add_block, &pass);
    }
    for (size_t t = 0; t < inputs; t++) {
        memcpy(
            group.out + (first + t) * p->output_stride, &pass.results[t],
            group.count * sizeof(float));
    }
}

INLINE void all_inputs_in_passes(
    struct panel_format format, struct row_group group, const struct martlet_product *p
) {
    size_t t = 0;
    for (; t + INPUTS_PER_PASS <= p->inputs; t += INPUTS_PER_PASS) {
        few_inputs(format, group, p, t, INPUTS_PER_PASS);
    }
    // The number of inputs is a constant in each branch, so that results stay in registers.
    switch (p->inputs - t) {
    case 3:
        return few_inputs(format, group, p, t, 3);
    case 2:
        return few_inputs(format, group, p, t, 2);
    case 1:
        return few_inputs(format, group, p, t, 1);
    }
}

// A group whose first row is `row`.
INLINE struct row_group group_at(
    struct panel_format format, const struct martlet_product *p, size_t row
) {
    size_t stride = p->columns / 32 / format.blocks * format.bytes;
    struct row_group first = {p->weights, stride, 0, p->out, ROWS};
    return rows_after(format, first, row);
}

// Row by row: a group of the same row, of which the first lane counts.
INLINE void few_rows(struct panel_format format, const struct martlet_product *p) {
    for (size_t row = 0; row < p->rows; row++) {
        struct row_group group = group_at(format, p, row);
        group.stride = 0;
        group.count = 1;
        all_inputs_in_passes(format, group, p);
    }
}

INLINE void panel_product(struct panel_format format, const struct martlet_product *p) {
    if (p->rows < ROWS) {
        return few_rows(format, p);
    }
    size_t row = 0;
    if (p->inputs <= INPUTS_PER_PASS) {
        for (; row + ROWS <= p->rows; row += ROWS) {
            all_inputs_in_passes(format, group_at(format, p, row), p);
        }
        if (row < p->rows) {
            // The last group overlaps the one before: the same bits twice.
            all_inputs_in_passes(format, group_at(format, p, p->rows - ROWS), p);
        }
        return;
    }
    struct panel_block panel[TILE_VECTORS * PANEL_BLOCKS];
    for (; row + TILE_VECTORS * ROWS <= p->rows; row += TILE_VECTORS * ROWS) {
        many_inputs(format, group_at(format, p, row), p, TILE_VECTORS, panel);
    }
    for (; row + ROWS <= p->rows; row += ROWS) {
        many_inputs(format, group_at(format, p, row), p, 1, panel);
    }
    if (row < p->rows) {
        many_inputs(format, group_at(format, p, p->rows - ROWS), p, 1, panel);
    }
}

// As published, or packed: then the rows are whole panels.
INLINE void product_of(struct panel_format format, const struct martlet_product *p) {
    if (p->packed) {
        format.packed = true;
        return panel_product(format, p);
    }
    panel_product(format, p);
}

static void product_q8_0(const struct martlet_product *p) {
    product_of(format_q8_0, p);
}

static void product_q4_0(const struct martlet_product *p) {
    product_of(format_q4_0, p);
}

static void product_q4_k(const struct martlet_product *p) {
    product_of(format_q4_k, p);
}

static void product_q5_k(const struct martlet_product *p) {
    product_of(format_q5_k, p);
}

static void product_q6_k(const struct martlet_product *p) {
    product_of(format_q6_k, p);
}

static void product_mxfp4(const struct martlet_product *p) {
    product_of(format_mxfp4, p);
}

// Sums that multiply_ceiling keeps going at once: a tile's.
#define CEILING_SUMS (TILE_INPUTS * TILE_VECTORS)

static size_t multiply_ceiling(size_t rounds, int32_t *sum) {
    ints sums[CEILING_SUMS], words[CEILING_SUMS];
    for (int i = 0; i < CEILING_SUMS; i++) {
        sums[i] = ints_of(0);
        words[i] = ints_of(0x01010101 * i);
    }
    for (size_t round = 0; round < rounds; round++) {
        for (int i = 0; i < CEILING_SUMS; i++) {
            sums[i] = dot_small(sums[i], words[i], (int32_t)round);
        }
    }
    for (int i = 1; i < CEILING_SUMS; i++) {
        sums[0] += sums[i];
    }
    *sum = sums[0][0];
    return rounds * CEILING_SUMS * ROWS * 8;
}
