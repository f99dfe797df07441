/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the reader of rehearsals. Properties: a file is either good, and then every
 * session has a cause and a place that fit; or not, and then a text says why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rehearsal_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void require(bool is_true, const char *what)
{
	if (is_true) { return; }
	fprintf(stderr, "property broken: %s\n", what);
	abort();
}

static void check_session(const struct rehearsal_session *session)
{
	require(session->cause != NULL, "a session has a cause");
	require(session->size_bytes > 0 && session->stop_bytes <= session->size_bytes, "the end is inside the package");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct rehearsal_file file;
	static char copy[8192];
	char text[REHEARSAL_TEXT_BYTES];
	FILE *f;

	if (len == 0 || len > sizeof(copy)) { return 0; }
	memcpy(copy, data, len);
	f = fmemopen(copy, len, "r");
	if (!f) { return 0; }
	if (rehearsal_file_read(&file, "NAME", f, text)) {
		require(file.session_count <= REHEARSAL_SESSION_MAX && file.boot_ms > 0, "the numbers are bounded");
		for (unsigned i = 0; i < file.session_count; i++) {
			check_session(&file.sessions[i]);
		}
		check_session(&file.further);
	} else {
		require(strncmp(text, "NAME:", 5) == 0, "what is wrong is told with its place");
	}
	(void)fclose(f);
	return 0;
}
