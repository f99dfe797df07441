/* SPDX-License-Identifier: Apache-2.0 */
/* The result codes of a FOTA session (AT+CSCFOTA of the SIMCom manual, L2302).
 * This list is the only place that holds number, name, class, text and advice; AT
 * answers, the tool's messages and the manual page are made from it. */
#ifndef FOTA_CODE_H
#define FOTA_CODE_H

/* P progress, E end without an upgrade, R worth another try unchanged, X needs a
 * person or a change. */
#define FOTA_CODE_LIST(ROW)                                                                                           \
	ROW(UNKNOWN, 1, X, "unknown error", "read the log of the module; report it to its maker")                     \
	ROW(CHECKED, 2, P, "check version finished", "nothing to do, the download begins")                            \
	ROW(DOWNLOADED, 3, P, "download finished", "the package is stored and verified")                              \
	ROW(PARTIAL, 4, P, "download partial finished", "a part is stored; the next session goes on from it")         \
	ROW(NO_VERSION, 5, E, "no matched version",                                                                   \
	    "it runs already, is not published, or is older: then sign its manifest anew")                            \
	ROW(NO_MEMORY, 301, X, "not enough memory", "free storage on the module, or make the package smaller")        \
	ROW(BAD_PARAM, 302, X, "invalid parameter", "check the five parameters: quotes, lengths, digits")             \
	ROW(BAD_OPERATION, 303, X, "invalid operation", "switch the service on first: AT+CAPFOTA=1")                  \
	ROW(IO, 304, X, "IO failed", "the storage of the module fails; have it checked")                              \
	ROW(IO_TIMEOUT, 305, R, "IO timeout", "the storage does not answer; try again, then have it checked")         \
	ROW(VERIFY, 306, X, "download file verification failed",                                                      \
	    "try again; if it stays, check the trusted keys, upload the package again")                               \
	ROW(CANCELLED, 307, E, "got cancelled", "start a new session when ready; a stored part is kept")              \
	ROW(NESTING, 308, R, "interface nesting error",                                                               \
	    "a session or a trial is on: await its end, AT+FOTACANCEL or AT+FOTACONFIRM")                             \
	ROW(BAD_DEVICE, 401, X, "invalid device information", "use the OEM and model of the product on the platform") \
	ROW(BAD_PLATFORM, 402, X, "invalid platform information",                                                     \
	    "check product ID, product secret and the module's clock")                                                \
	ROW(NO_DEVICE, 403, X, "missing device information", "configure the module's identity and model")             \
	ROW(NO_CONFIG, 404, X, "version number is not configured", "configure the module's firmware version")         \
	ROW(INTERNAL, 405, X, "internal error", "read the logs of module and platform; report it")                    \
	ROW(BAD_URL, 501, X, "invalid URL", "correct the server URL; plain HTTP must be allowed on both sides")       \
	ROW(RESOLVE, 502, R, "unable to resolve domain name", "check the server's name and the module's DNS")         \
	ROW(CONNECT, 503, R, "cannot connect to the server",                                                          \
	    "check address, port, network and the server's certificate")                                              \
	ROW(SERVER, 504, R, "invalid request, server returned error", "read the platform's log; try again later")     \
	ROW(RANGE, 505, R, "not in range", "the server does not serve ranges properly; check proxies between")        \
	ROW(POST, 506, R, "HTTP POST request error", "the server is no platform of ours, or a proxy answers instead") \
	ROW(RESTART, 507, X, "re-download start error",                                                               \
	    "the stored part is of no use and a new start failed; check both")                                        \
	ROW(ABORTED, 508, R, "operation is aborted", "the module stopped the session; start it again")                \
	ROW(INCOMPLETE, 509, R, "operation not completed",                                                            \
	    "the session's time limit is over; start it again to go on")                                              \
	ROW(REDIRECTS, 510, X, "too many retargeting times", "correct the redirects of the server")                   \
	ROW(SOCKET_DATA, 511, R, "unable to get data from socket",                                                    \
	    "the network stalls; try again with a better signal")                                                     \
	ROW(SOCKET_SEND, 512, R, "error sending data via socket", "the connection broke; try again")                  \
	ROW(SOCKET_RECV, 513, R, "error receiving data via socket", "the connection broke; try again, it goes on")    \
	ROW(SOCKET_BAD, 514, R, "invalid socket connection", "the server closed at once; check what listens there")

enum fota_code {
	FOTA_CODE_NONE = 0, /* no code: accepted, or not ended yet */
#define FOTA_CODE_ENUM(name, number, class, text, advice) FOTA_CODE_##name = (number),
	FOTA_CODE_LIST(FOTA_CODE_ENUM)
#undef FOTA_CODE_ENUM
};

enum fota_code_class {
	FOTA_CODE_CLASS_P = 'P',
	FOTA_CODE_CLASS_E = 'E',
	FOTA_CODE_CLASS_R = 'R',
	FOTA_CODE_CLASS_X = 'X',
};

struct fota_code_info {
	int number;
	enum fota_code_class code_class;
	const char *name; /* "NO_VERSION" */
	const char *text; /* the manual's words */
};

/* All rows, in ascending order; *count is set. Constant data. */
const struct fota_code_info *fota_code_list(unsigned *count);

/* The row of a number, or NULL if it is no result code. */
const struct fota_code_info *fota_code_find(int number);

/* What a person does next; NULL if it is no result code. Apart from the rows, so that
 * a module does not carry it. */
const char *fota_code_advice(int number);

#endif
