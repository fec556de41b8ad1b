// The kernels for AVX2 with FMA and F16C.
#if defined(__x86_64__)
#pragma clang fp contract(off)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "tables.h"

#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "avx2_unit.h"

#pragma clang attribute pop

const struct martlet_kernels martlet_avx2_kernels = {
#include "table_entries.h"
};
#endif
