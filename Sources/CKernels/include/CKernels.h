// The inner loops of martlet: one table of kernels per instruction set, chosen at run time.
//
// Every kernel computes each of its outputs in one order of operations, the same on every
// instruction set and for any number of inputs, so that results are equal bit for bit. The slow
// twins in Sources/Tensors/Reference say these orders in scalar Swift.
//
// Sixteen lanes. A sum over n numbers pads them with zeros to a multiple of 16; lane j takes the
// elements i with i mod 16 = j in sequence; the lanes are then added as a tree: j and j + 8, j and
// j + 4, j and j + 2, j and j + 1.
//
// Products of floating-point weights (F32, F16, BF16) convert the weight to fp32 (exact) and sum
// in sixteen lanes with fused multiply-add.
//
// Products of quantised weights use the input's 8-bit form. Per block of 32 columns the sum of
// integer products is exact; blocks follow in sequence from acc = 0:
//     acc = fma(weight_scale * input_scale, (float)integer_sum, acc)
// MXFP4 multiplies twice the E2M1 numbers and has half the scale. Q4_K and Q5_K have a scale
// (block scale * group scale, exact) and a minimum (likewise) for each 32 columns, and go on with
//     acc = fma(minimum * input_scale, (float)-sum_of_inputs, acc)
// Q6_K has an integer scale for each 16: its integer sum is s0 * sum0 + s1 * sum1, exact as well.
#pragma once
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

enum martlet_instruction_set {
    MARTLET_PORTABLE = 0,
    MARTLET_AVX2 = 1,         // with FMA and F16C
    MARTLET_AVX2_VNNI = 2,    // the same with VNNI
    MARTLET_AVX512_VNNI = 3,  // with F, BW, DQ and VL
    MARTLET_NEON_DOT = 4,     // 64-bit Arm with dot products
};

/// Rows of a packed panel.
#define MARTLET_PANEL_ROWS 16

/// One matrix product: out[t * output_stride + r] = sum over c of weights[r, c] * inputs[t, c].
struct martlet_product {
    /// [rows × columns] in blocks along columns, row-major, at any address; or packed.
    const void *weights;
    size_t rows;
    size_t columns;
    /// Number of input rows.
    size_t inputs;
    /// [inputs × columns]. Read by the products of F32, F16 and BF16 weights.
    const float *_Nullable values;
    /// The inputs in blocks of 32 signed bytes, [inputs × columns], with each block's scale,
    /// [inputs × columns / 32], and the sums of each half block's quants, [inputs × columns / 16].
    /// Read by the products of quantised weights.
    const int8_t *_Nullable quants;
    const float *_Nullable scales;
    const int32_t *_Nullable sums;
    /// [inputs × output_stride], of which the first `rows` of each row are written.
    float *out;
    size_t output_stride;
    /// Whether quantised weights are packed as by martlet_pack; then rows are whole panels.
    int packed;
};

/// What the numbers of a tile are stored as.
enum martlet_tile_precision {
    MARTLET_TILE_F32 = 0,
    MARTLET_TILE_F16 = 1,
    MARTLET_TILE_Q8_0 = 2,  // blocks of 32 signed bytes, each with an fp32 scale
};

/// A tile: 64 positions' keys, [key_size × 64], then values, [64 × value_size], of one key-value
/// head. In F32 and F16 the rows of values are padded to multiples of 16. In Q8_0 keys are
/// [key_size, rounded up to 32, × 64] bytes, then scales [blocks × 64]; values [64 × value_size,
/// rounded up to 32] bytes, then scales [64 × blocks].
struct martlet_tile {
    enum martlet_tile_precision precision;
    size_t key_size;
    size_t value_size;
    /// Whether a value is the first elements of its key, and not stored.
    int values_are_keys;
    /// Size of the keys in bytes: where the values start.
    size_t key_bytes;
};

/// Causal attention of consecutive rows of one sequence, for the heads that share a key-value head.
///
/// Per query and page, in sequence, with the largest score so far m, the sum l and the mix o, first
/// -infinity, 0 and 0 (with a sink: it, 1 and 0): a score is a chain of fused multiply-adds over
/// the key's elements from 0, then times `scale`; m' is the largest of m and the scores; weights
/// p = exp(score - m'), 0 where the row does not see the position; c = exp(m - m');
/// l = l * c + sum of p in sixteen lanes; o = o * c, then o = fma(p, value, o) position by
/// position. At the end o * (1 / l).
struct martlet_attention {
    struct martlet_tile tile;
    /// The sequence's pages, up to the last row's.
    const void *_Nonnull const *_Nonnull pages;
    /// Where in each page the tile lies, in bytes.
    size_t tile_offset;
    /// Position of the first row.
    size_t position;
    size_t rows;
    /// Heads that share the keys and values.
    size_t heads;
    /// A position sees itself and the `window - 1` before it.
    size_t window;
    float scale;
    /// Row r, head h: queries + r * query_stride + h * key_size.
    const float *queries;
    size_t query_stride;
    /// Row r, head h: outputs + r * output_stride + h * value_size.
    float *outputs;
    size_t output_stride;
    /// [heads] logits that take part in the softmax and have no value.
    const float *_Nullable sinks;
    /// 64 * key_size + (64 + rows * heads) * v + 2 * rows * heads numbers, where v is value_size
    /// rounded up to 16.
    float *scratch;
};

struct martlet_kernels {
    void (*product_f32)(const struct martlet_product *);
    void (*product_f16)(const struct martlet_product *);
    void (*product_bf16)(const struct martlet_product *);
    void (*product_q8_0)(const struct martlet_product *);
    void (*product_q4_0)(const struct martlet_product *);
    void (*product_q4_k)(const struct martlet_product *);
    void (*product_q5_k)(const struct martlet_product *);
    void (*product_q6_k)(const struct martlet_product *);
    void (*product_mxfp4)(const struct martlet_product *);

    /// Products of bytes within registers, `rounds` times some, as fast as no product of matrices
    /// can be. Returns how many multiplications and additions those were; `sum` is what comes of
    /// them.
    size_t (*multiply_ceiling)(size_t rounds, int32_t *sum);

    /// `count` blocks of each format as fp32 numbers.
    void (*dequantize_q4_k)(const void *blocks, size_t count, float *out);
    void (*dequantize_q5_k)(const void *blocks, size_t count, float *out);
    void (*dequantize_q6_k)(const void *blocks, size_t count, float *out);
    void (*dequantize_mxfp4)(const void *blocks, size_t count, float *out);

    /// Quantises blocks of 32, with a scale and two sums each: scale = m / 127 with m = max |x|;
    /// q = x * (127 / m) to the nearest integer, ties to even. A block with m < 2^-120, whose
    /// quotient might overflow, becomes zeros with scale 0; one with an infinity or a NaN becomes
    /// zeros with scale NaN, so that its products are NaN.
    void (*quantize)(
        const float *values, size_t blocks, int8_t *quants, float *scales, int32_t *sums);

    /// Sum of a[i] * b[i], as a product of F32 weights.
    float (*dot)(const float *a, const float *b, size_t count);

    /// out[i] = fma(scale, x[i], out[i]).
    void (*add_scaled)(float *out, float scale, const float *x, size_t count);

    /// row[i] = e[i] * (1 / sum of e) with e[i] = exp(row[i] - max), summed in sixteen lanes.
    void (*softmax)(float *row, size_t count);

    /// out[i] = gate[i] / (1 + exp(-gate[i])) * up[i].
    void (*swiglu)(const float *gate, const float *up, float *out, size_t count);

    /// Per row: out[i] = x[i] * s * weight[i] with s = 1 / sqrt(dot(x, x) / columns + epsilon).
    void (*rms_norm)(
        const float *x, const float *weight, float epsilon, size_t rows, size_t columns,
        float *out);

    /// See struct martlet_attention.
    void (*attention)(const struct martlet_attention *);

    /// Stores a key and a value at `position` < 64 of a tile. F16: to the nearest, ties to even,
    /// at most ±65504. Q8_0: as `quantize`.
    void (*store)(
        const struct martlet_tile *, const float *key, const float *value, size_t position,
        void *tile);
};

/// Reads all bytes, as fast as memory gives them, and returns what comes of them.
uint64_t martlet_read(const void *bytes, size_t count);

/// Rearranges sixteen rows of quantised weights into a panel of the same size, as kernels read it
/// fastest: block after block, in each the fields of all rows side by side. A field of w bytes at
/// `offset` of a row's block lies at 16 * offset + w * row of the panel's. Fields are the first
/// `head` bytes, then words of four, then what is left.
void martlet_pack(
    const void *rows, size_t bytes_per_row, size_t bytes_per_block, size_t head, void *panel);

/// The kernels of an instruction set, or NULL where this machine lacks it.
const struct martlet_kernels *_Nullable martlet_kernels_for(enum martlet_instruction_set set);

#pragma clang assume_nonnull end
