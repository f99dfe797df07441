/* SPDX-License-Identifier: Apache-2.0 */
/* The FOTA session: asks the platform, downloads the package into the slot,
 * verifies it, and tells result codes on the way. A table-driven state machine
 * that owns no task, timer, socket or lock: the caller feeds it HTTP events,
 * storage completions and time, and serialises the calls.
 *
 * No function here blocks longer than the ports that it calls. */
#ifndef FOTA_SESSION_H
#define FOTA_SESSION_H

#include "fota/boot.h"
#include "fota/bytes.h"
#include "fota/code.h"
#include "fota/cose.h"
#include "fota/device_api.h"
#include "fota/err.h"
#include "fota/journal.h"
#include "fota/port.h"
#include "fota/record.h"
#include "fota/suit.h"

#define FOTA_SESSION_EVENT_MAX 8u
#define FOTA_SESSION_URL_BYTES 512u
#define FOTA_WORK_MIN_BYTES    4096u

/* The five parameters of AT+CSCFOTA. Borrowed for the call. */
struct fota_request {
	struct fota_bytes oem;     /* 1 to FOTA_NAME_MAX_BYTES */
	struct fota_bytes model;   /* 1 to FOTA_NAME_MAX_BYTES */
	struct fota_bytes product; /* 1 to 20 decimal digits */
	struct fota_bytes secret;  /* 16 to 64 visible ASCII characters without '"' */
	struct fota_bytes target;  /* 1 to FOTA_VERSION_MAX_BYTES */
};

/* As AT+FOTASTATE? shows them. */
enum fota_state {
	FOTA_STATE_IDLE = 0,
	FOTA_STATE_CHECKING = 1,
	FOTA_STATE_DOWNLOADING = 2,
	FOTA_STATE_VERIFYING = 3,
	FOTA_STATE_READY = 4,
	FOTA_STATE_INSTALLING = 5,
	FOTA_STATE_TRIAL = 6,
};

enum fota_notice_kind {
	FOTA_NOTICE_CODE,     /* `code`: a line +CSCFOTA */
	FOTA_NOTICE_PROGRESS, /* received_bytes, total_bytes moved */
	FOTA_NOTICE_RETRY,    /* `code` will be tried again in delay_ms; for the log */
	FOTA_NOTICE_RESUME,   /* a download goes on from received_bytes; for the log */
	FOTA_NOTICE_REPORTED, /* the platform acknowledged a report; for the log */
	FOTA_NOTICE_OFFER,    /* end of a check that found `target`: total_bytes in `encoding` */
	FOTA_NOTICE_REFUSED,  /* a manifest was refused with `code`; `reason` says why; for the log */
	FOTA_NOTICE_RESULT,   /* how an installation went: `code`, `old_version`, `target` */
	FOTA_NOTICE_RESTART,  /* all is stored: restart the module now */
};

struct fota_notice {
	enum fota_notice_kind kind;
	enum fota_code code;
	const char *step; /* constant text: what the session was doing */
	uint32_t origin;  /* of fota_session_start */
	uint64_t received_bytes;
	uint64_t total_bytes;
	uint64_t delay_ms;
	struct fota_bytes target;      /* OFFER, RESULT; valid for the call */
	struct fota_bytes old_version; /* RESULT; likewise */
	const char *reason;            /* REFUSED; constant text */
	uint8_t encoding;              /* OFFER */
};

/* For retry_count: not even one. */
#define FOTA_RETRY_NONE UINT32_MAX

/* All-zero fields take the default in brackets. */
struct fota_session_limits {
	uint32_t retry_count;     /* tries after the first without any progress [4] */
	uint32_t retry_base_ms;   /* delay before the first retry; doubles each time [1000] */
	uint32_t retry_max_ms;    /* longest delay [60000] */
	uint32_t session_ms;      /* a whole session, waits included [3600000] */
	uint32_t storage_ms;      /* one storage operation [10000] */
	uint32_t report_ms;       /* delivery of one report, one try [15000] */
	uint32_t report_retry_ms; /* between tries to deliver a report [60000] */
	uint32_t sync_ms;         /* at most between two synced points of a download [1000] */
	uint32_t sync_bytes;      /* likewise, in bytes [4194304] */
	uint32_t trial_s;         /* an unconfirmed version rolls back after that [600] */
	uint32_t trial_starts;    /* or when it was started so often, at most 255 [3] */
};

/* What happens without a command. All-zero: nothing. */
struct fota_session_policy {
	bool is_auto_install; /* what is ready is installed, within the window */
	bool is_auto_confirm; /* a version on trial is confirmed when the platform has acknowledged its report */
	uint16_t window_from_min, window_to_min; /* of the day in UTC; may wrap around midnight; equal: always */
};

/* The struct and what its pointers name must outlive the session. */
struct fota_session_cfg {
	const struct fota_http *http;
	/* Two slots: the package goes to the one that does not run. One slot (the second is NULL): the
	 * package goes there, and `installer` takes it. */
	const struct fota_flash *slots[FOTA_SLOT_COUNT];
	const struct fota_flash *journal; /* two halves of whole erase units, 4096 bytes or more each */
	const struct fota_clock *clock;
	const struct fota_random *random;
	const struct fota_crypto *crypto;
	const struct fota_identity *identity;
	const struct fota_bootenv *bootenv;     /* NULL: the boot loader reads the journal */
	const struct fota_installer *installer; /* NULL: the boot loader boots the slot */
	unsigned running_slot;                  /* which slot runs: fota_boot_run said so */
	/* Whose signatures count. None: every offer is refused. */
	const struct fota_trusted_key *keys;
	size_t key_count;
	/* "https://host[:port][/prefix]"; one that cannot be used ends sessions with 501. */
	struct fota_bytes server_url;
	bool allow_plain; /* accept http:// too */
	struct fota_session_limits limits;
	struct fota_session_policy policy;
	/* At least FOTA_WORK_MIN_BYTES, and FOTA_JOURNAL_ROOM_BYTES more than
	 * the slots' prog_bytes. More makes verification faster. An entry of the journal,
	 * padded to journal->prog_bytes, must fit into FOTA_JOURNAL_ROOM_BYTES. */
	struct fota_room work;
	/* Called from inside the functions below; must not call them. */
	void (*notify)(void *ctx, const struct fota_notice *notice);
	void *notify_ctx;
};

/* The last session's end, as AT+FOTALAST? shows it. code 0: there was none. */
struct fota_session_last {
	enum fota_code code;
	const char *step;         /* constant text */
	struct fota_bytes target; /* valid until the next call that feeds the session */
};

struct fota_session_info {
	enum fota_state state;
	uint64_t received_bytes; /* of the session that runs, or of the part that is stored */
	uint64_t total_bytes;
	struct fota_bytes target; /* empty if nothing is stored; validity as above */
	struct fota_session_last last;
	struct fota_boot_result result; /* of the last installation */
	unsigned pending_report_count;
	bool is_running; /* a session was accepted and has not told its final code */
	bool is_on;      /* AT+CAPFOTA */
};

/* One storage operation at a time, of slot or journal. */
struct fota_io {
	uint64_t since_ms; /* when the pending operation began */
	uint8_t job;       /* enum session_job, 0 = none */
	uint8_t step;
	bool is_pending;
	bool is_stuck; /* pending beyond its limit: its job is over, its completion is not */
};

/* What a failure to store an order takes back. */
struct session_undo {
	uint8_t state, active, tries_left;
	uint64_t floor;
};

struct fota_session {
	/* private */
	const struct fota_session_cfg *cfg;
	struct fota_session_limits limits; /* with the defaults filled in */
	struct fota_record record;
	struct fota_journal journal;
	struct fota_io io;
	uint8_t events[FOTA_SESSION_EVENT_MAX]; /* raised and not yet handled, oldest first */
	uint8_t event_count;
	uint8_t phase; /* enum session_phase */
	uint8_t retry_phase;
	uint8_t step;     /* enum session_step: what FOTALAST names */
	bool is_entering; /* the entry of `phase` is still to run */
	bool is_on;
	bool is_running;
	bool is_check_only; /* this session asks and stores nothing */
	bool is_going_down;
	bool is_unloaded; /* the journal could not be read */
	bool has_offer;
	bool has_retried_clock;
	bool has_time_base;
	bool is_http_active;
	bool is_checked_told; /* code 2 was sent */
	bool is_part_old;     /* the stored part comes from an earlier session */
	bool is_offer_other;  /* the offer is not what a part is stored of */
	bool is_starting_over;
	bool is_unsynced;     /* the slot was written to since its last sync */
	bool is_report_added; /* by the session that ends */
	bool is_paused;       /* body bytes were refused, resume is due */
	bool is_restarting;   /* the notice RESTART was given */
	uint8_t order;        /* enum session_order: asked for and not yet stored */
	uint8_t next_order;   /* asked for while `order` was stored */
	uint16_t roll_back_code;
	struct session_undo undo;
	struct fota_session_policy policy;
	uint64_t trial_due_ms;  /* an unconfirmed version rolls back then */
	uint64_t settle_due_ms; /* no order before: storage failed */
	uint64_t offer_sequence;
	uint8_t offer_kid[FOTA_SUIT_KID_BYTES];
	uint16_t end_code;
	uint16_t stop_code; /* asked for by the host or the module, 0 = none */
	uint16_t fail_code; /* of the try that just failed */
	uint32_t origin;
	uint32_t try_count; /* failed in a row without progress */
	uint32_t report_try_count;
	uint64_t deadline_ms;
	uint64_t wake_ms; /* end of a delay or of a report's time */
	uint64_t report_due_ms;
	uint64_t time_base_s; /* UNIX time at clock 0, learned from the platform */

	struct fota_text oem, model, product, secret, target, deployment;
	char url[FOTA_SESSION_URL_BYTES];
	uint16_t url_len;
	bool is_url_relative;
	uint8_t digest[FOTA_DIGEST_BYTES];
	uint64_t size_bytes;
	uint64_t retry_after_s;
	uint8_t request_tag[FOTA_MAC_BYTES];

	uint16_t http_status;
	bool is_answer_message;
	size_t in_len; /* of the answer, in the second part of the work room */

	uint64_t write_off;     /* programmed so far */
	uint64_t erased_off;    /* erased so far */
	uint64_t try_start_off; /* where this try began, to see progress */
	uint64_t sync_due_ms;
	size_t staged_len; /* less than one prog unit waits in the work room */
	uint64_t verify_off;
	size_t verify_len; /* bytes read and not yet hashed */
};

/* Prepares *s and begins to load the journal; a session that is started before that
 * is done waits for it. Keeps `cfg` until the end of *s. Returns OK, or CONTRACT if
 * the configuration is not usable. */
FOTA_MUST_CHECK enum fota_err fota_session_init(struct fota_session *s, const struct fota_session_cfg *cfg);

/* The same for a module that starts while storage hangs: an operation of before is pending still. Until
 * fota_session_storage has told its end no port of storage is called, and the work room of before stays in use;
 * sessions end with 305 (IO_TIMEOUT). */
FOTA_MUST_CHECK enum fota_err fota_session_init_hung(struct fota_session *s, const struct fota_session_cfg *cfg);

/* AT+CAPFOTA. Off during a session cancels it (307). */
void fota_session_set_on(struct fota_session *s, bool is_on);

/* AT+CSCFOTA. FOTA_CODE_NONE: accepted, notices follow from later calls, never from
 * inside this one. Otherwise the code of the refusal: 302, 303, 308, 401, 403,
 * 404, or 508 after fota_session_abort; nothing changed. Copies the request. `origin` comes back in notices. */
FOTA_MUST_CHECK enum fota_code fota_session_start(struct fota_session *s, const struct fota_request *req,
						  uint32_t origin);

/* AT+FOTACHECK: as fota_session_start, but only asks. What is offered is told by code 2 and
 * the notice OFFER, and the session is over; any other end by its code alone. Nothing is
 * stored, reported, or told by `last`. */
FOTA_MUST_CHECK enum fota_code fota_session_check(struct fota_session *s, const struct fota_request *req,
						  uint32_t origin);

/* AT+FOTACANCEL: the session that runs ends with 307, from a later call on; one whose
 * end was decided before ends as decided. FOTA_CODE_BAD_OPERATION if none runs. */
FOTA_MUST_CHECK enum fota_code fota_session_cancel(struct fota_session *s);

/* AT+FOTAINSTALL: what is ready is installed, from a later call on; the notice RESTART
 * follows, or RESULT with what went wrong. FOTA_CODE_NONE, BAD_OPERATION if nothing is ready, NESTING while a session
 * runs or an installation is not over, ABORTED after fota_session_abort, IO_TIMEOUT while storage hangs. */
FOTA_MUST_CHECK enum fota_code fota_session_install(struct fota_session *s);

/* AT+FOTACONFIRM: keeps the version on trial, or goes back to the old one (the notice RESTART follows).
 * FOTA_CODE_NONE: it counts when it is stored (the state is IDLE then), or is tried again. BAD_OPERATION if none is on
 * trial, ABORTED after fota_session_abort, IO_TIMEOUT while storage hangs. */
FOTA_MUST_CHECK enum fota_code fota_session_confirm(struct fota_session *s, bool is_kept);

/* The installer's end: OK, or anything else if it failed. */
void fota_session_installed(struct fota_session *s, enum fota_err result);

/* The module goes down: a session that runs ends with 508 and its part is synced.
 * Reports stay in the journal. The caller feeds on until fota_session_is_quiet. */
void fota_session_abort(struct fota_session *s);

/* An HTTP event. OK, or BUSY for a body whose bytes are not wanted yet; *taken says
 * how many were used, and the port offers the rest again after `resume`. */
FOTA_MUST_CHECK enum fota_err fota_session_http(struct fota_session *s, const struct fota_http_event *event,
						size_t *taken);

/* The pending storage operation ended with OK, FULL or IO. */
void fota_session_storage(struct fota_session *s, enum fota_err result);

/* Lets time pass and waiting work go on. Call it after every batch of events and
 * when fota_session_next_ms is over. */
void fota_session_tick(struct fota_session *s);

/* Milliseconds until fota_session_tick has something to do; UINT32_MAX if it waits
 * for events only. */
uint32_t fota_session_next_ms(const struct fota_session *s);

/* No session runs, no report is on its way, and no storage operation is pending but one
 * that is beyond its time limit. */
bool fota_session_is_quiet(const struct fota_session *s);

/* A storage operation is pending, be it beyond its time limit. While it is, the session
 * must not be initialised anew, but by fota_session_init_hung: the operation's end would be taken for that of
 * another. */
bool fota_session_is_storing(const struct fota_session *s);

/* The limits that hold, with the defaults filled in; retry_count 0 means none. */
void fota_session_get_limits(const struct fota_session *s, struct fota_session_limits *limits);

/* Other limits from now on, as those of the configuration. Not while a session runs. */
void fota_session_set_limits(struct fota_session *s, const struct fota_session_limits *limits);

/* Another policy from now on. */
void fota_session_set_policy(struct fota_session *s, const struct fota_session_policy *policy);

void fota_session_get(const struct fota_session *s, struct fota_session_info *info);

#endif
