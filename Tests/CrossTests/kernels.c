// Compares every table of kernels that this machine has with the portable one, bit for bit.
//
// The Swift tests compare the portable table with the scalar twins; this carries the comparison to
// instruction sets of machines that Swift is not built for here (Scripts/test-neon.sh).
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CKernels.h"

typedef void (*product)(const struct martlet_product *);

static uint64_t state = 1;

static uint32_t draw(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

// Offsets of the half-precision numbers in a stored block, which are kept finite; -1 ends.
struct format {
    const char *name;
    size_t columns;
    size_t bytes;
    int halves[3];
    size_t entry;
    // Size of a packed block's first field; -1 where the format is not packed.
    int head;
};

#define ENTRY(name) offsetof(struct martlet_kernels, name)

static const struct format formats[] = {
    {"f32", 1, 4, {2, -1}, ENTRY(product_f32), -1},
    {"f16", 1, 2, {0, -1}, ENTRY(product_f16), -1},
    {"bf16", 1, 2, {0, -1}, ENTRY(product_bf16), -1},
    {"q8_0", 32, 34, {0, -1}, ENTRY(product_q8_0), 2},
    {"q4_0", 32, 18, {0, -1}, ENTRY(product_q4_0), 2},
    {"mxfp4", 32, 17, {-1}, ENTRY(product_mxfp4), 1},
    {"q4_k", 256, 144, {0, 2, -1}, ENTRY(product_q4_k), 0},
    {"q5_k", 256, 176, {0, 2, -1}, ENTRY(product_q5_k), 0},
    {"q6_k", 256, 210, {208, -1}, ENTRY(product_q6_k), 0},
};

static void fill(const struct format *format, uint8_t *bytes, size_t blocks) {
    for (size_t b = 0; b < blocks; b++, bytes += format->bytes) {
        for (size_t i = 0; i < format->bytes; i++) {
            bytes[i] = (uint8_t)draw();
        }
        for (int i = 0; format->halves[i] >= 0; i++) {
            uint8_t *high = bytes + format->halves[i] + 1;
            *high = (uint8_t)((*high & 0x83) | 0x34);
        }
        if (strcmp(format->name, "mxfp4") == 0) {
            bytes[0] = (uint8_t)(120 + draw() % 10);
        }
    }
}

static void run(
    const struct martlet_kernels *kernels, size_t entry, const struct martlet_product *p
) {
    product function;
    memcpy(&function, (const char *)kernels + entry, sizeof function);
    function(p);
}

// All rows packed, or NULL where they are not whole panels.
static uint8_t *packed(
    const struct format *format, const uint8_t *weights, size_t rows, size_t columns
) {
    if (format->head < 0 || rows % MARTLET_PANEL_ROWS != 0) {
        return NULL;
    }
    size_t stride = columns / format->columns * format->bytes;
    uint8_t *panels = malloc(rows * stride);
    for (size_t row = 0; row < rows; row += MARTLET_PANEL_ROWS) {
        martlet_pack(
            weights + row * stride, stride, format->bytes, (size_t)format->head,
            panels + row * stride);
    }
    return panels;
}

// Whether any of the outputs differs.
static int compare(
    const struct martlet_kernels *kernels, const struct format *format, size_t rows,
    size_t columns, size_t inputs
) {
    const struct martlet_kernels *portable = martlet_kernels_for(MARTLET_PORTABLE);
    size_t blocks = rows * columns / format->columns;
    uint8_t *weights = malloc(blocks * format->bytes);
    fill(format, weights, blocks);
    size_t count = inputs * columns;
    float *values = malloc(count * sizeof *values);
    for (size_t i = 0; i < count; i++) {
        values[i] = (float)((int)(draw() % 2001) - 1000) / 500;
    }
    int8_t *quants = malloc(count);
    float *scales = malloc(count / 32 * sizeof *scales + 4);
    int32_t *sums = malloc(count / 16 * sizeof *sums + 4);
    if (columns % 32 == 0) {
        kernels->quantize(values, count / 32, quants, scales, sums);
    }
    // The portable kernel, this one, and both on packed weights.
    uint8_t *panels = packed(format, weights, rows, columns);
    float *outputs[4];
    int differs = 0;
    for (int i = 0; i < (panels ? 4 : 2); i++) {
        outputs[i] = calloc(inputs * rows, 4);
        struct martlet_product p = {
            i < 2 ? weights : panels, rows, columns, inputs, values, quants, scales, sums,
            outputs[i], rows, i >= 2};
        run(i % 2 == 0 ? portable : kernels, format->entry, &p);
        differs |= memcmp(outputs[0], outputs[i], inputs * rows * 4) != 0;
        if (i > 0) {
            free(outputs[i]);
        }
    }
    free(outputs[0]);
    if (differs) {
        printf("%s: %zu x %zu x %zu differs\n", format->name, rows, columns, inputs);
    }
    free(weights), free(values), free(quants), free(scales), free(sums);
    free(panels);
    return differs;
}

int main(void) {
    static const size_t rows[] = {1, 3, 4, 5, 8, 15, 16, 17, 33, 40, 48};
    static const size_t inputs[] = {1, 2, 4, 5, 6, 13};
    int tables = 0, products = 0, failures = 0;
    for (int set = MARTLET_AVX2; set <= MARTLET_NEON_DOT; set++) {
        enum martlet_instruction_set name = (enum martlet_instruction_set)set;
        const struct martlet_kernels *kernels = martlet_kernels_for(name);
        if (!kernels) {
            continue;
        }
        tables++;
        for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
            for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
                for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
                    for (size_t columns = 256; columns <= 1280; columns += 1024, products++) {
                        failures += compare(kernels, &formats[f], rows[r], columns, inputs[i]);
                    }
                }
            }
        }
    }
    printf("kernels: tables=%d products=%d failures=%d\n", tables, products, failures);
    return tables == 0 || failures > 0;
}
