/* SPDX-License-Identifier: Apache-2.0 */
/* One enum for every failure inside the library and its ports. What a host
 * sees is a result code (fota/code.h); the session maps one to the other in one
 * table. Values are never reused. */
#ifndef FOTA_ERR_H
#define FOTA_ERR_H

#define FOTA_ERR_LIST(X)                                                 \
	X(OK, 0, "no error")                                             \
	X(IO, -1, "storage reported an error")                           \
	X(FULL, -2, "no room left")                                      \
	X(TIMEOUT, -3, "storage did not answer in time")                 \
	X(FORMAT, -4, "bytes are not what the format allows")            \
	X(RANGE, -5, "a value is outside its range")                     \
	X(MISSING, -6, "a required field is missing")                    \
	X(AUTH, -7, "an authentication tag does not match")              \
	X(CORRUPT, -8, "stored bytes fail their check")                  \
	X(CONTRACT, -9, "a port or a caller broke its contract")         \
	X(PENDING, -10, "accepted, completion follows")                  \
	X(BUSY, -11, "not now, offer it again when told")                \
	X(NONE, -12, "there is none")                                    \
	X(URL, -20, "a URL cannot be used")                              \
	X(RESOLVE, -21, "a host name cannot be resolved")                \
	X(CONNECT, -22, "no connection to the server")                   \
	X(SEND, -23, "the connection broke while sending")               \
	X(RECEIVE, -24, "the connection broke while receiving")          \
	X(CLOSED, -25, "the peer closed before it answered")             \
	X(STALL, -26, "no byte arrived within the stall limit")          \
	X(REDIRECTS, -27, "too many redirects")                          \
	X(PROTOCOL, -28, "the peer does not speak the agreed protocol")  \
	X(UNSUPPORTED, -30, "well-formed, but beyond what is supported") \
	X(MISMATCH, -31, "made for another vendor or class")

enum fota_err {
#define FOTA_ERR_ENUM(name, value, text) FOTA_ERR_##name = (value),
	FOTA_ERR_LIST(FOTA_ERR_ENUM)
#undef FOTA_ERR_ENUM
};

#define FOTA_MUST_CHECK __attribute__((warn_unused_result))

/* A constant English text; "unknown error" for a value that is none of these. */
const char *fota_err_text(enum fota_err err);

#endif
