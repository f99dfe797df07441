/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_COLUMNS      30u
#define BAR_INTERVAL_MS  100u
#define LINE_INTERVAL_MS 5000u
#define SIZE_TEXT_BYTES  16u

uint64_t tool_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void tool_progress_init(struct tool_progress *progress, FILE *out, const char *label)
{
	*progress = (struct tool_progress) {
		.out = out,
		.label = label,
		.is_terminal = out && isatty(fileno(out)),
		.begin_ms = UINT64_MAX,
	};
}

const char *tool_size_text(uint64_t bytes, char *text)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double value = (double)bytes;
	unsigned unit = 0;

	while (value >= 999.5) {
		value /= 1000;
		unit++;
	}
	snprintf(text, SIZE_TEXT_BYTES, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

static unsigned percent_of(uint64_t done, uint64_t total)
{
	if (total == 0 || done >= total) { return 100; }
	return (unsigned)((double)done * 100.0 / (double)total);
}

static void draw_numbers(const struct tool_progress *progress, uint64_t done, uint64_t total, uint64_t now_ms)
{
	char a[SIZE_TEXT_BYTES], b[SIZE_TEXT_BYTES], speed[SIZE_TEXT_BYTES];
	uint64_t elapsed_ms = now_ms - progress->begin_ms;
	uint64_t moved = done > progress->begin_bytes ? done - progress->begin_bytes : 0;

	fprintf(progress->out, "%3u %%  %s of %s", percent_of(done, total), tool_size_text(done, a),
		tool_size_text(total, b));
	if (elapsed_ms < 500 || moved == 0) { return; }
	fprintf(progress->out, "  %s/s", tool_size_text(moved * 1000 / elapsed_ms, speed));
}

static void draw_bar(struct tool_progress *progress, uint64_t done, uint64_t total, uint64_t now_ms)
{
	char bar[BAR_COLUMNS + 1];
	unsigned full = percent_of(done, total) * BAR_COLUMNS / 100;

	memset(bar, ' ', BAR_COLUMNS);
	memset(bar, '#', full);
	bar[BAR_COLUMNS] = '\0';
	fprintf(progress->out, "\r%s [%s] ", progress->label, bar);
	draw_numbers(progress, done, total, now_ms);
	fputs("\033[K", progress->out); /* whatever stood behind it */
	progress->is_bar_shown = true;
}

static void draw_line(struct tool_progress *progress, uint64_t done, uint64_t total, uint64_t now_ms)
{
	fprintf(progress->out, "%s ", progress->label);
	draw_numbers(progress, done, total, now_ms);
	fputc('\n', progress->out);
}

void tool_progress_set(struct tool_progress *progress, uint64_t done_bytes, uint64_t total_bytes)
{
	uint64_t now_ms = tool_now_ms();
	uint32_t interval_ms = progress->is_terminal ? BAR_INTERVAL_MS : LINE_INTERVAL_MS;
	bool is_first = progress->begin_ms == UINT64_MAX;
	bool is_last = done_bytes >= total_bytes && progress->shown_bytes != done_bytes;

	if (!progress->out) { return; }
	if (is_first) {
		progress->begin_ms = now_ms;
		progress->begin_bytes = done_bytes;
		progress->shown_ms = now_ms;
		/* A short transfer is one line: its end. */
		if (!progress->is_terminal && !is_last) { return; }
	}
	if (!(is_first && progress->is_terminal) && !is_last && now_ms - progress->shown_ms < interval_ms) { return; }
	progress->shown_ms = now_ms;
	progress->shown_bytes = done_bytes;
	(progress->is_terminal ? draw_bar : draw_line)(progress, done_bytes, total_bytes, now_ms);
	fflush(progress->out);
}

void tool_progress_clear(struct tool_progress *progress)
{
	if (!progress->is_bar_shown) { return; }
	fputs("\r\033[K", progress->out);
	fflush(progress->out);
	progress->is_bar_shown = false;
}
