/* SPDX-License-Identifier: Apache-2.0 */
/* A FOTA session with everything around it: two areas of simulated flash on one power
 * rail, a platform that really checks and makes messages, a clock that the test moves.
 * Nothing waits, nothing is random but by a seed.
 *
 * What goes wrong is named by rows: struct rig_twist for the network and the platform,
 * struct rig_fault for storage. A test plays a session with rig_play and compares
 * rig_codes; rules that hold for every session are checked on the way. */
#ifndef RIG_H
#define RIG_H

#include "fota/session.h"
#include "posix_crypto.h"
#include "sign_key.h"
#include "sim_flash.h"

#define RIG_SLOT_BYTES    65536u
#define RIG_JOURNAL_BYTES 16384u
#define RIG_IMAGE_BYTES   20000u /* the image unless rig->image_bytes says other */
#define RIG_IMAGE_MAX     65536u
#define RIG_WORK_BYTES    16384u
#define RIG_NOTICE_MAX    32768u
#define RIG_REQUEST_MAX   64u /* the last ones are kept */
#define RIG_UNIX_S        UINT64_C(1700000000)

#define RIG_OEM     "SIMCOM"
#define RIG_MODEL   "7600M21"
#define RIG_PRODUCT "1540907004"
#define RIG_SECRET  "f9bbb0d76f894da090b6b69253616561"
#define RIG_TARGET  "SIM7600M21_LE11_181025_V2.00" /* release 1 */
#define RIG_DEVICE  "861234050012345"
#define RIG_VERSION "SIM7600M21_V1.00"
#define RIG_SERVER  "https://fota.example"

/* ---- storage ---- */

enum rig_effect_op {
	RIG_OP_FINE,
	RIG_OP_IO,
	RIG_OP_FULL,
	RIG_OP_HANG,
	RIG_OP_ODD,
	RIG_OP_CUT,
	RIG_OP_KILL,
	RIG_OP_LATE, /* a prog that answers OK; its error is the result of the area's next operation */
};

/* Operations number `from` to `to` of both areas, counted from 1 since rig_fault. */
struct rig_fault {
	enum rig_effect_op effect;
	uint32_t from, to;
};

struct rig;

struct rig_area {
	struct rig *rig;
	struct sim_flash sim;
	struct fota_flash port;
	uint32_t size;
	bool is_hung;
	bool is_late; /* an error is still to be told */
	uint8_t cells[RIG_SLOT_BYTES], state[RIG_SLOT_BYTES];
	uint8_t durable_cells[RIG_SLOT_BYTES], durable_state[RIG_SLOT_BYTES]; /* as after the last sync */
};

/* ---- network ---- */

enum rig_kind { RIG_CHECK, RIG_GET, RIG_REPORT, RIG_KIND_COUNT };

enum rig_effect {
	RIG_FINE,
	RIG_START_ERR, /* http->start returns `arg`, an enum fota_err */
	RIG_FAIL,      /* fails with `err` after `arg` bytes of the body; without a head if arg is 0 */
	RIG_HANG,      /* no event ever comes after `arg` bytes of the body; no head if 0 */
	RIG_STATUS,    /* status `arg`, a short text */
	/* messages */
	RIG_REFUSE,         /* an authentic refusal `arg` */
	RIG_FORGED,         /* made with another secret */
	RIG_REPLAYED,       /* made for another request */
	RIG_OTHER_KID,      /* names another product */
	RIG_OTHER_TYPE,     /* a good answer under another content type */
	RIG_GARBAGE,        /* `arg` bytes that are no message */
	RIG_CHANGED,        /* one bit of byte `arg` differs */
	RIG_CUT_ANSWER,     /* complete, but only `arg` bytes */
	RIG_OFFER_URL,      /* the offer's URL is text number `arg` */
	RIG_OFFER_SIZE,     /* the offer's size is `arg` */
	RIG_OFFER_CODED,    /* the offer's encoding is `arg` */
	RIG_OFFER_OTHER,    /* the offer is another image of the same size */
	RIG_OFFER_MANIFEST, /* the manifest is one of enum rig_manifest, which is in `err` */
	/* package */
	RIG_SHORT,       /* ends well after `arg` bytes, without a length in the head */
	RIG_LONG,        /* `arg` bytes too many, without a length in the head */
	RIG_LENGTH,      /* Content-Length is `arg` */
	RIG_CORRUPT,     /* byte `arg` of the image differs */
	RIG_WHOLE,       /* 200 with everything in spite of a range */
	RIG_OTHER_START, /* 206 from another byte */
	RIG_OTHER_TOTAL, /* 206 of another total */
	RIG_NO_TOTAL,    /* 206 of an unknown total: "*" */
	RIG_NO_RANGE,    /* 206 without Content-Range */
};

/* What is wrong with a manifest. */
enum rig_manifest {
	RIG_MANIFEST_GOOD,
	RIG_MANIFEST_NONE,          /* there is none */
	RIG_MANIFEST_FOREIGN,       /* signed by a key that is not trusted */
	RIG_MANIFEST_SEQUENCE,      /* its sequence number is `arg` */
	RIG_MANIFEST_OTHER_OEM,     /* for another vendor */
	RIG_MANIFEST_OTHER_MODEL,   /* for another class */
	RIG_MANIFEST_OTHER_VERSION, /* names another version */
	RIG_MANIFEST_OTHER_DIGEST,  /* of another image */
	RIG_MANIFEST_OTHER_SIZE,
	RIG_MANIFEST_CUT,     /* only `arg` bytes of it */
	RIG_MANIFEST_FLIPPED, /* bit number `arg` differs */
};

/* What happens to requests number `first` to `last` of a kind (0, 0: to all). */
struct rig_twist {
	enum rig_kind kind;
	enum rig_effect effect;
	uint64_t arg;
	int err; /* enum fota_err, or enum rig_manifest */
	unsigned first, last;
};

#define RIG_TWIST_MAX 4

struct rig_request {
	enum rig_kind kind;
	char url[FOTA_SESSION_URL_BYTES];
	bool has_range;
	uint64_t range_start;
	char if_range[80];
	uint64_t time_s; /* messages: as the module said */
	uint64_t at_ms;
	uint64_t report_code, report_state, report_received;
	uint8_t report_id[FOTA_REPORT_ID_BYTES];
	char report_version[FOTA_VERSION_MAX_BYTES + 1];
};

struct rig_http {
	bool is_active, is_paused, is_head_told;
	struct rig_twist twist; /* of the request that runs */
	enum rig_kind kind;
	unsigned counts[RIG_KIND_COUNT];
	struct fota_bytes request_body; /* borrowed from the session until the end */
	uint8_t body[4096];             /* of an answer */
	size_t body_len;
	uint64_t off, end; /* of the body, or in the image */
	struct fota_http_event head;
};

/* The last envelope that was made, and what it was made of. */
struct rig_envelope {
	uint8_t bytes[FOTA_SUIT_ENVELOPE_MAX_BYTES], manifest[FOTA_SUIT_ENVELOPE_MAX_BYTES];
	size_t len, manifest_len;
	bool is_foreign;
};

/* What a boot loader that does not read the journal keeps. */
struct rig_env {
	uint8_t active, tries;
	bool is_trial;
};

struct rig_notice {
	struct fota_notice notice;
	uint64_t at_ms;
};

/* ---- the rig ---- */

enum rig_stop { RIG_STOP_NONE, RIG_STOP_CANCEL, RIG_STOP_OFF, RIG_STOP_ABORT, RIG_STOP_TIME };

/* All-zero is the default. */
struct rig_cfg {
	uint32_t slot_erase_bytes, slot_prog_bytes;       /* 4096, 256 */
	uint32_t journal_erase_bytes, journal_prog_bytes; /* 4096, 16 */
	uint32_t work_bytes;                              /* FOTA_WORK_MIN_BYTES */
	uint32_t chunk_bytes;                             /* of bodies: 1000 */
	bool is_async;
	bool is_cached; /* a cut loses some of what was not synced */
	uint32_t seed;
	struct fota_session_limits limits; /* sync_bytes: 4096 */
	const char *server;                /* RIG_SERVER */
	bool allow_plain;
	bool has_slots;     /* two of them, and a boot loader that reads the journal */
	bool has_bootenv;   /* two slots, and a boot loader that is told by the port */
	bool has_installer; /* one slot, and an installer that ends with rig_installed; with a boot loader that is told
			     */
	struct fota_session_policy policy;
};

struct rig {
	struct rig_cfg cfg;
	struct fota_session session;
	struct fota_session_cfg session_cfg;
	struct fota_http http_port;
	struct fota_clock clock;
	struct fota_random random;
	struct fota_crypto crypto;
	struct fota_identity identity;
	struct posix_crypto posix; /* made once, kept to the end of the program */
	uint8_t work[RIG_WORK_BYTES];

	struct rig_area slot, slot_b, journal; /* slot_b: with has_slots */
	struct fota_boot boot;                 /* as the last start left it */
	struct fota_boot_choice choice;
	enum fota_err boot_err;
	int chosen;  /* the slot that a boot loader of the system's own runs */
	int running; /* release number of the image that runs; 0: the factory's */
	struct fota_installer installer;
	struct fota_bootenv bootenv;
	struct rig_env env;
	int systems[FOTA_SLOT_COUNT]; /* releases that the installer has put into its own slots */
	bool is_env_broken;
	bool is_installer_on, is_restart_asked;
	struct rig_fault fault;
	uint32_t op_count;
	bool is_dead;   /* the power is gone */
	bool is_killed; /* the program alone is gone: what it wrote is in the cache of the system */

	struct rig_http http;
	struct rig_twist twists[RIG_TWIST_MAX];
	uint8_t image[RIG_IMAGE_MAX];
	uint64_t image_bytes;
	int release;                     /* number of what the platform has */
	const char *target;              /* its version */
	bool is_target_free;             /* other versions may be asked for: there are none */
	uint64_t sequence;               /* of the next manifests */
	struct sign_key signer, foreign; /* made once, as `posix` */
	struct rig_envelope envelope;
	struct rig_request requests[RIG_REQUEST_MAX];
	unsigned request_count;
	uint8_t last_nonce[FOTA_NONCE_BYTES];
	uint64_t platform_s; /* the platform's clock when now_ms is 0 */
	uint64_t retry_after_s;
	bool is_skew_checked;

	uint64_t now_ms, unix_s;
	uint32_t random_state;
	bool is_random_broken;
	const char *texts[4]; /* identity */

	unsigned notice_count;
	unsigned first_notice; /* of the last session that was started */
	char codes[128];
	bool is_starting, is_over;
	uint32_t origin;

	uint32_t call_count; /* into the session since rig_stop_at */
	uint32_t stop_at;
	enum rig_stop stop;
	bool has_stopped;
	unsigned zero_count; /* ticks in a row that were due at once */
	char id[96];         /* of the case, for failures */
	struct rig_notice notices[RIG_NOTICE_MAX];
};

/* Fresh flash, then boots. */
void rig_init(struct rig *rig, const struct rig_cfg *cfg);
void rig_close(struct rig *rig);
/* Names the case; false if the environment variable REPLAY names another one. */
bool rig_case(struct rig *rig, const char *format, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void rig_fail(const struct rig *rig, const char *what, unsigned line);
#define rig_require(rig, truth)                                    \
	do {                                                       \
		if (!(truth)) { rig_fail(rig, #truth, __LINE__); } \
	} while (0)

/* A new session object on the same flash, as after a restart; power is there again. With two slots the boot
 * loader runs first. */
void rig_boot(struct rig *rig);
#define RIG_RELEASE_MAX 3
/* The platform has release number n now: another image, version and sequence number. */
void rig_publish(struct rig *rig, int n);
const char *rig_version_of(int n);
/* Which release is whole in the area; -1: none. 0 is the factory's image. */
int rig_release_in(const struct rig *rig, const struct rig_area *area);
/* The end of the installer. */
void rig_installed(struct rig *rig, enum fota_err result);
/* The restart that the session has asked for. */
void rig_restart(struct rig *rig);
/* The area that the next package goes to. */
struct rig_area *rig_target_area(struct rig *rig);
/* The last RESULT that was told: its code, or -1. */
int rig_result(const struct rig *rig);
void rig_twist(struct rig *rig, struct rig_twist twist);
void rig_clear_twists(struct rig *rig);
void rig_fault(struct rig *rig, struct rig_fault fault);
/* Storage works again; operations that hung complete. */
void rig_heal(struct rig *rig);
/* Asks to stop before call number n into the session. */
void rig_stop_at(struct rig *rig, enum rig_stop stop, uint32_t n);

struct fota_request rig_request(const struct rig *rig);
/* Accepted or refused; a session that is accepted gets a new origin. */
enum fota_code rig_start(struct rig *rig);
/* One thing that happens: a completion, an event of the network, or time. False if
 * nothing will ever happen again, or the power is gone. */
bool rig_step(struct rig *rig);
/* Until the session has told its end and storage is quiet. */
void rig_finish(struct rig *rig);
/* Lets everything go on for a while. */
void rig_idle(struct rig *rig, uint64_t ms);
/* Start and finish; gives the codes, as "2 4 513". */
const char *rig_play(struct rig *rig);
/* Codes of the last session. */
const char *rig_codes(struct rig *rig);
enum fota_code rig_final(struct rig *rig);
bool rig_has_code(struct rig *rig, enum fota_code code);
/* The image is in the slot, verified. */
bool rig_is_image_stored(struct rig *rig);
/* How often the bytes are in the area. */
unsigned rig_area_count(const struct rig_area *area, const char *text);
/* Requests of a kind since the last session began. */
unsigned rig_count(const struct rig *rig, enum rig_kind kind);
struct rig_request *rig_last_request(struct rig *rig, enum rig_kind kind);

/* ---- rig_http.c ---- */
void rig_http_init(struct rig *rig);
/* Delivers the next event; false if there is none. */
bool rig_http_step(struct rig *rig);
/* Body bytes by number, for RIG_OFFER_URL. */
extern const char *const rig_urls[];

/* ---- rig_manifest.c ---- */
void rig_keys_init(struct rig *rig);
/* The manifest of an offer, in `room`; spoiled as the twist of the request says. */
struct fota_bytes rig_manifest_of(struct rig *rig, const struct fota_check_answer *msg, struct fota_room room);

/* Counts a call into the session and stops it if its time has come. */
void rig_call(struct rig *rig);

#endif
