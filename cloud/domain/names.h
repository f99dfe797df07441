/* SPDX-License-Identifier: Apache-2.0 */
/* Bounds of the texts that people and hosts give (the AT interface sets them). Each returns
 * NULL if the text is good, else what is wrong with it, to follow the field's name. */
#ifndef CLOUD_DOMAIN_NAMES_H
#define CLOUD_DOMAIN_NAMES_H

/* OEM, model: 1 to 64 bytes without control characters. */
const char *cloud_name_check(const char *text);
/* A version: the same, 1 to 128 bytes. */
const char *cloud_version_name_check(const char *text);
/* 1 to 20 decimal digits. */
const char *cloud_product_id_check(const char *text);
/* 16 to 64 visible ASCII characters without '"'. */
const char *cloud_secret_check(const char *text);
/* A label or a note for people: at most 4,096 bytes, may be empty. */
const char *cloud_note_check(const char *text);

#endif
