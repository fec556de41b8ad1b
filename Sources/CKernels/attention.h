// Attention over the tiles of a paged key-value cache, compiled once per unit. CKernels.h says what
// it computes and in which order; a unit includes this after float_products.h and row_kernels.h.
#pragma once
#include "lanes.h"

// Positions of a tile.
#define TILE 64
// Queries that share one reading of a tile's numbers.
#define QUERIES 6
// Lanes that a query of so many takes at once: what leaves all sums in registers.
#ifndef ATTENTION_LANES
#define ATTENTION_LANES(queries) ((queries) == 1 ? 4 : (queries) == 2 ? 2 : 1)
#endif

typedef lanes (*load_lanes)(const void *base, size_t index);

INLINE lanes load_f32(const void *base, size_t index) {
    return lanes_load((const float *)base + index);
}

INLINE lanes load_f16(const void *base, size_t index) {
    short_lanes bits;
    memcpy(&bits, (const uint16_t *)base + index, sizeof bits);
    return LANES_FROM_HALF(bits);
}

// Sixteen bytes as numbers.
INLINE lanes load_bytes(const int8_t *quants) {
    byte_lanes bytes;
    memcpy(&bytes, quants, sizeof bytes);
    return __builtin_convertvector(bytes, lanes);
}

// The half-precision numbers nearest to x, ties to even; what is larger than the largest becomes
// that one, and NaN stays NaN.
INLINE short_lanes lanes_to_half(lanes x) {
    integer_lanes sign = (integer_lanes)x & (int32_t)0x80000000;
    lanes magnitude = (lanes)((integer_lanes)x & 0x7fffffff);
    magnitude = lanes_select(magnitude > lanes_of(65504.0f), lanes_of(65504.0f), magnitude);
    // Adding 2^13 times a number's power of two leaves just the ten bits that fit; subnormal
    // numbers all have the spacing of the smallest normal ones.
    integer_lanes exponent = (integer_lanes)magnitude & 0x7f800000;
    exponent = __builtin_elementwise_max(exponent, (integer_lanes){0} + (113 << 23));
    lanes rounder = (lanes)(exponent + (13 << 23));
    lanes rounded = (magnitude + rounder - rounder) * 0x1p-112f;
    unsigned_lanes bits = (unsigned_lanes)rounded >> 13 | (unsigned_lanes)sign >> 16;
    return __builtin_convertvector(bits, short_lanes);
}

// One kind of product: out[i][n] = start + sum over k of a[i][k] * b[k][n], in sequence, with
// start = out[i][n] * factors[i], or 0 without factors.
struct tile_product {
    const float *a[QUERIES];
    const void *b;
    size_t b_stride;
    size_t first;  // k from here
    size_t end;    // to here
    float *out[QUERIES];
    const float *factors;
};

// `queries` × `width` lanes of a product, from column n on; both are constants where inlined.
INLINE void tile_block(
    load_lanes load, const struct tile_product *p, size_t queries, size_t width, size_t n
) {
    lanes sums[QUERIES][4];
    for (size_t i = 0; i < queries; i++) {
        for (size_t j = 0; j < width; j++) {
            sums[i][j] = p->factors
                ? lanes_load(p->out[i] + n + j * LANES) * p->factors[i] : lanes_of(0);
        }
    }
    for (size_t k = p->first; k < p->end; k++) {
        lanes b[4];
        for (size_t j = 0; j < width; j++) {
            b[j] = load(p->b, k * p->b_stride + n + j * LANES);
        }
        for (size_t i = 0; i < queries; i++) {
            lanes a = lanes_of(p->a[i][k]);
            for (size_t j = 0; j < width; j++) {
                sums[i][j] = lanes_fma(a, b[j], sums[i][j]);
            }
        }
    }
    for (size_t i = 0; i < queries; i++) {
        for (size_t j = 0; j < width; j++) {
            lanes_store(p->out[i] + n + j * LANES, sums[i][j]);
        }
    }
}

// All columns of a product, a multiple of sixteen.
INLINE void tile_columns(
    load_lanes load, const struct tile_product *p, size_t queries, size_t columns
) {
    const size_t width = ATTENTION_LANES(queries);
    size_t n = 0;
    for (; n + width * LANES <= columns; n += width * LANES) {
        tile_block(load, p, queries, width, n);
    }
    for (; n < columns; n += LANES) {
        tile_block(load, p, queries, 1, n);
    }
}

INLINE void tile_multiply(
    load_lanes load, const struct tile_product *p, size_t queries, size_t columns
) {
    switch (queries) {
    case 1: tile_columns(load, p, 1, columns); break;
    case 2: tile_columns(load, p, 2, columns); break;
    case 4: tile_columns(load, p, 4, columns); break;
    default: tile_columns(load, p, QUERIES, columns); break;
    }
}

static void tile_multiply_f32(const struct tile_product *p, size_t queries, size_t columns) {
    tile_multiply(load_f32, p, queries, columns);
}

static void tile_multiply_f16(const struct tile_product *p, size_t queries, size_t columns) {
    tile_multiply(load_f16, p, queries, columns);
}

typedef void (*multiply_tile)(const struct tile_product *p, size_t queries, size_t columns);

// How a page's numbers are read: in place, or as fp32 in scratch.
struct open_tile {
    multiply_tile multiply;
    const void *keys;
    const void *values;
};

// Running state of each query, and room for one tile.
struct attention_state {
    float *keys;     // [key_size × TILE]
    float *values;   // [TILE × columns]
    float *mix;      // [queries × columns]
    float *largest;  // [queries]
    float *sum;      // [queries]
    size_t columns;  // value_size, rounded up to lanes
};

static size_t rounded_up(size_t count, size_t unit) {
    return (count + unit - 1) / unit * unit;
}

static void unpack_halves(const void *halves, size_t count, float *out) {
    for (size_t i = 0; i < count; i += LANES) {
        lanes_store(out + i, load_f16(halves, i));
    }
}

static void unpack_key_bytes(const uint8_t *tile, size_t size, float *out) {
    const int8_t *quants = (const int8_t *)tile;
    const float *scales = (const float *)(tile + rounded_up(size, 32) * TILE);
    for (size_t k = 0; k < size; k++) {
        for (size_t i = 0; i < TILE; i += LANES) {
            lanes scale = lanes_load(scales + k / 32 * TILE + i);
            lanes_store(out + k * TILE + i, load_bytes(quants + k * TILE + i) * scale);
        }
    }
}

static void unpack_value_bytes(const uint8_t *tile, size_t size, float *out) {
    size_t width = rounded_up(size, 32);
    size_t columns = rounded_up(size, LANES);
    const int8_t *quants = (const int8_t *)tile;
    const float *scales = (const float *)(tile + width * TILE);
    for (size_t position = 0; position < TILE; position++) {
        for (size_t i = 0; i < columns; i += LANES) {
            lanes scale = lanes_of(scales[position * (width / 32) + i / 32]);
            lanes number = load_bytes(quants + position * width + i);
            lanes_store(out + position * columns + i, number * scale);
        }
    }
}

// Sixteen rows of sixteen numbers become columns.
INLINE void transpose_block(const float *in, size_t in_stride, float *out, size_t out_stride) {
    lanes rows[LANES];
    for (int i = 0; i < LANES; i++) {
        rows[i] = lanes_load(in + i * in_stride);
    }
    for (int step = 0; step < 4; step++) {
        lanes next[LANES];
        for (int i = 0; i < 8; i++) {
            next[2 * i] = __builtin_shufflevector(
                rows[i], rows[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] = __builtin_shufflevector(
                rows[i], rows[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15,
                31);
        }
        memcpy(rows, next, sizeof rows);
    }
    for (int i = 0; i < LANES; i++) {
        lanes_store(out + i * out_stride, rows[i]);
    }
}

// Values that are the first elements of keys: [size × TILE] becomes [TILE × columns].
static void transpose_values(const float *keys, size_t size, float *out) {
    size_t columns = rounded_up(size, LANES);
    for (size_t element = 0; element + LANES <= size; element += LANES) {
        for (size_t position = 0; position < TILE; position += LANES) {
            transpose_block(
                keys + element * TILE + position, TILE, out + position * columns + element,
                columns);
        }
    }
    for (size_t element = size / LANES * LANES; element < columns; element++) {
        for (size_t position = 0; position < TILE; position++) {
            float number = element < size ? keys[element * TILE + position] : 0;
            out[position * columns + element] = number;
        }
    }
}

// Keys and values of a page as fp32, in scratch where they are not already so.
static struct open_tile unpack_tile(
    const struct martlet_attention *t, const uint8_t *tile, const struct attention_state *state
) {
    struct open_tile open = {tile_multiply_f32, state->keys, state->values};
    const uint8_t *values = tile + t->tile.key_bytes;
    switch (t->tile.precision) {
    case MARTLET_TILE_F32:
        open.keys = tile;
        open.values = values;
        break;
    case MARTLET_TILE_F16:
        unpack_halves(tile, t->tile.key_size * TILE, state->keys);
        if (!t->tile.values_are_keys) {
            unpack_halves(values, TILE * state->columns, state->values);
        }
        break;
    case MARTLET_TILE_Q8_0:
        unpack_key_bytes(tile, t->tile.key_size, state->keys);
        if (!t->tile.values_are_keys) {
            unpack_value_bytes(values, t->tile.value_size, state->values);
        }
        break;
    }
    if (t->tile.values_are_keys) {
        transpose_values(open.keys, t->tile.value_size, state->values);
        open.values = state->values;
    }
    return open;
}

// Few queries read halves in place; unpacking pays for itself with more.
static struct open_tile open_tile(
    const struct martlet_attention *t, const uint8_t *tile, const struct attention_state *state
) {
    int direct = t->tile.precision == MARTLET_TILE_F16 && !t->tile.values_are_keys
        && t->rows * t->heads <= QUERIES;
    if (direct) {
        return (struct open_tile){tile_multiply_f16, tile, tile + t->tile.key_bytes};
    }
    return unpack_tile(t, tile, state);
}

// Positions of a tile from `first` to `end` that a row sees; none where end ≤ first.
struct seen {
    size_t first;
    size_t end;
};

static struct seen seen_by(const struct martlet_attention *t, size_t row, size_t page) {
    size_t end = t->position + row + 1;
    size_t first = end > t->window ? end - t->window : 0;
    size_t start = page * TILE;
    struct seen seen = {first > start ? first - start : 0, end > start ? end - start : 0};
    seen.end = seen.end < TILE ? seen.end : TILE;
    return seen;
}

// Turns one query's products into weights. Returns the factor of what was mixed before.
INLINE float weigh(
    float *scores, struct seen seen, float scale, float *largest, float *sum
) {
    const integer_lanes places = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    lanes parts[TILE / LANES];
    lanes most = lanes_of(*largest);
    for (int j = 0; j < TILE / LANES; j++) {
        integer_lanes place = places + j * LANES;
        integer_lanes visible = (place >= (int32_t)seen.first) & (place < (int32_t)seen.end);
        parts[j] = lanes_load(scores + j * LANES) * scale;
        parts[j] = lanes_select(visible, parts[j], lanes_of(-INFINITY));
        most = lanes_select(parts[j] > most, parts[j], most);
    }
    float next = lanes_max(most);
    lanes total = lanes_of(0);
    for (int j = 0; j < TILE / LANES; j++) {
        lanes weights = lanes_exp(parts[j] - next);
        lanes_store(scores + j * LANES, weights);
        total += weights;
    }
    float factor = lanes_exp(lanes_of(*largest - next))[0];
    *sum = *sum * factor + lanes_sum(total);
    *largest = next;
    return factor;
}

// Adds a page to `count` ≤ QUERIES queries from `first` on.
static void attend_page(
    const struct martlet_attention *t, const struct open_tile *open, size_t page, size_t first,
    size_t count, const struct attention_state *state
) {
    float scores[QUERIES][TILE];
    float factors[QUERIES];
    struct seen seen[QUERIES];
    struct seen any = {TILE, 0};
    struct tile_product product = {.b = open->keys, .b_stride = TILE, .end = t->tile.key_size};
    for (size_t i = 0; i < count; i++) {
        size_t row = (first + i) / t->heads;
        size_t head = (first + i) % t->heads;
        product.a[i] = t->queries + row * t->query_stride + head * t->tile.key_size;
        product.out[i] = scores[i];
        seen[i] = seen_by(t, row, page);
        if (seen[i].first < seen[i].end) {
            any.first = seen[i].first < any.first ? seen[i].first : any.first;
            any.end = seen[i].end > any.end ? seen[i].end : any.end;
        }
    }
    if (any.first >= any.end) {
        return;
    }
    open->multiply(&product, count, TILE);
    for (size_t i = 0; i < count; i++) {
        if (seen[i].first < seen[i].end) {
            factors[i] = weigh(
                scores[i], seen[i], t->scale, state->largest + first + i, state->sum + first + i);
        } else {
            memset(scores[i], 0, sizeof scores[i]);
            factors[i] = 1;
        }
        product.a[i] = scores[i];
        product.out[i] = state->mix + (first + i) * state->columns;
    }
    product.b = open->values;
    product.b_stride = state->columns;
    product.first = any.first;
    product.end = any.end;
    product.factors = factors;
    open->multiply(&product, count, state->columns);
}

static struct attention_state attention_start(const struct martlet_attention *t) {
    size_t queries = t->rows * t->heads;
    struct attention_state state = {.columns = rounded_up(t->tile.value_size, LANES)};
    state.keys = t->scratch;
    state.values = state.keys + t->tile.key_size * TILE;
    state.mix = state.values + state.columns * TILE;
    state.largest = state.mix + queries * state.columns;
    state.sum = state.largest + queries;
    memset(state.mix, 0, queries * state.columns * sizeof *state.mix);
    for (size_t i = 0; i < queries; i++) {
        state.largest[i] = t->sinks ? t->sinks[i % t->heads] : -INFINITY;
        state.sum[i] = t->sinks ? 1 : 0;
    }
    return state;
}

static void row_attention(const struct martlet_attention *t) {
    struct attention_state state = attention_start(t);
    size_t queries = t->rows * t->heads;
    size_t seen = t->position + 1;
    size_t page = seen > t->window ? (seen - t->window) / TILE : 0;
    for (; page * TILE < t->position + t->rows; page++) {
        struct open_tile open = open_tile(
            t, (const uint8_t *)t->pages[page] + t->tile_offset, &state);
        for (size_t first = 0; first < queries;) {
            size_t left = queries - first;
            size_t count = left >= QUERIES ? QUERIES : left >= 4 ? 4 : left >= 2 ? 2 : 1;
            attend_page(t, &open, page, first, count, &state);
            first += count;
        }
    }
    for (size_t i = 0; i < queries; i++) {
        float reciprocal = 1.0f / state.sum[i];
        const float *mix = state.mix + i * state.columns;
        float *out = t->outputs + i / t->heads * t->output_stride
            + i % t->heads * t->tile.value_size;
        for (size_t n = 0; n < t->tile.value_size; n++) {
            out[n] = mix[n] * reciprocal;
        }
    }
}
