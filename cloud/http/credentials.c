/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate and its key are one object that counts its users: the one that is shown to new connections, and
 * each connection that began with it. A renewal puts another in its place, and the old one goes with its last
 * connection. So nothing that GnuTLS looks at ever changes under it.
 *
 * The texts of the files go as soon as GnuTLS has them: the key is in memory once. */
#include "http/credentials.h"

#include "http/certificate.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PART "http"

struct cloud_credential {
	unsigned refs;
	gnutls_certificate_credentials_t handle;
};

struct cloud_credentials {
	const char *chain_path;
	const char *key_path;
	const struct log *log;
	pthread_mutex_t lock; /* over `current` and all counts */
	struct cloud_credential *current;
};

static gnutls_datum_t datum_of(char *text)
{
	return (gnutls_datum_t) { .data = (unsigned char *)text, .size = (unsigned)strlen(text) };
}

static int set_texts(gnutls_certificate_credentials_t handle, const struct cloud_certificate *certificate)
{
	gnutls_datum_t chain = datum_of(certificate->chain);
	gnutls_datum_t key = datum_of(certificate->key);

	return gnutls_certificate_set_x509_key_mem(handle, &chain, &key, GNUTLS_X509_FMT_PEM);
}

static void free_credential(struct cloud_credential *credential)
{
	if (credential->handle) { gnutls_certificate_free_credentials(credential->handle); }
	free(credential);
}

/* NULL: no memory, or GnuTLS does not like what libcrypto did. */
static struct cloud_credential *new_credential(const struct cloud_certificate *certificate, const struct log *log)
{
	struct cloud_credential *credential = calloc(1, sizeof(*credential));
	int status;

	if (!credential) { return NULL; }
	credential->refs = 1;
	status = gnutls_certificate_allocate_credentials(&credential->handle);
	if (status >= 0) { status = set_texts(credential->handle, certificate); }
	if (status >= 0) { return credential; }
	log_line(log, LOG_LEVEL_ERROR, PART, "certificate and key cannot be used: %s", gnutls_strerror(status));
	free_credential(credential);
	return NULL;
}

static struct cloud_credential *load(const struct cloud_credentials *credentials)
{
	struct cloud_certificate certificate;
	struct cloud_credential *credential;

	if (!cloud_certificate_load(&certificate, credentials->chain_path, credentials->key_path, credentials->log)) {
		return NULL;
	}
	credential = new_credential(&certificate, credentials->log);
	cloud_certificate_free(&certificate);
	return credential;
}

struct cloud_credentials *cloud_credentials_open(const char *chain_path, const char *key_path, const struct log *log)
{
	struct cloud_credentials *credentials = calloc(1, sizeof(*credentials));

	if (!credentials) { return NULL; }
	*credentials = (struct cloud_credentials) { .chain_path = chain_path, .key_path = key_path, .log = log };
	pthread_mutex_init(&credentials->lock, NULL);
	credentials->current = load(credentials);
	if (credentials->current) { return credentials; }
	cloud_credentials_close(credentials);
	return NULL;
}

void cloud_credentials_close(struct cloud_credentials *credentials)
{
	if (!credentials) { return; }
	cloud_credentials_drop(credentials, credentials->current);
	pthread_mutex_destroy(&credentials->lock);
	free(credentials);
}

bool cloud_credentials_reload(struct cloud_credentials *credentials)
{
	struct cloud_credential *next = load(credentials);
	struct cloud_credential *last;

	if (!next) { return false; }
	pthread_mutex_lock(&credentials->lock);
	last = credentials->current;
	credentials->current = next;
	pthread_mutex_unlock(&credentials->lock);
	cloud_credentials_drop(credentials, last);
	return true;
}

struct cloud_credential *cloud_credentials_use(struct cloud_credentials *credentials, gnutls_session_t session)
{
	struct cloud_credential *credential;

	pthread_mutex_lock(&credentials->lock);
	credential = credentials->current;
	credential->refs++;
	pthread_mutex_unlock(&credentials->lock);
	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credential->handle) >= 0) { return credential; }
	cloud_credentials_drop(credentials, credential);
	return NULL;
}

void cloud_credentials_drop(struct cloud_credentials *credentials, struct cloud_credential *credential)
{
	bool is_last;

	if (!credential) { return; }
	pthread_mutex_lock(&credentials->lock);
	is_last = --credential->refs == 0;
	pthread_mutex_unlock(&credentials->lock);
	if (is_last) { free_credential(credential); }
}
