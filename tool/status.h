/* SPDX-License-Identifier: Apache-2.0 */
/* The exit statuses of the tool, and how its parts tell what went wrong: a status
 * and a text with the next step in it. Nothing but main prints them. */
#ifndef TOOL_STATUS_H
#define TOOL_STATUS_H

#include <stdio.h>

/* name, number, where it comes from (m: module commands, p: platform commands, s: keys and packages, b: all), text.
 * --help and the manual page are made from this list. */
#define TOOL_STATUS_LIST(X)                                                                                           \
	X(OK, 0, 'b', "done; of an upgrade: the package is on the module, verified (code 3)")                         \
	X(FAIL, 1, 'b',                                                                                               \
	  "wrong usage, or a failure of the tool itself (a file, a key, a port, the terminal); of 'package verify': " \
	  "the package is not right")                                                                                 \
	X(CHANGE, 2, 'm', "a parameter or the configuration has to change (codes of class X)")                        \
	X(RETRY, 3, 'm', "worth trying again unchanged (codes of class R, time limit, restart)")                      \
	X(MODULE, 4, 'm', "the module refuses without a code, does not answer, or is gone")                           \
	X(NOTHING, 5, 'm', "nothing to do: the module is up to date, or nothing is published (code 5)")               \
	X(CANCELLED, 6, 'b', "cancelled (Ctrl-C, or code 307)")                                                       \
	X(REFUSED, 7, 'p', "the platform refuses the request")                                                        \
	X(UNREACHABLE, 8, 'p', "the platform cannot be reached or fails on its own; worth trying again")

enum tool_status {
#define TOOL_STATUS_ENUM(name, number, where, text) TOOL_STATUS_##name = (number),
	TOOL_STATUS_LIST(TOOL_STATUS_ENUM)
#undef TOOL_STATUS_ENUM
};

struct tool_status_info {
	int number;
	char where;
	const char *text;
};

/* All rows; *count is set. Constant data. */
const struct tool_status_info *tool_status_list(unsigned *count);

/* One line each, for --help; `where` is 'm', 'p' or 's', or 'b' for all. */
void tool_status_print(FILE *out, char where);

struct tool_error {
	char text[1024];
};

/* Fills *err and gives `status`, so that a failure is one statement. */
enum tool_status tool_fail(struct tool_error *err, enum tool_status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* For text that came from elsewhere: control characters, which could move the cursor or
 * worse, and bytes that are no UTF-8 become '?'. */
void tool_make_plain(char *text);

/* Prints it so. */
void tool_print_plain(FILE *out, const char *text);

#endif
