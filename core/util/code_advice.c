/* SPDX-License-Identifier: Apache-2.0 */
/* What a person does about a result code, from the one list in fota/code.h. A file of its
 * own: these texts are half as large as the AT server, and only hosts show them. */
#include "fota/code.h"

#include <stddef.h>

static const struct {
	int number;
	const char *advice;
} rows[] = {
#define ADVICE_ROW(name, number, class, text, advice) { number, advice },
	FOTA_CODE_LIST(ADVICE_ROW)
#undef ADVICE_ROW
};

const char *fota_code_advice(int number)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].number == number) { return rows[i].advice; }
	}
	return NULL;
}
