/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the files in tests/transcripts: whole input, whole expected output. Each file runs
 * with every `>` line fed whole, byte by byte, and with the input split at each
 * position; the output must be the same. The format is in tests/transcripts/README.md.
 *
 * Usage: test_at_transcripts DIRECTORY */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define FILES_MAX      64
#define LINE_MAX_BYTES 4096

enum feeding { FEED_WHOLE, FEED_BYTES, FEED_SPLIT };

struct play {
	enum feeding feeding;
	size_t split;  /* of all input, for FEED_SPLIT */
	size_t fed;    /* so far */
	bool is_ready; /* the rig is initialised */
	unsigned port; /* of > and < */
	unsigned line;
	const char *path;
	char expected[RIG_PORTS][RIG_OUT];
	size_t expected_len[RIG_PORTS];
};

static struct rig rig;
static struct play play;

static void refuse(const char *why)
{
	fail_msg("%s:%u: %s", play.path, play.line, why);
}

/* ---- text ---- */

static unsigned hex_pair(const char *text)
{
	char digits[3] = { text[0], text[0] ? text[1] : 0, 0 };

	if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1])) {
		refuse("\\x needs two digits");
	}
	return (unsigned)strtoul(digits, NULL, 16);
}

/* \r \n \\ \xHH; the length. */
static size_t unescape(const char *text, char *out)
{
	size_t len = 0;

	while (*text) {
		char c = *text++;

		if (c == '\\') {
			c = *text++;
			if (c == 'r') {
				c = '\r';
			} else if (c == 'n') {
				c = '\n';
			} else if (c == 'x') {
				c = (char)hex_pair(text);
				text += 2;
			} else if (c != '\\') {
				refuse("unknown escape");
			}
		}
		out[len++] = c;
	}
	return len;
}

static void print_escaped(FILE *f, const char *what, const char *text, size_t len)
{
	fprintf(f, "%s", what);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\r') {
			fprintf(f, "\\r");
		} else if (c == '\n') {
			fprintf(f, "\\n");
		} else if (c < ' ' || c >= 127) {
			fprintf(f, "\\x%02x", c);
		} else {
			fputc(c, f);
		}
	}
	fputc('\n', f);
}

/* ---- directives ---- */

/* What came out so far is what was expected so far, on both ports. */
static void check(void)
{
	for (unsigned i = 0; i < RIG_PORTS; i++) {
		const struct rig_port *port = &rig.ports[i];
		size_t len = play.expected_len[i];

		if (port->out_len == len && memcmp(port->out, play.expected[i], len) == 0) { continue; }
		print_escaped(stderr, "expected: ", play.expected[i], len);
		print_escaped(stderr, "got:      ", port->out, port->out_len);
		fail_msg("%s:%u: port %u, feeding %d, split %zu", play.path, play.line, i, play.feeding, play.split);
	}
}

static size_t first_part(size_t len)
{
	if (play.feeding == FEED_BYTES) { return 1; }
	if (play.feeding == FEED_SPLIT && play.split > play.fed && play.split < play.fed + len) {
		return play.split - play.fed;
	}
	return len;
}

static void feed(const char *bytes, size_t len)
{
	while (len > 0) {
		size_t part = first_part(len);

		rig_feed_bytes(&rig, play.port, bytes, part);
		play.fed += part;
		bytes += part;
		len -= part;
	}
}

static void do_in(const char *text)
{
	char bytes[LINE_MAX_BYTES];

	feed(bytes, unescape(text, bytes));
}

static void do_out(const char *text)
{
	size_t *len = &play.expected_len[play.port];

	*len += unescape(text, play.expected[play.port] + *len);
}

static void do_profile(const char *text)
{
	if (!rig_init(&rig, text)) { refuse("no such profile"); }
	play.is_ready = true;
}

static void do_port(const char *text)
{
	play.port = (unsigned)strtoul(text, NULL, 10);
	if (play.port >= RIG_PORTS) { refuse("no such port"); }
}

static void do_wait(const char *text)
{
	check();
	rig_wait(&rig, strtoull(text, NULL, 10));
}

static void do_result(const char *text)
{
	check();
	(void)at_urc(&rig.ports[play.port].at, AT_URC_RESULT, fota_bytes_of(text));
}

static void do_progress(const char *text)
{
	check();
	(void)at_urc(&rig.ports[play.port].at, AT_URC_PROGRESS, fota_bytes_of(text));
}

static void do_complete(const char *text)
{
	struct at_server *at = &rig.ports[play.port].at;

	check();
	if (strcmp(text, "ok") == 0) {
		at_complete(at, AT_OK, rig.now_ms);
	} else {
		at_complete(at, at_cme(at, (unsigned)strtoul(text, NULL, 10)), rig.now_ms);
	}
}

/* "0 V1 V2" */
static void do_installed(const char *text)
{
	char old_version[32], new_version[32];
	int code;

	assert_int_equal(sscanf(text, "%d %31s %31s", &code, old_version, new_version), 3);
	fake_session_result(&rig.session, (enum fota_code)code, old_version, new_version);
}

static void do_session(const char *text)
{
	char *end;
	unsigned long code = strtoul(text, &end, 10);

	check();
	if (!fota_code_find((int)code)) { refuse("no such code"); }
	fake_session_meet(&rig.session, (enum fota_code)code, end + strspn(end, " "));
}

static void do_received(const char *text)
{
	char *end;
	uint64_t received = strtoull(text, &end, 10);

	check();
	fake_session_receive(&rig.session, received, strtoull(end, NULL, 10));
}

static void do_turn(const char *text)
{
	(void)text;
	check();
	fake_session_turn(&rig.session);
}

static const struct {
	const char *word;
	void (*run)(const char *text);
} directives[] = {
	{ ">", do_in },
	{ "<", do_out },
	{ "port", do_port },
	{ "wait", do_wait },
	{ "result", do_result },
	{ "progress", do_progress },
	{ "complete", do_complete },
	{ "session", do_session },
	{ "installed", do_installed },
	{ "received", do_received },
	{ "turn", do_turn },
	{ "profile", do_profile },
};

static void run_line(char *line)
{
	size_t word_len = strcspn(line, " \n");
	char *text = line + word_len;

	line[strcspn(line, "\n")] = 0;
	if (line[0] == 0 || line[0] == '#') { return; }
	if (*text == ' ') { text++; }
	for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++) {
		if (strlen(directives[i].word) != word_len || memcmp(line, directives[i].word, word_len) != 0) {
			continue;
		}
		if (!play.is_ready && directives[i].run != do_profile) {
			refuse("the first directive must be profile");
		}
		directives[i].run(text);
		return;
	}
	refuse("unknown directive");
}

/* Plays the file once; how many bytes of input it has. */
static size_t play_file(const char *path, enum feeding feeding, size_t split)
{
	char line[LINE_MAX_BYTES];
	FILE *f = fopen(path, "r");

	memset(&play, 0, sizeof(play));
	play.path = path;
	play.feeding = feeding;
	play.split = split;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		play.line++;
		run_line(line);
	}
	(void)fclose(f);
	check();
	if (play.fed == 0 || play.expected_len[0] == 0) { refuse("nothing was fed or expected"); }
	return play.fed;
}

static void run_transcript(void **state)
{
	const char *path = *state;
	size_t len = play_file(path, FEED_WHOLE, 0);

	(void)play_file(path, FEED_BYTES, 0);
	for (size_t split = 1; split < len; split++) {
		(void)play_file(path, FEED_SPLIT, split);
	}
}

/* ---- files ---- */

static int is_transcript(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && strcmp(entry->d_name + len - 3, ".at") == 0;
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[FILES_MAX];
	static char paths[FILES_MAX][1024];
	struct dirent **entries;
	int count = argc == 2 ? scandir(argv[1], &entries, is_transcript, alphasort) : -1;

	if (count <= 0 || count > FILES_MAX) {
		fprintf(stderr, "usage: %s DIRECTORY (with 1 to %d files *.at)\n", argv[0], FILES_MAX);
		return 2;
	}
	for (int i = 0; i < count; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", argv[1], entries[i]->d_name);
		tests[i] = (struct CMUnitTest) { .name = strrchr(paths[i], '/') + 1,
						 .test_func = run_transcript,
						 .initial_state = paths[i] };
		free(entries[i]);
	}
	free(entries);
	return _cmocka_run_group_tests("transcripts", tests, (size_t)count, NULL, NULL);
}
