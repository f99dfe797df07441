/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the session share. Not for callers. */
#ifndef FOTA_SESSION_INTERNAL_H
#define FOTA_SESSION_INTERNAL_H

#include "fota/session.h"

/* Where a session stands. PHASE_LIST makes the enum and the names. */
#define PHASE_LIST(X)                                                           \
	X(LOADING) /* the journal is read */                                    \
	X(IDLE)                                                                 \
	X(CHECKING)    /* POST of the check */                                  \
	X(WAITING)     /* delay before another try */                           \
	X(PREPARING)   /* the journal learns what is going to be in the slot */ \
	X(DOWNLOADING) /* GET of the payload */                                 \
	X(FLUSHING)    /* what was received becomes durable */                  \
	X(VERIFYING)   /* the slot is read back and hashed */                   \
	X(SAVING)      /* the journal learns how the session ends */            \
	X(REPORTING)   /* POST of a final report; no session runs */            \
	X(ACKING)      /* the journal forgets a report */                       \
	X(INSTALLING)  /* an installer of the system's own runs */              \
	X(SETTLING)    /* the journal learns an order about the slots */

enum session_phase {
#define PHASE_ENUM(name) PHASE_##name,
	PHASE_LIST(PHASE_ENUM)
#undef PHASE_ENUM
		PHASE_COUNT
};

/* What moves a session on. */
#define EVENT_LIST(X)                                                       \
	X(BEGIN)        /* a command was accepted */                        \
	X(HEAD)         /* an answer begins */                              \
	X(DONE)         /* an answer is complete */                         \
	X(FAIL)         /* a request failed; fail_code is set */            \
	X(JOB_DONE)     /* a storage job ended well */                      \
	X(JOB_FAIL)     /* a storage job failed; fail_code is set */        \
	X(TIMER)        /* wake_ms is over */                               \
	X(STOP)         /* stop_code: cancelled, aborted, or out of time */ \
	X(INSTALL_DONE) /* the installer ended well */                      \
	X(INSTALL_FAIL)

enum session_event {
#define EVENT_ENUM(name) EVENT_##name,
	EVENT_LIST(EVENT_ENUM)
#undef EVENT_ENUM
		EVENT_COUNT
};

/* What AT+FOTALAST? names as the step that raised a code. Stored as numbers: append
 * only. */
#define STEP_LIST(X)            \
	X(NONE, "")             \
	X(CHECK, "check")       \
	X(STORE, "store")       \
	X(DOWNLOAD, "download") \
	X(VERIFY, "verify")

enum session_step {
#define STEP_ENUM(name, text) STEP_##name,
	STEP_LIST(STEP_ENUM)
#undef STEP_ENUM
		STEP_COUNT
};

enum session_job {
	JOB_NONE,
	JOB_JOURNAL, /* what fota_journal_save or _load began */
	JOB_STORE,   /* one operation of store_body: erase or prog */
	JOB_FLUSH,   /* staged bytes, sync, progress into the journal */
	JOB_VERIFY,
	JOB_SETTLE, /* a sync for the sake of errors that a port tells late */
};

/* What changes which slot runs, or tells of it. */
enum session_order {
	ORDER_NONE,
	ORDER_TELL,      /* the hosts and the platform hear of a result */
	ORDER_CLOSE,     /* a confirmed version is reported, its package forgotten */
	ORDER_INSTALL,   /* the package is armed, or handed to the installer */
	ORDER_INSTALLED, /* the installer has done its part: armed */
	ORDER_CONFIRM,
	ORDER_ROLL_BACK,
	ORDER_COUNT
};

/* ---- machine.c ---- */
/* Puts an event behind those that wait; the public function that runs handles them
 * before it returns. So actions never call each other, and the stack stays flat. */
void session_raise(struct fota_session *s, enum session_event event);
/* Goes to a phase; what begins it runs before the next event. */
void session_go(struct fota_session *s, enum session_phase phase);
/* Handles what was raised, until nothing is left. */
void session_pump(struct fota_session *s);
void session_notify(const struct fota_session *s, const struct fota_notice *notice);
void session_notify_code(const struct fota_session *s, enum fota_code code);
uint64_t session_now_ms(const struct fota_session *s);
const char *session_step_text(unsigned step);
struct fota_bytes session_identity(const struct fota_session *s, enum fota_identity_field field);
/* Starts a request. Raises FAIL if the port refuses. */
void session_http_start(struct fota_session *s, const struct fota_http_request *req);
void session_http_cancel(struct fota_session *s);
enum fota_code session_code_of_http(const struct fota_session *s, enum fota_err err);

/* Where the package goes. */
const struct fota_flash *session_area(const struct fota_session *s);

/* ---- trust.c ---- */
/* NONE if the offer may be taken; notes the sequence number of its manifest. */
enum fota_code session_judge_offer(struct fota_session *s, const struct fota_check_answer *msg);
/* The key that the stored package was taken for is still trusted. */
bool session_is_package_trusted(const struct fota_session *s);

/* ---- install.c ---- */
bool session_is_ready(const struct fota_session *s);
/* An installation is not over: nothing else of the FOTA service begins. */
bool session_is_installing(const struct fota_session *s);
bool session_is_order_due(const struct fota_session *s);
/* When an order may become due by time alone; UINT64_MAX: never. */
uint64_t session_order_ms(const struct fota_session *s);
/* After the journal was loaded. */
void session_resume_installation(struct fota_session *s);
/* The platform has acknowledged something: the version that runs reaches it. */
void session_heard(struct fota_session *s);
/* Actions of the tables. */
void session_enter_settling(struct fota_session *s);
void session_settled(struct fota_session *s);
void session_settling_failed(struct fota_session *s);
void session_enter_installing(struct fota_session *s);
void session_installer_done(struct fota_session *s);
void session_installer_failed(struct fota_session *s);
void session_installer_stopped(struct fota_session *s);

/* ---- end.c: actions of the tables, but for the first ---- */
/* The session ends with this code: flushes, saves, then tells. The first code that is
 * given counts. */
void session_end(struct fota_session *s, enum fota_code code);
/* The end of a session that only asks, with an offer. */
void session_tell_offer(struct fota_session *s, const struct fota_check_answer *msg);
/* Queues a report about the stored package, with the oldest one given up if the queue is full. */
void session_add_report(struct fota_session *s, enum fota_report_state state, enum fota_code code);
void session_enter_saving(struct fota_session *s);
void session_tell(struct fota_session *s);
void session_saving_failed(struct fota_session *s);
void session_enter_reporting(struct fota_session *s);
void session_report_answered(struct fota_session *s);
void session_report_failed(struct fota_session *s);
void session_report_stopped(struct fota_session *s);
void session_enter_acking(struct fota_session *s);
void session_acked(struct fota_session *s);
void session_ack_failed(struct fota_session *s);

/* ---- download.c: actions of the tables ---- */
void session_check_failed(struct fota_session *s);
void session_retry_now(struct fota_session *s);
void session_enter_preparing(struct fota_session *s);
void session_prepared(struct fota_session *s);
void session_preparing_failed(struct fota_session *s);
void session_enter_downloading(struct fota_session *s);
void session_download_done(struct fota_session *s);
void session_download_failed(struct fota_session *s);
void session_storage_failed(struct fota_session *s);
void session_enter_flushing(struct fota_session *s);
void session_flushed(struct fota_session *s);
void session_flush_failed(struct fota_session *s);
void session_enter_verifying(struct fota_session *s);
void session_verified(struct fota_session *s);
void session_verify_failed(struct fota_session *s);
void session_stop(struct fota_session *s);
/* Head and body of the package's answer. take_body: as session_store_body. */
void session_take_head(struct fota_session *s, const struct fota_http_event *head);
enum fota_err session_take_body(struct fota_session *s, struct fota_bytes body, size_t *taken);

/* ---- check.c ---- */
/* UNIX time, by the platform or the port; 0 if not known. */
uint64_t session_unix_s(const struct fota_session *s);
/* Sends the check. Raises FAIL if it cannot be sent. */
void session_check_send(struct fota_session *s);
/* Raises FAIL at once if the answer's status says enough. */
void session_check_head(struct fota_session *s);
/* The answer of the check is complete: reads it and moves on. */
void session_check_answer(struct fota_session *s);
/* Sends the oldest report. */
void session_report_send(struct fota_session *s);
/* True if the platform has the oldest report, or will never take it. */
bool session_report_is_taken(struct fota_session *s);
/* Keeps the answer's bytes; those beyond the limit are counted and dropped. */
void session_answer_feed(struct fota_session *s, struct fota_bytes bytes);

/* ---- store.c ---- */
void session_job_start(struct fota_session *s, enum session_job job);
void session_journal_start(struct fota_session *s, enum fota_journal_job job);
/* Runs the job as far as the ports go without waiting. */
void session_job_run(struct fota_session *s);
bool session_job_is_active(const struct fota_session *s);
/* Ends a verification early; JOB_DONE follows if an operation has to end first. */
void session_job_stop_verify(struct fota_session *s);
/* The pending operation ended. */
void session_job_end_operation(struct fota_session *s, enum fota_err result);
/* Fails the job whose operation is pending for too long. */
void session_job_check_time(struct fota_session *s);
/* Takes body bytes; *taken says how many. BUSY if storage has to end first. Raises
 * JOB_FAIL if storage fails. */
enum fota_err session_store_body(struct fota_session *s, struct fota_bytes bytes, size_t *taken);
void session_store_begin(struct fota_session *s, uint64_t off);
uint64_t session_store_received(const struct fota_session *s);
bool session_store_is_dirty(const struct fota_session *s);
/* The buffers in the work room. */
struct fota_room session_out_room(const struct fota_session *s);
struct fota_room session_in_room(const struct fota_session *s);

#endif
