// Reads memory and does nothing else: what every pass over weights is measured against.
#include <string.h>

#include "CKernels.h"

typedef uint64_t line __attribute__((vector_size(64)));

// How many bytes are on their way. Processors by themselves do not fetch far enough ahead: without
// this, products that do would be faster than the ceiling that they are measured against.
#define READ_AHEAD 4096

uint64_t martlet_read(const void *bytes, size_t count) {
    line mixed[4] = {{0}};
    for (size_t at = 0; at + sizeof mixed <= count; at += sizeof mixed) {
        const uint8_t *ahead = (const uint8_t *)bytes + at + READ_AHEAD;
        for (int i = 0; i < 4; i++) {
            __builtin_prefetch(ahead + 64 * i);
        }
        line lines[4];
        memcpy(lines, (const uint8_t *)bytes + at, sizeof lines);
        for (int i = 0; i < 4; i++) {
            mixed[i] ^= lines[i];
        }
    }
    line all = mixed[0] ^ mixed[1] ^ mixed[2] ^ mixed[3];
    uint64_t result = 0;
    for (int i = 0; i < 8; i++) {
        result ^= all[i];
    }
    return result;
}
