// Which table may run on this machine.
#include "tables.h"

#if defined(__x86_64__)
static int has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("f16c");
}

static int has_avx2_vnni(void) {
    return has_avx2() && __builtin_cpu_supports("avxvnni");
}

static int has_avx512_vnni(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512vnni");
}
#endif

#if defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>

static int has_neon_dot(void) {
    const unsigned long dot_product = 1UL << 20;  // HWCAP_ASIMDDP
    return (getauxval(AT_HWCAP) & dot_product) != 0;
}
#else
// Every Mac with Apple's processors has it.
static int has_neon_dot(void) {
    return 1;
}
#endif
#endif

const struct martlet_kernels *martlet_kernels_for(enum martlet_instruction_set set) {
    switch (set) {
    case MARTLET_PORTABLE:
        return &martlet_portable_kernels;
#if defined(__x86_64__)
    case MARTLET_AVX2:
        return has_avx2() ? &martlet_avx2_kernels : NULL;
    case MARTLET_AVX2_VNNI:
        return has_avx2_vnni() ? &martlet_avx2_vnni_kernels : NULL;
    case MARTLET_AVX512_VNNI:
        return has_avx512_vnni() ? &martlet_avx512_kernels : NULL;
#endif
#if defined(__aarch64__)
    case MARTLET_NEON_DOT:
        return has_neon_dot() ? &martlet_neon_kernels : NULL;
#endif
    default:
        return NULL;
    }
}
