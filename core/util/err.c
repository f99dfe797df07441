/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the library's errors, from the one list in fota/err.h. */
#include "fota/err.h"

#include <stddef.h>

struct err_row {
	enum fota_err err;
	const char *text;
};

static const struct err_row err_rows[] = {
#define ERR_ROW(name, value, text) { FOTA_ERR_##name, text },
	FOTA_ERR_LIST(ERR_ROW)
#undef ERR_ROW
};

const char *fota_err_text(enum fota_err err)
{
	for (size_t i = 0; i < sizeof(err_rows) / sizeof(err_rows[0]); i++) {
		if (err_rows[i].err == err) { return err_rows[i].text; }
	}
	return "unknown error";
}
