// Products with many inputs: a stretch of rows is unpacked into a small panel in the first or
// second cache, over which tiles of inputs and rows then run.
#pragma once
#include "panel_rows.h"

// Columns of a panel: what is unpacked at once. With two vectors of rows it fits the second cache
// of every machine, and the first of those with 48 KiB.
#define PANEL_BLOCKS 32
// A unit with few registers defines smaller tiles.
#ifndef TILE_INPUTS
#define TILE_INPUTS 6
#define TILE_VECTORS 2
#endif

// Unpacked blocks of some vectors of rows: vector v's from v * PANEL_BLOCKS on.
struct panel {
    struct panel_block *blocks;
    size_t first;
};

INLINE void keep_block(void *context, size_t index, const struct panel_block *block) {
    struct panel *panel = context;
    panel->blocks[index - panel->first] = *block;
}

// Fetches the same blocks of the next panel's rows.
INLINE void prefetch_next_rows(struct panel_format format, struct stored stored) {
    if (stored.packed) {
        size_t ahead = TILE_VECTORS * ROWS * stored.stride;
        return prefetch_block(stored.bytes + ahead, MARTLET_PANEL_ROWS * format.bytes);
    }
    for (size_t row = 0; row < ROWS; row++) {
        prefetch_block(
            stored.bytes + (TILE_VECTORS * ROWS + row) * stored.stride, format.bytes);
    }
}

INLINE void fill_panel(
    struct panel_format format, struct row_group group, size_t first, size_t count,
    struct panel_block *blocks
) {
    struct panel panel = {blocks, first};
    for (size_t b = first; b < first + count; b += format.blocks) {
        struct stored stored = stored_block(format, group, b / format.blocks);
        prefetch_next_rows(format, stored);
        format.unpack(stored, b, keep_block, &panel);
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
                format, rows_after(format, group, v * ROWS), first, count,
                panel + v * PANEL_BLOCKS);
        }
        run_tiles((struct tile){format, p, group, 0, 0, vectors}, panel, first, count);
    }
}
