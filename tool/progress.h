/* SPDX-License-Identifier: Apache-2.0 */
/* Progress of a transfer: a bar that moves on a terminal, a line now and then
 * anywhere else. */
#ifndef TOOL_PROGRESS_H
#define TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct tool_progress {
	/* private */
	FILE *out;
	const char *label;
	bool is_terminal;
	bool is_bar_shown;
	uint64_t begin_ms, begin_bytes;
	uint64_t shown_ms, shown_bytes;
};

/* Milliseconds of a clock that never goes back. */
uint64_t tool_now_ms(void);

/* Keeps `out` and `label`. A NULL `out` shows nothing. */
void tool_progress_init(struct tool_progress *progress, FILE *out, const char *label);

/* `done_bytes` of `total_bytes` at this moment. */
void tool_progress_set(struct tool_progress *progress, uint64_t done_bytes, uint64_t total_bytes);

/* Takes the bar off the line, so that text can be printed; the next set draws it again. */
void tool_progress_clear(struct tool_progress *progress);

/* "12.3 MB"; the text is in `text`, at least 16 bytes. */
const char *tool_size_text(uint64_t bytes, char *text);

#endif
