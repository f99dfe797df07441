/* SPDX-License-Identifier: Apache-2.0 */
/* The table of result codes, made from the one list in fota/code.h. */
#include "fota/code.h"

#include <stddef.h>

static const struct fota_code_info code_rows[] = {
#define CODE_ROW(name, number, class, text, advice) { number, FOTA_CODE_CLASS_##class, #name, text },
	FOTA_CODE_LIST(CODE_ROW)
#undef CODE_ROW
};

#define CODE_ROW_COUNT (sizeof(code_rows) / sizeof(code_rows[0]))

const struct fota_code_info *fota_code_list(unsigned *count)
{
	*count = (unsigned)CODE_ROW_COUNT;
	return code_rows;
}

const struct fota_code_info *fota_code_find(int number)
{
	for (size_t i = 0; i < CODE_ROW_COUNT; i++) {
		if (code_rows[i].number == number) { return &code_rows[i]; }
	}
	return NULL;
}
