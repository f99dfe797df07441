/* SPDX-License-Identifier: Apache-2.0 */
/* From a line to commands (V.250 5.3, 5.4). A command is parsed to its end,
 * separator included, before its handler runs: what breaks the syntax has no effect.
 *
 * Values are handed over as slices of the line. A string with escapes is unescaped in
 * place; each \HH that becomes one octet leaves two free behind the string, which
 * keep where it was, so that the line is put back after the handler ran. A/ then
 * finds it whole, and the product secret is in one place only.
 *
 * Choices (docs/at-commands.md): an empty element, \00, octets outside of 0x20..0x7E
 * in a name or a number are ERROR; octets from 0x80 on pass inside strings. A ';' behind
 * a basic command is accepted, as modules do. */
#include "at/at_priv.h"

enum { END = -1 }; /* no character left */

struct element {
	const struct at_command *cmd;
	void *ctx;
	enum at_form form;
	struct at_arg args[AT_ARG_MAX];
};

/* ---- characters ---- */

static int peek(const struct at_server *at)
{
	return at->line_off < at->line_len ? at->line[at->line_off] : END;
}

static bool accept(struct at_server *at, char c)
{
	if (peek(at) != c) { return false; }
	at->line_off++;
	return true;
}

static bool accept_end(struct at_server *at)
{
	return peek(at) == END || accept(at, ';');
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static int upper(int c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
}

static bool is_letter(int c)
{
	return upper(c) >= 'A' && upper(c) <= 'Z';
}

static bool is_one_of(int c, const char *set)
{
	return c > 0 && strchr(set, c) != NULL;
}

/* The value of a hexadecimal digit, or -1. */
static int hex_digit(int c)
{
	if (is_digit(c)) { return c - '0'; }
	return upper(c) >= 'A' && upper(c) <= 'F' ? upper(c) - 'A' + 10 : -1;
}

/* ---- spaces ---- */

static bool is_number_after_space(const struct at_server *at, size_t off)
{
	while (off < at->line_len && at->line[off] == ' ') {
		off++;
	}
	return off < at->line_len && is_digit(at->line[off]);
}

/* Removes spaces outside strings (V.250 5.2.1), but not one that parts two
 * digits: a number has none inside, and `=1 0` must not become 10. */
static void squeeze(struct at_server *at)
{
	bool is_string = false;
	size_t len = 0;

	for (size_t i = 0; i < at->line_len; i++) {
		uint8_t c = at->line[i];
		bool is_inside = len > 0 && is_digit(at->line[len - 1]) && is_number_after_space(at, i);

		if (c == '"') { is_string = !is_string; }
		if (c != ' ' || is_string || is_inside) { at->line[len++] = c; }
	}
	memset(at->line + len, 0, at->line_len - len);
	at->line_len = (uint16_t)len;
}

/* ---- values ---- */

static bool parse_uint(struct at_server *at, uint32_t *number)
{
	uint32_t value = 0;

	if (!is_digit(peek(at))) { return false; }
	while (is_digit(peek(at))) {
		uint32_t digit = (uint32_t)(peek(at) - '0');

		if (value > (UINT32_MAX - digit) / 10) { return false; }
		value = value * 10 + digit;
		at->line_off++;
	}
	*number = value;
	return true;
}

/* The octet of the escape at `off` (behind its backslash), or -1. */
static int escape_octet(const struct at_server *at, size_t off)
{
	int high, low;

	if (at->line_len - off < 2) { return -1; }
	high = hex_digit(at->line[off]);
	low = hex_digit(at->line[off + 1]);
	if (high < 0 || low < 0 || high + low == 0) { return -1; }
	return high * 16 + low;
}

/* Moves behind the closing quote. False if there is none, or for an octet that
 * has no place in a string; nothing is changed by then. */
static bool scan_string(struct at_server *at)
{
	while (peek(at) != '"') {
		int c = peek(at);
		bool is_escape = accept(at, '\\');

		if (c == END || c == AT_DEL || (is_escape && escape_octet(at, at->line_off) < 0)) { return false; }
		at->line_off = (uint16_t)(at->line_off + (is_escape ? 2 : 1));
	}
	at->line_off++;
	return true;
}

/* Unescapes `raw_len` characters at `off`; the length left. Each octet's place is
 * put on the pile that grows down from the end of the string. */
static size_t unescape(struct at_server *at, size_t off, size_t raw_len)
{
	uint8_t *text = at->line + off;
	size_t len = raw_len;

	for (size_t i = 0; i < len; i++) {
		if (text[i] != '\\') { continue; }
		text[i] = (uint8_t)escape_octet(at, off + i + 1);
		len -= 2;
		memmove(text + i + 1, text + i + 3, len - i - 1);
		text[len] = (uint8_t)(i & 0xff);
		text[len + 1] = (uint8_t)(i >> 8);
	}
	return len;
}

static void write_escape(uint8_t *text, uint8_t c)
{
	static const char hex[] = "0123456789ABCDEF";

	text[0] = '\\';
	text[1] = (uint8_t)hex[c >> 4];
	text[2] = (uint8_t)hex[c & 15];
}

/* Takes the pile down again: the inverse of unescape. */
static void escape(uint8_t *text, size_t len, size_t raw_len)
{
	while (len < raw_len) {
		size_t i = text[len] | (size_t)text[len + 1] << 8;

		memmove(text + i + 3, text + i + 1, len - i - 1);
		write_escape(text + i, text[i]);
		len += 2;
	}
}

static void restore_line(struct at_server *at, const struct element *el)
{
	for (size_t i = 0; i < AT_ARG_MAX; i++) {
		const struct at_arg *arg = &el->args[i];

		if (arg->raw_len > 0) { escape(at->line + (arg->text.ptr - at->line), arg->text.len, arg->raw_len); }
	}
}

static bool parse_string(struct at_server *at, struct at_arg *arg)
{
	size_t off;

	if (!accept(at, '"')) { return false; }
	off = at->line_off;
	if (!scan_string(at)) { return false; }
	arg->raw_len = (uint16_t)(at->line_off - 1 - off);
	arg->text = (struct fota_bytes) { at->line + off, unescape(at, off, arg->raw_len) };
	return true;
}

static bool is_within(const struct at_param *param, size_t value)
{
	return value >= param->min && value <= param->max;
}

static bool parse_value(struct at_server *at, const struct at_param *param, struct at_arg *arg)
{
	arg->is_given = true;
	if (param->kind == AT_STRING) { return parse_string(at, arg) && is_within(param, arg->text.len); }
	return parse_uint(at, &arg->number) && is_within(param, arg->number);
}

/* Values part at commas; one left out takes its default (V.250 5.4.2.3). */
static bool parse_values(struct at_server *at, struct element *el)
{
	bool is_more = true;

	for (size_t i = 0; i < el->cmd->param_count; i++) {
		const struct at_param *param = &el->cmd->params[i];

		if (i > 0) { is_more = is_more && accept(at, ','); }
		if (is_more && peek(at) != END && !is_one_of(peek(at), ",;")) {
			if (!parse_value(at, param, &el->args[i])) { return false; }
		} else if (param->is_optional) {
			el->args[i].number = param->default_uint;
		} else {
			return false;
		}
	}
	return accept_end(at);
}

/* ---- names and forms ---- */

static bool is_name(const char *name, struct fota_bytes typed)
{
	if (strlen(name) != typed.len) { return false; }
	for (size_t i = 0; i < typed.len; i++) {
		if (name[i] != upper(typed.ptr[i])) { return false; }
	}
	return true;
}

const struct at_command *at_line_find(const struct at_server *at, struct fota_bytes name, void **ctx)
{
	for (size_t t = 0; t < at->cfg->table_count; t++) {
		const struct at_table *table = &at->cfg->tables[t];

		for (size_t i = 0; i < table->count; i++) {
			if (!is_name(table->rows[i].name, name)) { continue; }
			*ctx = table->ctx;
			return &table->rows[i];
		}
	}
	return NULL;
}

static bool find(const struct at_server *at, struct fota_bytes name, struct element *el)
{
	el->cmd = at_line_find(at, name, &el->ctx);
	return el->cmd != NULL;
}

static bool set_form(struct element *el, enum at_form form)
{
	el->form = form;
	return (el->cmd->forms & form) != 0;
}

/* "S" and the number without leading zeros. */
static bool parse_register(struct at_server *at, struct element *el)
{
	char name[1 + AT_UINT_DIGITS] = "S";
	uint32_t number;

	if (!parse_uint(at, &number)) { return false; }
	if (!find(at, (struct fota_bytes) { (const uint8_t *)name, 1 + at_out_format(name + 1, number) }, el)) {
		return false;
	}
	if (accept(at, '?')) { return set_form(el, AT_READ); }
	return accept(at, '=') && set_form(el, AT_SET) && parse_value(at, &el->cmd->params[0], &el->args[0]);
}

/* A basic command has one number, none is the default (V.250 5.3.1). */
static bool parse_basic_number(struct at_server *at, struct element *el)
{
	if (set_form(el, AT_DIAL)) {
		at->line_off = at->line_len;
		return true;
	}
	if (el->cmd->param_count == 0) { return set_form(el, AT_ACTION) && !is_digit(peek(at)); }
	el->args[0].number = el->cmd->params[0].default_uint;
	if (!set_form(el, AT_SET)) { return false; }
	return !is_digit(peek(at)) || parse_value(at, &el->cmd->params[0], &el->args[0]);
}

static bool parse_basic(struct at_server *at, struct element *el)
{
	const uint8_t *name = at->line + at->line_off;
	size_t len = accept(at, '&') ? 2 : 1;
	bool is_parsed;

	if (!is_letter(peek(at))) { return false; }
	at->line_off++;
	if (len == 1 && upper(name[0]) == 'S') {
		is_parsed = parse_register(at, el);
	} else {
		is_parsed = find(at, (struct fota_bytes) { name, len }, el) && parse_basic_number(at, el);
	}
	(void)accept(at, ';');
	return is_parsed;
}

/* V.250 5.4.1; the name is as long as its characters go. */
static bool parse_extended_name(struct at_server *at, struct element *el)
{
	size_t off = at->line_off++;

	while (is_letter(peek(at)) || is_digit(peek(at)) || is_one_of(peek(at), "!%-./:_")) {
		at->line_off++;
	}
	return find(at, (struct fota_bytes) { at->line + off, at->line_off - off }, el);
}

static bool parse_extended_form(struct at_server *at, struct element *el)
{
	if (accept_end(at)) { return set_form(el, AT_ACTION); }
	if (accept(at, '?')) { return set_form(el, AT_READ) && accept_end(at); }
	if (!accept(at, '=')) { return false; }
	if (accept(at, '?')) { return set_form(el, AT_TEST) && accept_end(at); }
	return set_form(el, AT_SET);
}

static enum at_result refuse_values(struct at_server *at, const struct at_command *cmd)
{
	return cmd->value_cme ? at_cme(at, cmd->value_cme) : AT_ERROR;
}

static enum at_result parse_extended(struct at_server *at, struct element *el)
{
	if (!parse_extended_name(at, el) || !parse_extended_form(at, el)) { return AT_ERROR; }
	if (el->form == AT_SET && !parse_values(at, el)) { return refuse_values(at, el->cmd); }
	return AT_OK;
}

static enum at_result parse(struct at_server *at, struct element *el)
{
	if (is_one_of(peek(at), "+#$*^%_")) { return parse_extended(at, el); }
	return parse_basic(at, el) ? AT_OK : AT_ERROR;
}

/* ---- running ---- */

static enum at_result answer_test(struct at_server *at, const struct at_command *cmd)
{
	if (cmd->test_text) {
		at_info_begin_named(at, cmd->name);
		at_info_text(at, cmd->test_text);
		at_info_end(at);
	}
	return AT_OK;
}

static enum at_result execute(struct at_server *at, const struct element *el)
{
	struct at_call call = { el->cmd, el->ctx, el->form, el->args };
	enum at_result result;

	at->is_info_begun = false;
	if (el->form == AT_TEST) { return answer_test(at, el->cmd); }
	result = el->cmd->run(at, &call);
	if (result == AT_PENDING) {
		at->running = el->cmd;
		at->running_ctx = el->ctx;
		at->running_form = (uint8_t)el->form;
	}
	return result;
}

static enum at_result run_next(struct at_server *at)
{
	struct element el = { 0 };
	enum at_result result = parse(at, &el);

	if (result == AT_OK) { result = execute(at, &el); }
	restore_line(at, &el);
	return result;
}

void at_line_begin(struct at_server *at)
{
	at->line_off = 0;
	if (at->line_len <= AT_LINE_BYTES) {
		squeeze(at);
	} else {
		at->stats.long_line_count++;
	}
}

enum at_result at_line_run(struct at_server *at)
{
	enum at_result result = at->line_len <= AT_LINE_BYTES ? AT_OK : AT_ERROR;

	while (result == AT_OK && at->line_off < at->line_len) {
		result = run_next(at);
	}
	return result;
}
