// The kernels in plain C, for any machine.
#pragma clang fp contract(off)
#include "tables.h"

#include "float_products.h"

#include "dequantize.h"
#include "row_kernels.h"
#include "attention.h"
#include "attention_store.h"
#include "scalar_products.h"

const struct martlet_kernels martlet_portable_kernels = {
#include "table_entries.h"
};
