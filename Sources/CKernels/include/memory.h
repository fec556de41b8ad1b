// What the C library does with memory that is freed.
#pragma once
#include <stddef.h>

/// Keeps up to `bytes` of freed memory in this process, where the library is glibc, instead of
/// giving it back to the system at once. Call once, before there are threads.
void martlet_keep_freed_memory(size_t bytes);
