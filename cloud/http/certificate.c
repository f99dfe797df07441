/* SPDX-License-Identifier: Apache-2.0 */
/* libmicrohttpd says of a certificate and a key that do not work only that they do not. So both
 * are looked at here before it gets them, with libcrypto, which is linked anyway.
 *
 * Files are read without stdio, whose buffers would keep a copy of the key. */
#include "http/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PART           "http"
#define FILE_MAX_BYTES 262144u
#define WARN_DAYS      14

static bool read_all(int fd, char *text, size_t cap, size_t *len)
{
	ssize_t got = 1;

	*len = 0;
	while (got != 0 && *len < cap) {
		got = read(fd, text + *len, cap - *len);
		if (got < 0 && errno != EINTR) { return false; }
		if (got > 0) { *len += (size_t)got; }
	}
	return true;
}

/* FILE_MAX_BYTES of memory with a text in it, or NULL. */
static char *read_text(int fd, const char *path, const struct log *log)
{
	char *text = calloc(1, FILE_MAX_BYTES);
	size_t len = 0;
	bool is_read = text && read_all(fd, text, FILE_MAX_BYTES, &len);

	if (is_read && len > 0 && len < FILE_MAX_BYTES) { return text; }
	log_line(log, LOG_LEVEL_ERROR, PART, "cannot read %s: %s", path,
		 is_read ? "empty or too large" : strerror(errno));
	if (text) { explicit_bzero(text, FILE_MAX_BYTES); }
	free(text);
	return NULL;
}

static int open_file(const char *path, const struct log *log)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) { log_line(log, LOG_LEVEL_ERROR, PART, "cannot read %s: %s", path, strerror(errno)); }
	return fd;
}

/* The service manager's credentials are closed by their directory; the access list on them
 * makes the mode look wider than it is. */
static bool is_credential(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t len = dir ? strlen(dir) : 0;

	return len > 0 && strncmp(path, dir, len) == 0 && path[len] == '/';
}

static void warn_if_open(const char *path, const struct log *log)
{
	struct stat info;

	if (is_credential(path) || stat(path, &info) != 0 || (info.st_mode & 077) == 0) { return; }
	log_line(log, LOG_LEVEL_WARN, PART,
		 "the private key %s is open to more than its owner (mode %03o): chmod 600 it", path,
		 (unsigned)info.st_mode & 0777u);
}

static char *load(const char *path, const struct log *log)
{
	int fd = open_file(path, log);
	char *text;

	if (fd < 0) { return NULL; }
	text = read_text(fd, path, log);
	close(fd);
	return text;
}

static BIO *text_bio(const char *text)
{
	return BIO_new_mem_buf(text, -1);
}

static X509 *parse_certificate(const char *chain, const char *path, const struct log *log)
{
	BIO *bio = text_bio(chain);
	X509 *own = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (own) { return own; }
	log_line(log, LOG_LEVEL_ERROR, PART,
		 "%s does not begin with a certificate in PEM (-----BEGIN CERTIFICATE-----): give the chain, the "
		 "server's own first",
		 path);
	return NULL;
}

/* libcrypto asks for a passphrase: there is none, and nobody to ask. */
static int no_passphrase(char *text, int cap, int is_writing, void *ctx)
{
	(void)text;
	(void)cap;
	(void)is_writing;
	*(bool *)ctx = true;
	return -1;
}

static EVP_PKEY *parse_key(const char *text, const char *path, const struct log *log)
{
	bool is_encrypted = false;
	BIO *bio = text_bio(text);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &is_encrypted) : NULL;

	BIO_free(bio);
	if (key) { return key; }
	log_line(log, LOG_LEVEL_ERROR, PART,
		 is_encrypted
			 ? "the private key %s has a passphrase, which a service cannot type: write it without one "
			   "(openssl pkey) into a file of mode 0600"
			 : "%s has no private key in PEM (-----BEGIN PRIVATE KEY-----)",
		 path);
	return NULL;
}

static void warn_about_dates(X509 *own, const char *path, const struct log *log)
{
	time_t soon = time(NULL) + WARN_DAYS * 86400;
	const ASN1_TIME *end = X509_get0_notAfter(own);
	struct tm tm = { 0 };
	char date[32] = "?";

	if (ASN1_TIME_to_tm(end, &tm)) { strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm); }
	if (X509_cmp_current_time(end) < 0) {
		log_line(log, LOG_LEVEL_WARN, PART,
			 "the certificate %s expired on %s: clients refuse it; renew it, then reload", path, date);
	} else if (X509_cmp_time(end, &soon) < 0) {
		log_line(log, LOG_LEVEL_WARN, PART, "the certificate %s expires on %s: renew it and reload before that",
			 path, date);
	}
	if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0) {
		log_line(log, LOG_LEVEL_WARN, PART,
			 "the certificate %s is not valid yet: clients refuse it; check this machine's clock", path);
	}
}

static bool fit(X509 *own, EVP_PKEY *key, const char *chain_path, const char *key_path, const struct log *log)
{
	if (X509_check_private_key(own, key) == 1) { return true; }
	log_line(log, LOG_LEVEL_ERROR, PART,
		 "the private key %s does not belong to the first certificate of %s: give the key that the certificate "
		 "was made for, and the server's own certificate before those of its issuers",
		 key_path, chain_path);
	return false;
}

static bool check(const struct cloud_certificate *certificate, const char *chain_path, const char *key_path,
		  const struct log *log)
{
	X509 *own = parse_certificate(certificate->chain, chain_path, log);
	EVP_PKEY *key = own ? parse_key(certificate->key, key_path, log) : NULL;
	bool is_good = key && fit(own, key, chain_path, key_path, log);

	if (is_good) {
		warn_if_open(key_path, log);
		warn_about_dates(own, chain_path, log);
	}
	EVP_PKEY_free(key);
	X509_free(own);
	ERR_clear_error();
	return is_good;
}

bool cloud_certificate_load(struct cloud_certificate *certificate, const char *chain_path, const char *key_path,
			    const struct log *log)
{
	*certificate = (struct cloud_certificate) { .chain = load(chain_path, log) };
	if (certificate->chain) { certificate->key = load(key_path, log); }
	if (certificate->key && check(certificate, chain_path, key_path, log)) { return true; }
	cloud_certificate_free(certificate);
	return false;
}

void cloud_certificate_free(struct cloud_certificate *certificate)
{
	if (certificate->key) { explicit_bzero(certificate->key, FILE_MAX_BYTES); }
	free(certificate->key);
	free(certificate->chain);
	*certificate = (struct cloud_certificate) { 0 };
}
