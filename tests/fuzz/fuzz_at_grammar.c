/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the AT server with a model of the grammar that was written for this test from
 * docs/at-commands.md: another structure (a line is cut into commands first, each command
 * is then matched against its form as a text), no shared code.
 *
 * Input: bodies of lines, parted by CR; control characters are left out, a body is cut to the
 * line's room. Each line is fed to a fresh server, echo off, and the whole output is compared. The
 * model knows the commands of `shapes`; lines with other names are ERROR for both, since the
 * server has these commands only. */
#include <stdio.h>
#include <stdlib.h>

#include "fota/at.h"

#define OUT_BYTES 131072u
#define VALUES    3u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* ---- the server, with commands that show what was read ---- */

struct out {
	char text[OUT_BYTES];
	size_t len;
};

static struct out server_out, model_out;
static struct at_server at;

static void put(struct out *out, const char *text, size_t len)
{
	if (out->len + len > OUT_BYTES) { abort(); }
	if (len) { memcpy(out->text + out->len, text, len); }
	out->len += len;
}

static void put_text(struct out *out, const char *text)
{
	put(out, text, strlen(text));
}

static void on_write(void *ctx, const uint8_t *bytes, size_t len)
{
	put(ctx, (const char *)bytes, len);
}

static void put_number(struct out *out, uint64_t number)
{
	char digits[24];

	put(out, digits, (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number));
}

/* What both say about a command that ran: "<name>=<form>|<value>|..." */
static void show_value(struct out *out, bool is_given, bool is_string, uint64_t number, struct fota_bytes text)
{
	put_text(out, is_given ? "|" : "|~");
	if (is_string) {
		put(out, (const char *)text.ptr, text.len);
	} else {
		put_number(out, number);
	}
}

static enum at_result run(struct at_server *server, const struct at_call *call)
{
	(void)server;
	put_text(&server_out, "[");
	put_text(&server_out, call->cmd->name);
	put_number(&server_out, (uint64_t)call->form);
	for (size_t i = 0; call->form == AT_SET && i < call->cmd->param_count; i++) {
		show_value(&server_out, call->args[i].is_given, call->cmd->params[i].kind == AT_STRING,
			   call->args[i].number, call->args[i].text);
	}
	put_text(&server_out, "]");
	return AT_OK;
}

static const struct at_param mixed[] = {
	{ AT_STRING, .min = 1, .max = 4 },
	{ AT_UINT, .is_optional = true, .min = 5, .max = 4000000000u, .default_uint = 7 },
	{ AT_STRING, .is_optional = true, .max = 8 },
};
static const struct at_param number[] = { { AT_UINT, .max = 9 } };
static const struct at_param optional[] = { { AT_UINT, .is_optional = true, .max = 2 } };

static const struct at_command commands[] = {
	{ "E", AT_SET, 1, .params = optional, .run = run },
	{ "J", AT_ACTION, .run = run },
	{ "&F", AT_SET, 1, .params = optional, .run = run },
	{ "S7", AT_SET | AT_READ, 1, .params = number, .run = run },
	{ "+A", AT_ACTION | AT_TEST, .run = run },
	{ "+AB", AT_SET | AT_READ | AT_TEST, 3, .params = mixed, .test_text = "(t)", .run = run },
	{ "*C-D", AT_SET, 1, .params = number, .run = run },
};

static struct fota_bytes no_identity(void *ctx, enum fota_identity_field field)
{
	(void)ctx;
	(void)field;
	return fota_bytes_of("");
}

static void ask_server(const uint8_t *body, size_t len)
{
	static const struct fota_identity identity = { NULL, no_identity };
	static const struct at_table table = { commands, sizeof(commands) / sizeof(commands[0]), NULL };
	struct at_cfg cfg = { on_write, &server_out, NULL, &table, 1, &identity, 0, 0 };

	server_out.len = 0;
	if (at_init(&at, &cfg)) { abort(); }
	at_set_value(&at, AT_VALUE_E, 0);
	at_feed(&at, (const uint8_t *)"AT", 2, 1);
	at_feed(&at, body, len, 1);
	at_feed(&at, (const uint8_t *)"\r", 1, 1);
}

/* ---- the model ---- */

enum { TEXT_BYTES = AT_LINE_BYTES + 1 };

/* A command of the line, cut out: no blanks outside strings. */
struct piece {
	char text[TEXT_BYTES];
	size_t len;
};

static bool is_in(int c, const char *set)
{
	return c != 0 && strchr(set, c) != NULL;
}

static bool is_digit(int c)
{
	return is_in(c, "0123456789");
}

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

/* Blanks count between two digits only: "1 0" is no number. */
static size_t without_blanks(const uint8_t *body, size_t len, char *text)
{
	size_t n = 0;
	bool is_string = false, is_gap = false;

	for (size_t i = 0; i < len; i++) {
		if (body[i] == '"') { is_string = !is_string; }
		if (body[i] == ' ' && !is_string) {
			is_gap = true;
			continue;
		}
		if (is_gap && n > 0 && is_digit(text[n - 1]) && is_digit(body[i])) { text[n++] = '_'; }
		is_gap = false;
		text[n++] = (char)body[i];
	}
	text[n] = 0;
	return n;
}

static int hex(char c)
{
	const char *digits = "0123456789ABCDEF";
	const char *at_digit = c ? strchr(digits, upper(c)) : NULL;

	return at_digit ? (int)(at_digit - digits) : -1;
}

/* Each reads one thing at *text and moves behind it; false: not there, or not allowed. */
static bool read_number(const char **text, uint64_t *value)
{
	size_t count = strspn(*text, "0123456789");

	*value = 0;
	if (count == 0) { return false; }
	for (size_t i = 0; i < count; i++) {
		*value = *value * 10 + (uint64_t)((*text)[i] - '0');
		if (*value > UINT32_MAX) { return false; }
	}
	*text += count;
	return true;
}

static bool read_string(const char **text, char *value, size_t *len)
{
	const char *c = *text;

	*len = 0;
	if (*c++ != '"') { return false; }
	for (; *c != '"'; c++) {
		int octet = (unsigned char)*c;

		if (octet == 0 || octet == 127) { return false; }
		if (octet == '\\') {
			if (hex(c[1]) < 0 || hex(c[2]) < 0) { return false; }
			octet = hex(c[1]) * 16 + hex(c[2]);
			if (octet == 0) { return false; }
			c += 2;
		}
		value[(*len)++] = (char)octet;
	}
	*text = c + 1;
	return true;
}

static bool read_value(const char **text, const struct at_param *param)
{
	char string[TEXT_BYTES];
	size_t len = 0;
	uint64_t value = 0;

	if (param->kind == AT_STRING) {
		if (!read_string(text, string, &len) || len < param->min || len > param->max) { return false; }
	} else if (!read_number(text, &value) || value < param->min || value > param->max) {
		return false;
	}
	show_value(&model_out, true, param->kind == AT_STRING, value,
		   (struct fota_bytes) { (const uint8_t *)string, len });
	return true;
}

static bool read_values(const char **text, const struct at_command *cmd)
{
	for (size_t i = 0; i < cmd->param_count; i++) {
		const struct at_param *param = &cmd->params[i];

		if (i > 0 && **text == ',') {
			(*text)++;
		} else if (i > 0 && **text != 0 && **text != ';') {
			return false;
		}
		if (**text == 0 || is_in(**text, ",;")) {
			if (!param->is_optional) { return false; }
			show_value(&model_out, false, param->kind == AT_STRING, param->default_uint,
				   (struct fota_bytes) { NULL, 0 });
		} else if (!read_value(text, param)) {
			return false;
		}
	}
	return true;
}

static const struct at_command *find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const char *known = commands[i].name;
		size_t same = 0;

		while (same < len && known[same] && known[same] == upper(name[same])) {
			same++;
		}
		if (same == len && known[same] == 0) { return &commands[i]; }
	}
	return NULL;
}

static bool begin(const struct at_command *cmd, unsigned form)
{
	put_text(&model_out, "[");
	put_text(&model_out, cmd->name);
	put_number(&model_out, form);
	return (cmd->forms & form) != 0;
}

static bool end(const char **text)
{
	if (**text == ';') {
		(*text)++;
		return true;
	}
	return **text == 0;
}

static bool take_extended(const char **text)
{
	static const char name_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!%-./:_";
	size_t len = 1 + strspn(*text + 1, name_set);
	const struct at_command *cmd = find(*text, len);

	*text += len;
	if (!cmd) { return false; }
	if (strncmp(*text, "=?", 2) == 0) {
		*text += 2;
		if ((cmd->forms & AT_TEST) == 0 || !end(text)) { return false; }
		if (cmd->test_text) {
			put_text(&model_out, "\r\n");
			put_text(&model_out, cmd->name);
			put_text(&model_out, ": (t)\r\n");
		}
		return true;
	}
	if (**text == '?') {
		(*text)++;
		if (!begin(cmd, AT_READ) || !end(text)) { return false; }
	} else if (**text == '=') {
		(*text)++;
		if (!begin(cmd, AT_SET) || !read_values(text, cmd) || !end(text)) { return false; }
	} else if (!end(text) || !begin(cmd, AT_ACTION)) {
		return false;
	}
	put_text(&model_out, "]");
	return true;
}

/* "S", a number and a form. Of all registers there is 7. */
static bool take_register(const char **text)
{
	uint64_t which;

	(*text)++;
	if (!read_number(text, &which) || which != 7) { return false; }
	if (**text == '?') {
		(*text)++;
		return begin(&commands[3], AT_READ);
	}
	if (**text != '=') { return false; }
	(*text)++;
	return begin(&commands[3], AT_SET) && read_value(text, &commands[3].params[0]);
}

static bool take_basic(const char **text)
{
	size_t len = **text == '&' ? 2 : 1;
	const struct at_command *cmd;

	if (len == 1 && upper(**text) == 'S') {
		if (!take_register(text)) { return false; }
	} else {
		cmd = (*text)[len - 1] ? find(*text, len) : NULL;
		if (!cmd || is_in(cmd->name[0], "+*")) { return false; }
		*text += len;
		if (!begin(cmd, cmd->param_count ? AT_SET : AT_ACTION)) { return false; }
		if (cmd->param_count == 0 && is_digit(**text)) { return false; }
		if (cmd->param_count && is_digit(**text)) {
			if (!read_value(text, &cmd->params[0])) { return false; }
		} else if (cmd->param_count) {
			show_value(&model_out, false, false, 0, (struct fota_bytes) { NULL, 0 });
		}
	}
	if (**text == ';') { (*text)++; }
	put_text(&model_out, "]");
	return true;
}

static void ask_model(const uint8_t *body, size_t len)
{
	char line[2 * TEXT_BYTES];
	const char *text = line;
	bool is_good = true;

	model_out.len = 0;
	(void)without_blanks(body, len, line);
	while (is_good && *text) {
		size_t before = model_out.len;

		is_good = is_in(*text, "+#$*^%_") ? take_extended(&text) : take_basic(&text);
		if (!is_good) { model_out.len = before; } /* a command that fails shows nothing */
	}
	put_text(&model_out, is_good ? "\r\nOK\r\n" : "\r\nERROR\r\n");
}

/* ---- both ---- */

static void compare(const uint8_t *body, size_t len)
{
	ask_server(body, len);
	ask_model(body, len);
	if (server_out.len == model_out.len && memcmp(server_out.text, model_out.text, model_out.len) == 0) { return; }
	fprintf(stderr, "line:   AT%.*s\nserver: %.*s\nmodel:  %.*s\n", (int)len, (const char *)body,
		(int)server_out.len, server_out.text, (int)model_out.len, model_out.text);
	abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t body[AT_LINE_BYTES];
	size_t body_len = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i == len || data[i] == '\r') {
			compare(body, body_len);
			body_len = 0;
		} else if (data[i] >= ' ' && data[i] != 127 && body_len < sizeof(body)) {
			body[body_len++] = data[i];
		}
	}
	return 0;
}
