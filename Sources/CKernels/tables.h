// The table that each unit fills.
#pragma once
#include "CKernels.h"

extern const struct martlet_kernels martlet_portable_kernels;
#if defined(__x86_64__)
extern const struct martlet_kernels martlet_avx2_kernels;
extern const struct martlet_kernels martlet_avx2_vnni_kernels;
extern const struct martlet_kernels martlet_avx512_kernels;
#endif
#if defined(__aarch64__)
extern const struct martlet_kernels martlet_neon_kernels;
#endif
