// Products of quantised weights, compiled once per unit over its panels (panels.h).
//
// Few inputs: each block is unpacked in registers and multiplied with all of them. Many inputs: a
// stretch of rows is unpacked into a small panel in the first or second cache, over which tiles of
// inputs and rows then run. Both add an output's blocks in sequence, so they give the same bits.
#pragma once
#include "panels.h"

// Inputs that share one unpacking in registers.
#define INPUTS_PER_PASS 4
// Columns of a panel: what is unpacked at once. With two vectors of rows it fits the second cache
// of every machine, and the first of those with 48 KiB.
#define PANEL_BLOCKS 32
// A unit with few registers defines smaller tiles.
#ifndef TILE_INPUTS
#define TILE_INPUTS 6
#define TILE_VECTORS 2
#endif

// Where a product's rows start, and how far apart they are.
struct row_group {
    const uint8_t *weights;
    size_t stride;
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

// Fetches only into the second cache: two groups of rows are more than the first one holds.
INLINE void prefetch_block(const uint8_t *address, size_t bytes) {
    for (size_t line = 0; line < bytes; line += 64) {
        __builtin_prefetch(address + line, 0, 2);
    }
}

INLINE void few_inputs(
    struct panel_format format, struct row_group group, const struct martlet_product *p,
    size_t first, size_t inputs
) {
    struct pass pass = {format, p, first, inputs, {{0}}};
    size_t stored = p->columns / 32 / format.blocks;
    for (size_t b = 0; b < stored; b++) {
        const uint8_t *block = group.weights + b * format.bytes;
        if (first == 0) {
            // The first pass over a group fetches the next one, in the order of addresses.
            prefetch_block(
                group.weights + ROWS * (group.stride + b * format.bytes), ROWS * format.bytes);
        }
        format.unpack(block, group.stride, b * format.blocks, add_block, &pass);
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
    for (; t + 2 <= p->inputs; t += 2) {
        few_inputs(format, group, p, t, 2);
    }
    for (; t < p->inputs; t++) {
        few_inputs(format, group, p, t, 1);
    }
}

// Unpacked blocks of some vectors of rows: vector v's from v * PANEL_BLOCKS on.
struct panel {
    struct panel_block *blocks;
    size_t first;
};

INLINE void keep_block(void *context, size_t index, const struct panel_block *block) {
    struct panel *panel = context;
    panel->blocks[index - panel->first] = *block;
}

INLINE void fill_panel(
    struct panel_format format, const uint8_t *weights, size_t stride, size_t first, size_t count,
    struct panel_block *blocks
) {
    struct panel panel = {blocks, first};
    for (size_t b = first; b < first + count; b += format.blocks) {
        const uint8_t *stored = weights + b / format.blocks * format.bytes;
        for (size_t row = 0; row < ROWS; row++) {
            // The same blocks of the next panel's rows.
            prefetch_block(stored + (TILE_VECTORS * ROWS + row) * stride, format.bytes);
        }
        format.unpack(stored, stride, b, keep_block, &panel);
    }
}

// A tile's inputs and rows: the products of `inputs` inputs from `t` on and `vectors` vectors of
// rows.
struct tile {
    struct panel_format format;
    const struct martlet_product *product;
    struct row_group group;
    size_t t;
    size_t inputs;
    size_t vectors;
};

typedef ints tile_sums[TILE_INPUTS][TILE_VECTORS];

// Adds to `sums` the products of half a block, vectors `word` to `word` + 3.
INLINE void add_words(
    struct tile tile, const struct panel_block *panel, const int8_t *quants, int word,
    tile_sums sums
) {
    for (int i = word; i < word + 4; i++) {
        ints weights[TILE_VECTORS];
        for (size_t v = 0; v < tile.vectors; v++) {
            weights[v] = panel[v * PANEL_BLOCKS].weights[i];
        }
        for (size_t t = 0; t < tile.inputs; t++) {
            int32_t input = word_at(quants + t * tile.product->columns + 4 * i);
            for (size_t v = 0; v < tile.vectors; v++) {
                sums[t][v] = dot_block_word(tile.format, sums[t][v], weights[v], input);
            }
        }
    }
}

// Sets all of a tile's sums to what corrects the bias of half a block, or of a whole one.
INLINE void start_sums(struct tile tile, const int32_t *input_sums, int half, tile_sums sums) {
    for (size_t t = 0; t < tile.inputs; t++) {
        const int32_t *halves = input_sums + t * (tile.product->columns / 16);
        int32_t sum = tile.format.halves ? halves[half] : halves[0] + halves[1];
        for (size_t v = 0; v < tile.vectors; v++) {
            sums[t][v] = ints_of(-tile.format.bias * sum);
        }
    }
}

// Adds block `index` of the row to a tile's results.
INLINE void add_tile_block(
    struct tile tile, const struct panel_block *panel, size_t index,
    floats results[TILE_INPUTS][TILE_VECTORS]
) {
    size_t blocks = tile.product->columns / 32;
    size_t at = tile.t * blocks + index;
    const int8_t *quants = tile.product->quants + 32 * at;
    const int32_t *input_sums = tile.product->sums + 2 * at;
    tile_sums sums;
    start_sums(tile, input_sums, 0, sums);
    add_words(tile, panel, quants, 0, sums);
    if (tile.format.halves) {
        tile_sums second;
        start_sums(tile, input_sums, 1, second);
        add_words(tile, panel, quants, 4, second);
        for (size_t t = 0; t < tile.inputs; t++) {
            for (size_t v = 0; v < tile.vectors; v++) {
                const ints *halves = panel[v * PANEL_BLOCKS].halves;
                sums[t][v] = sums[t][v] * halves[0] + second[t][v] * halves[1];
            }
        }
    } else {
        add_words(tile, panel, quants, 4, sums);
    }
    for (size_t t = 0; t < tile.inputs; t++) {
        const int32_t *halves = input_sums + t * 2 * blocks;
        float scale = tile.product->scales[at + t * blocks];
        for (size_t v = 0; v < tile.vectors; v++) {
            results[t][v] = add_scaled_sum(
                tile.format, panel + v * PANEL_BLOCKS, sums[t][v], scale, halves[0] + halves[1],
                results[t][v]);
        }
    }
}

// Adds `count` blocks of the rows from `first` on, which the panel holds.
INLINE void run_tile(
    struct tile tile, const struct panel_block *panel, size_t first, size_t count
) {
    floats results[TILE_INPUTS][TILE_VECTORS];
    float *out = tile.group.out + tile.t * tile.product->output_stride;
    for (size_t t = 0; t < tile.inputs; t++) {
        for (size_t v = 0; v < tile.vectors; v++) {
            results[t][v] = floats_of(0);
            if (first > 0) {
                memcpy(
                    &results[t][v], out + t * tile.product->output_stride + v * ROWS,
                    sizeof(floats));
            }
        }
    }
    for (size_t b = 0; b < count; b++) {
        add_tile_block(tile, panel + b, first + b, results);
    }
    for (size_t t = 0; t < tile.inputs; t++) {
        for (size_t v = 0; v < tile.vectors; v++) {
            memcpy(
                out + t * tile.product->output_stride + v * ROWS, &results[t][v], sizeof(floats));
        }
    }
}

// All inputs' tiles over one panel.
INLINE void run_tiles(
    struct tile tile, const struct panel_block *panel, size_t first, size_t count
) {
    // Formats with halves have twice the sums.
    size_t size = tile.format.halves ? TILE_INPUTS / 2 : TILE_INPUTS;
    size_t inputs = tile.product->inputs;
    for (; tile.t + size <= inputs; tile.t += size) {
        tile.inputs = size;
        run_tile(tile, panel, first, count);
    }
    for (; tile.t + 2 <= inputs; tile.t += 2) {
        tile.inputs = 2;
        run_tile(tile, panel, first, count);
    }
    if (tile.t < inputs) {
        tile.inputs = 1;
        run_tile(tile, panel, first, count);
    }
}

INLINE void many_inputs(
    struct panel_format format, struct row_group group, const struct martlet_product *p,
    size_t vectors, struct panel_block *panel
) {
    size_t blocks = p->columns / 32;
    for (size_t first = 0; first < blocks; first += PANEL_BLOCKS) {
        size_t count = blocks - first < PANEL_BLOCKS ? blocks - first : PANEL_BLOCKS;
        for (size_t v = 0; v < vectors; v++) {
            fill_panel(
                format, group.weights + v * ROWS * group.stride, group.stride, first, count,
                panel + v * PANEL_BLOCKS);
        }
        run_tiles((struct tile){format, p, group, 0, 0, vectors}, panel, first, count);
    }
}

// A group whose first row is `row`.
INLINE struct row_group group_at(
    struct panel_format format, const struct martlet_product *p, size_t row
) {
    size_t stride = p->columns / 32 / format.blocks * format.bytes;
    return (struct row_group){
        (const uint8_t *)p->weights + row * stride, stride, p->out + row, ROWS};
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

static void product_q8_0(const struct martlet_product *p) {
    panel_product(format_q8_0, p);
}

static void product_q4_0(const struct martlet_product *p) {
    panel_product(format_q4_0, p);
}

static void product_q4_k(const struct martlet_product *p) {
    panel_product(format_q4_k, p);
}

static void product_q5_k(const struct martlet_product *p) {
    panel_product(format_q5_k, p);
}

static void product_q6_k(const struct martlet_product *p) {
    panel_product(format_q6_k, p);
}

static void product_mxfp4(const struct martlet_product *p) {
    panel_product(format_mxfp4, p);
}
