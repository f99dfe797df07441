/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR diagnostic notation (RFC 8949 section 8, with << >> of RFC 8610 for CBOR in byte
 * strings) of a manifest, with the names that the SUIT draft uses as comments. */
#ifndef TOOL_SUIT_DIAG_H
#define TOOL_SUIT_DIAG_H

#include <stdio.h>

#include "fota/bytes.h"
#include "suit_names.h"

/* False and nothing printed if the bytes are not one item of deterministic CBOR. Byte
 * strings that should have CBOR in them and have not are printed as bytes. Texts are
 * printed so that no terminal takes a part of them for a command. */
bool suit_diag_print(FILE *out, struct fota_bytes item, enum suit_kind kind);

#endif
