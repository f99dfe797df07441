/* SPDX-License-Identifier: Apache-2.0 */
#include "key_message.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

int key_fail(struct key_message *message, const char *format, ...)
{
	va_list args;

	if (!message) { return -1; }
	va_start(args, format);
	vsnprintf(message->text, sizeof message->text, format, args);
	va_end(args);
	return -1;
}
