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

INLINE void fill_panel(
    struct panel_format format, struct row_group group, size_t first, size_t count,
    struct panel_block *blocks
) {
    struct panel panel = {blocks, first};
    for (size_t b = first; b < first + count; b += format.blocks) {
        format.unpack(stored_block(format, group, b / format.blocks), b, keep_block, &panel);
    }
}

// What the next panel will be unpacked from, fetched little by little while tiles run: all at once
// it would fill the queue of the memory's answers, and nothing else would go on.
struct ahead {
    // The next line, and where the stretch that it lies in ends.
    const uint8_t *next;
    const uint8_t *end;
    size_t stretch;
    // Between the starts of two stretches, and how many are left.
    size_t stride;
    size_t left;
    // Lines that each block of each tile fetches.
    size_t pace;
};

INLINE void fetch_ahead(struct ahead *ahead) {
    for (size_t line = 0; line < ahead->pace; line++, ahead->next += 64) {
        if (ahead->next >= ahead->end) {
            if (ahead->left == 0) {
                return;
            }
            ahead->left--;
            ahead->end += ahead->stride;
            ahead->next = ahead->end - ahead->stretch;
        }
        __builtin_prefetch(ahead->next, 0, 2);
    }
}

// `count` blocks from `first` on of `vectors` vectors of rows, over `slots` blocks of tiles.
INLINE struct ahead ahead_of(
    struct panel_format format, struct row_group group, size_t first, size_t count,
    size_t vectors, size_t slots
) {
    size_t rows = format.packed ? MARTLET_PANEL_ROWS : 1;
    size_t stretch = rows * (count / format.blocks) * format.bytes;
    size_t stretches = (vectors * ROWS + rows - 1) / rows;
    const uint8_t *start = group.weights + rows * (first / format.blocks) * format.bytes;
    size_t lines = stretches * (stretch / 64 + 1);
    return (struct ahead){
        start, start + stretch, stretch, rows * group.stride, stretches - 1,
        (lines + slots - 1) / slots};
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
    struct ahead *ahead;
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
        fetch_ahead(tile.ahead);
        add_tile_block(tile, panel + b, first + b, results);
    }
    for (size_t t = 0; t < tile.inputs; t++) {
        for (size_t v = 0; v < tile.vectors; v++) {
            memcpy(
                out + t * tile.product->output_stride + v * ROWS, &results[t][v], sizeof(floats));
        }
    }
}

// Formats with halves have twice the sums.
INLINE size_t tile_size(struct panel_format format) {
    return format.halves ? TILE_INPUTS / 2 : TILE_INPUTS;
}

// All inputs' tiles over one panel, as equal as they can be.
INLINE void run_tiles(
    struct tile tile, const struct panel_block *panel, size_t first, size_t count
) {
    size_t inputs = tile.product->inputs;
    size_t tiles = (inputs + tile_size(tile.format) - 1) / tile_size(tile.format);
    for (size_t i = 0; i < tiles; i++) {
        tile.t = inputs * i / tiles;
        // The number of inputs is a constant in each branch, so that sums stay in registers.
        switch (inputs * (i + 1) / tiles - tile.t) {
#define TILE_OF(size)                                                                             \
    case size:                                                                                    \
        tile.inputs = size;                                                                       \
        run_tile(tile, panel, first, count);                                                      \
        break;
            TILE_OF(1)
            TILE_OF(2)
            TILE_OF(3)
#if TILE_INPUTS > 3
            TILE_OF(4)
#endif
#if TILE_INPUTS > 4
            TILE_OF(5)
            TILE_OF(6)
#endif
#undef TILE_OF
        }
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
        // Next come the same rows' later blocks, or the next rows.
        size_t next = first + count < blocks ? first + count : 0;
        struct row_group after = next > 0 ? group : rows_after(format, group, vectors * ROWS);
        size_t tiles = (p->inputs + tile_size(format) - 1) / tile_size(format);
        struct ahead ahead = ahead_of(format, after, next, count, vectors, tiles * count);
        run_tiles((struct tile){format, p, group, 0, 0, vectors, &ahead}, panel, first, count);
    }
}
