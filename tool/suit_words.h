/* SPDX-License-Identifier: Apache-2.0 */
/* What a module does with a manifest, command by command, in words. */
#ifndef TOOL_SUIT_WORDS_H
#define TOOL_SUIT_WORDS_H

#include <stdio.h>

#include "fota/suit.h"

/* Of a manifest that fota_suit_get took apart without error. */
void suit_words_print(FILE *out, const struct fota_suit *suit);

#endif
