#include "memory.h"

#include <limits.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

void martlet_keep_freed_memory(size_t bytes) {
#ifdef __GLIBC__
    int limit = bytes > INT_MAX ? INT_MAX : (int)bytes;
    // Larger pieces are mapped and unmapped one by one. The library takes at most 32 MiB here.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, limit);
    // Memory is asked for in larger pieces, too.
    mallopt(M_TOP_PAD, 1 << 20);
#else
    (void)bytes;
#endif
}
