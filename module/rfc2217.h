/* SPDX-License-Identifier: Apache-2.0 */
/* The server's side of RFC 2217 (COM port control over telnet), apart from any socket:
 * bytes of the client come in, data and answers go out. There is no speed behind it:
 * what a client sets is remembered and acknowledged. */
#ifndef MODULE_RFC2217_H
#define MODULE_RFC2217_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RFC2217_TAKE_MAX  512u /* bytes of one call, so that all answers fit */
#define RFC2217_REPLY_MAX 4096u
#define RFC2217_SUB_MAX   32u /* of a subnegotiation; what is behind is not looked at */
#define RFC2217_OPTIONS   4u

struct rfc2217 {
	/* private */
	uint8_t state, command;
	uint8_t sub_len;
	bool is_suspended;
	bool is_purged;
	uint8_t us, him; /* options that are on, one bit for each that is known */
	uint32_t baud;
	uint8_t settings[3]; /* data size, parity, stop size */
	uint8_t controls[5]; /* by group of SET-CONTROL */
	uint8_t line_mask, modem_mask;
	size_t reply_len;
	uint8_t sub[RFC2217_SUB_MAX];
	uint8_t replies[RFC2217_REPLY_MAX];
};

/* A new connection: 115200 8N1, nothing negotiated. */
void rfc2217_init(struct rfc2217 *it);

/* Takes at most RFC2217_TAKE_MAX bytes of the client while no replies wait; leaves the
 * data among them at the front of `bytes`, and returns how many. */
size_t rfc2217_take(struct rfc2217 *it, uint8_t *bytes, size_t len);

bool rfc2217_has_replies(const struct rfc2217 *it);
/* Moves answers into `to`; returns how many bytes. */
size_t rfc2217_get_replies(struct rfc2217 *it, uint8_t *to, size_t cap);
/* Escapes data into `to`; returns the bytes there, *taken how many of `from` they are. */
size_t rfc2217_escape(uint8_t *to, size_t cap, const uint8_t *from, size_t len, size_t *taken);

/* The client does not want data now. */
bool rfc2217_is_suspended(const struct rfc2217 *it);
/* True once: the client wants what waits for it dropped. */
bool rfc2217_get_purge(struct rfc2217 *it);

#endif
