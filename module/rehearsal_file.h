/* SPDX-License-Identifier: Apache-2.0 */
/* What is played, from an INI file or from one word. docs/rehearsal.md describes it.
 *
 *   [module]      boot = MS
 *   [session 1]   end = CODE|restart, step, refuse, check, download, size, received, part, restart, install
 *   [session *]   the same for every further session; without it they succeed
 *   [line]        see badline.h */
#ifndef MODULE_REHEARSAL_FILE_H
#define MODULE_REHEARSAL_FILE_H

#include <stdio.h>

#include "badline.h"
#include "rehearsal_cause.h"

#define REHEARSAL_SESSION_MAX 64u
#define REHEARSAL_TEXT_BYTES  512u

struct rehearsal_session {
	const struct rehearsal_cause *cause;
	uint32_t check_ms, download_ms; /* what each step takes, if it comes to its end */
	uint32_t size_bytes;
	uint32_t stop_bytes;   /* of the package, where a download ends early */
	uint16_t install_code; /* +FOTARESULT of an installation of this package */
	uint32_t restart_ms;   /* the module restarts so long after the final code; 0: no */
};

struct rehearsal_file {
	struct rehearsal_session sessions[REHEARSAL_SESSION_MAX];
	unsigned session_count;
	struct rehearsal_session further; /* those behind the last */
	uint32_t boot_ms;                 /* a restart takes so long */
	struct badline_cfg line;
};

/* `word` is "306" (that code), "install-306" (the installation's result), "303-refused" (the command is refused with
 * it), "restart", or the name of a file. False and a text for the user if it is none of these, or if the file is not
 * right; the text names file and line, and what is allowed there. */
bool rehearsal_file_load(struct rehearsal_file *file, const char *word, char text[REHEARSAL_TEXT_BYTES]);
/* The same from an open file; `name` is for the text. Leaves `f` open. */
bool rehearsal_file_read(struct rehearsal_file *file, const char *name, FILE *f, char text[REHEARSAL_TEXT_BYTES]);

#endif
