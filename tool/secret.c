/* SPDX-License-Identifier: Apache-2.0 */
/* The prompt reads byte by byte with signals of the terminal switched off: Ctrl-C is a
 * byte then, so that the echo is back on in each case without a signal handler. */
#include "secret.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "file.h"

enum { KEY_CTRL_C = 3, KEY_CTRL_D = 4, KEY_BACKSPACE = 8, KEY_CTRL_U = 21, KEY_DELETE = 127 };

/* True when the line is complete. *len is set to SIZE_MAX if it was given up. */
static bool take_key(unsigned char key, char *text, size_t *len, size_t cap)
{
	switch (key) {
	case '\r':
	case '\n':
	case KEY_CTRL_D:
		return true;
	case KEY_CTRL_C:
		*len = SIZE_MAX;
		return true;
	case KEY_CTRL_U:
		*len = 0;
		return false;
	case KEY_BACKSPACE:
	case KEY_DELETE:
		*len -= *len > 0;
		return false;
	default:
		if (*len < cap - 1) { text[(*len)++] = (char)key; }
		return false;
	}
}

static enum tool_status read_keys(int fd, char *text, size_t cap, struct tool_error *err)
{
	unsigned char key;
	size_t len = 0;

	while (read(fd, &key, 1) == 1) {
		if (!take_key(key, text, &len, cap)) { continue; }
		if (len == SIZE_MAX) { return tool_fail(err, TOOL_STATUS_CANCELLED, "cancelled"); }
		break;
	}
	text[len] = '\0';
	return TOOL_STATUS_OK;
}

static enum tool_status ask_quietly(int fd, const char *what, char *text, size_t cap, struct tool_error *err)
{
	enum tool_status status;

	dprintf(fd, "%s: ", what);
	status = read_keys(fd, text, cap, err);
	dprintf(fd, "\r\n");
	return status;
}

/* What is typed for the first time is typed twice: nobody sees it. */
static enum tool_status ask_again(int fd, const char *text, size_t cap, struct tool_error *err)
{
	char again[TOOL_SECRET_MAX_BYTES];
	enum tool_status status = ask_quietly(fd, "once more", again, cap < sizeof again ? cap : sizeof again, err);

	if (!status && strcmp(text, again) != 0) {
		status = tool_fail(err, TOOL_STATUS_FAIL, "the two are not the same; nothing was done");
	}
	explicit_bzero(again, sizeof again);
	return status;
}

static enum tool_status ask(int fd, const struct tool_secret_source *source, char *text, size_t cap,
			    struct tool_error *err)
{
	struct termios before, quiet;
	enum tool_status status;

	if (tcgetattr(fd, &before)) { return tool_fail(err, TOOL_STATUS_FAIL, "the terminal cannot be used"); }
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	quiet.c_cc[VMIN] = 1;
	quiet.c_cc[VTIME] = 0;
	if (tcsetattr(fd, TCSAFLUSH, &quiet)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "the terminal cannot be used");
	}
	status = ask_quietly(fd, source->what, text, cap, err);
	if (!status && source->is_new && text[0]) { status = ask_again(fd, text, cap, err); }
	tcsetattr(fd, TCSAFLUSH, &before);
	return status;
}

static enum tool_status prompt(const struct tool_secret_source *source, char *text, size_t cap, struct tool_error *err)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	enum tool_status status;

	if (fd < 0) {
		return tool_fail(err, TOOL_STATUS_FAIL,
				 "%s is missing: give it with %s FILE or in the environment as %s", source->what,
				 source->file_option, source->variable);
	}
	status = ask(fd, source, text, cap, err);
	close(fd);
	return status;
}

static bool is_visible(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at < 0x21 || *at > 0x7e) { return false; }
	}
	return *text != '\0';
}

/* An ASCII control character breaks a passphrase that is typed; other bytes have to be UTF-8. */
static bool is_passphrase(const char *text)
{
	char plain[TOOL_SECRET_MAX_BYTES];
	bool is_same;

	snprintf(plain, sizeof plain, "%s", text);
	tool_make_plain(plain);
	is_same = strcmp(plain, text) == 0;
	explicit_bzero(plain, sizeof plain);
	return is_same && *text != '\0';
}

enum tool_status tool_secret_get(const struct tool_secret_source *source, char *secret, size_t cap,
				 struct tool_error *err)
{
	const char *value = getenv(source->variable);
	enum tool_status status = TOOL_STATUS_OK;

	if (source->file) {
		status = tool_file_read(source->file, secret, cap, err);
	} else if (value && *value) {
		if (strlen(value) >= cap) {
			return tool_fail(err, TOOL_STATUS_FAIL, "%s is too long", source->variable);
		}
		strcpy(secret, value);
	} else {
		status = prompt(source, secret, cap, err);
	}
	if (status) { return status; }
	if (source->is_passphrase) {
		if (is_passphrase(secret)) { return TOOL_STATUS_OK; }
		return tool_fail(err, TOOL_STATUS_FAIL, "%s has to be text of at least one character", source->what);
	}
	if (!is_visible(secret)) {
		return tool_fail(err, TOOL_STATUS_FAIL, "%s has to be visible ASCII characters without blanks",
				 source->what);
	}
	return TOOL_STATUS_OK;
}
