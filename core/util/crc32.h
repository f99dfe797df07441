/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 (ISO-HDLC, as in zlib and Ethernet) for records in storage. */
#ifndef FOTA_CRC32_H
#define FOTA_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* The CRC of `len` bytes that follow those of `crc`; begin with 0. */
uint32_t fota_crc32(uint32_t crc, const uint8_t *bytes, size_t len);

#endif
