/* SPDX-License-Identifier: Apache-2.0 */
/* What the library needs from its platform: one struct of functions and a context
 * per ability. `ctx` is handed back to every call and never read by the library.
 * No function is called from an interrupt, and none may call back into the
 * library. What a port returns outside its contract is taken as CONTRACT, and the
 * session ends with 405. ports/conformance is the suite that each port must pass. */
#ifndef FOTA_PORT_H
#define FOTA_PORT_H

#include "fota/bytes.h"
#include "fota/err.h"

/* One area of storage; all offsets are from its start.
 *
 * Operations may be asynchronous. A function returns OK (done), PENDING (accepted;
 * the caller of the library reports the end with fota_session_storage), FULL (no
 * room on the medium), or IO. At most one operation of all areas of a session is
 * pending at a time. `prog` may return OK before the bytes are on the medium; an
 * error met later is returned by a later call, by `sync` at the latest. */
struct fota_flash {
	void *ctx;
	uint32_t erase_bytes;      /* unit of erase; a power of two, not 0 */
	uint32_t erase_step_bytes; /* how much to erase at a time; a multiple of erase_bytes */
	uint32_t prog_bytes;       /* unit of prog; divides erase_bytes */
	uint64_t area_bytes;       /* a multiple of erase_bytes */
	/* Fills dst with len bytes from off, anywhere inside the area; gives what was
	 * programmed, be it synced or not. What a cut left half-written gives any bytes,
	 * and is no error. dst is borrowed until the completion. */
	enum fota_err (*read)(void *ctx, uint64_t off, void *dst, size_t len);
	/* off and len are multiples of prog_bytes (the last write of an image is
	 * padded with 0xff by the caller). The target was erased before and not
	 * programmed since. src is borrowed for the call only, also if PENDING. */
	enum fota_err (*prog)(void *ctx, uint64_t off, const void *src, size_t len);
	/* off and len are multiples of erase_bytes. What is read there afterwards is
	 * not specified. */
	enum fota_err (*erase)(void *ctx, uint64_t off, uint64_t len);
	/* When it is done, everything programmed and erased before survives a cut of
	 * power. */
	enum fota_err (*sync)(void *ctx);
};

enum fota_http_method { FOTA_HTTP_GET, FOTA_HTTP_POST };

struct fota_http_request {
	enum fota_http_method method;
	struct fota_bytes url;          /* absolute */
	struct fota_bytes content_type; /* POST only */
	struct fota_bytes body;         /* POST only */
	bool has_range;                 /* GET only: "Range: bytes=<range_start>-" */
	uint64_t range_start;
	struct fota_bytes if_range; /* GET with range: strong entity tag with its quotes; may be empty */
};

/* HTTP client: one request at a time. The end of a request, its head and its body
 * come in through fota_session_http. */
struct fota_http {
	void *ctx;
	/* Starts a request. `req` is borrowed for the call, req->body until the end of
	 * the request. Does not block. OK, or URL if the URL cannot be parsed or its
	 * scheme is not allowed (no event follows then). The port follows at most 5
	 * redirects, never from TLS to plain HTTP and without waiting for the end of a long
	 * body of theirs, and limits the time for a connection and between two bytes. */
	enum fota_err (*start)(void *ctx, const struct fota_http_request *req);
	/* Body bytes that were refused with BUSY are offered again, from the next turn
	 * of the loop on. */
	void (*resume)(void *ctx);
	/* Ends the request without an event. No effect if none runs. */
	void (*cancel)(void *ctx);
};

/* Of a request: HEAD once, then BODY, then DONE; in place of any of them FAIL, which ends it.
 * Another order ends the request and its session with 405. */
enum fota_http_event_kind {
	FOTA_HTTP_HEAD, /* status and headers of the final answer (no 1xx, no redirect) */
	FOTA_HTTP_BODY,
	FOTA_HTTP_DONE, /* the answer is complete */
	FOTA_HTTP_FAIL, /* err: URL, RESOLVE, CONNECT, SEND, RECEIVE, CLOSED, STALL, REDIRECTS, PROTOCOL */
};

struct fota_http_event {
	enum fota_http_event_kind kind;
	/* HEAD */
	unsigned status;
	bool is_message;        /* Content-Type is FOTA_MESSAGE_CONTENT_TYPE */
	bool has_content_range; /* "Content-Range: bytes <start>-<end>/<total>" */
	uint64_t range_start;
	uint64_t range_total; /* UINT64_MAX for "*" */
	bool has_length;      /* Content-Length */
	uint64_t length;
	/* BODY */
	struct fota_bytes body;
	/* FAIL */
	enum fota_err err;
};

struct fota_clock {
	void *ctx;
	/* Milliseconds of a clock that never goes back and runs on while the module
	 * sleeps. */
	uint64_t (*now_ms)(void *ctx);
	/* UNIX time in seconds; 0 if the module has no time yet. */
	uint64_t (*unix_s)(void *ctx);
};

struct fota_random {
	void *ctx;
	/* Fills dst with bytes that nobody can predict. OK or IO. */
	enum fota_err (*fill)(void *ctx, uint8_t *dst, size_t len);
};

/* Each function returns OK, or IO if the engine fails. */
struct fota_crypto {
	void *ctx;
	/* HMAC-SHA-256 (RFC 2104) over the parts in order. */
	enum fota_err (*hmac_sha256)(void *ctx, struct fota_bytes key, const struct fota_bytes *parts,
				     size_t part_count, uint8_t mac[32]);
	/* One running SHA-256: begin drops what ran before. */
	enum fota_err (*sha256_begin)(void *ctx);
	enum fota_err (*sha256_update)(void *ctx, struct fota_bytes bytes);
	enum fota_err (*sha256_finish)(void *ctx, uint8_t digest[32]);
	/* SHA-1 (RFC 3174) over the parts in order: for UUIDs made of names, no secret
	 * depends on it. */
	enum fota_err (*sha1)(void *ctx, const struct fota_bytes *parts, size_t part_count, uint8_t digest[20]);
	/* ECDSA on P-256 (FIPS 186-5): OK if r || s is the signature of this hash by the key
	 * x || y; AUTH if not, or if the key is no point of the curve. */
	enum fota_err (*p256_verify)(void *ctx, const uint8_t key[64], const uint8_t hash[32],
				     const uint8_t signature[64]);
};

enum fota_identity_field {
	FOTA_IDENTITY_OEM,     /* provisioned vendor; empty: taken from the command */
	FOTA_IDENTITY_MODEL,   /* model of the module; empty: 403 */
	FOTA_IDENTITY_DEVICE,  /* IMEI or another unique name; empty: 403 */
	FOTA_IDENTITY_VERSION, /* firmware version that runs now; empty: 404 */
};

struct fota_identity {
	void *ctx;
	/* Text that stays as it is until the next call. Empty if not known. */
	struct fota_bytes (*get)(void *ctx, enum fota_identity_field field);
};

#endif
