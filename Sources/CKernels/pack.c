// Quantised weights rearranged as kernels read them fastest.
#include <string.h>

#include "tables.h"

// A field of `width` bytes of each row, `stride` bytes apart, side by side.
static inline void pack_field(const uint8_t *rows, size_t stride, size_t width, uint8_t *out) {
    for (size_t row = 0; row < MARTLET_PANEL_ROWS; row++) {
        memcpy(out + row * width, rows + row * stride, width);
    }
}

void martlet_pack(
    const void *rows, size_t bytes_per_row, size_t bytes_per_block, size_t head, void *panel
) {
    for (size_t start = 0; start < bytes_per_row; start += bytes_per_block) {
        const uint8_t *block = (const uint8_t *)rows + start;
        uint8_t *out = (uint8_t *)panel + MARTLET_PANEL_ROWS * start;
        pack_field(block, bytes_per_row, head, out);
        size_t offset = head;
        for (; offset + 4 <= bytes_per_block; offset += 4) {
            pack_field(block + offset, bytes_per_row, 4, out + MARTLET_PANEL_ROWS * offset);
        }
        pack_field(
            block + offset, bytes_per_row, bytes_per_block - offset,
            out + MARTLET_PANEL_ROWS * offset);
    }
}
