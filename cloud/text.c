/* SPDX-License-Identifier: Apache-2.0 */
/* Strict parsers: what is not exactly of the form is refused, never guessed. */
#include "text.h"

#include <time.h>

const char *cloud_time_text(int64_t unix_s, char text[CLOUD_TIME_CAP])
{
	time_t seconds = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(text, CLOUD_TIME_CAP, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) { text[0] = 0; }
	return text;
}

void cloud_hex_put(const uint8_t *bytes, size_t len, char *hex)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * len] = 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') { return c - '0'; }
	if (c >= 'a' && c <= 'f') { return c - 'a' + 10; }
	if (c >= 'A' && c <= 'F') { return c - 'A' + 10; }
	return -1;
}

bool cloud_hex_get(const char *hex, uint8_t *bytes, size_t len)
{
	if (strlen(hex) != 2 * len) { return false; }
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(hex[2 * i]);
		int low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0) { return false; }
		bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z') { return c - 'A'; }
	if (c >= 'a' && c <= 'z') { return c - 'a' + 26; }
	if (c >= '0' && c <= '9') { return c - '0' + 52; }
	if (c == '+') { return 62; }
	return c == '/' ? 63 : -1;
}

bool cloud_base64_get(const char *text, size_t text_len, uint8_t *bytes, size_t len)
{
	size_t digit_count = (len * 8 + 5) / 6;
	uint32_t bits = 0;
	unsigned bit_count = 0;
	size_t filled = 0;

	if (text_len != (len + 2) / 3 * 4) { return false; }
	for (size_t i = 0; i < text_len; i++) {
		int value = base64_value(text[i]);

		if (i >= digit_count) {
			if (text[i] != '=') { return false; }
			continue;
		}
		if (value < 0) { return false; }
		bits = bits << 6 | (uint32_t)value;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			bytes[filled++] = (uint8_t)(bits >> bit_count);
		}
	}
	return filled == len && (bits & ((1u << bit_count) - 1)) == 0;
}

bool cloud_number_get(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;

	if (!*text) { return false; }
	for (; *text; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (digit > 9 || digit > max || sum > (max - digit) / 10) { return false; }
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}
