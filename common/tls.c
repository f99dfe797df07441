/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl tells why a certificate was refused, in libcrypto's words. What is to be done is
 * another thing for each of the usual reasons. */
#include "tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>

#define ISSUER     "its issuer is not trusted here: if it is your own authority, give its certificate with --ca FILE"
#define OTHER_NAME "call the server by a name that is in its certificate, or have this one added there"
#define RENEW      "renew it at the server; if it is good there, set the clock here"

static const struct {
	long result;
	const char *advice;
} advices[] = {
	/* also for an issuer of the same name with another key, which libcurl does not tell apart */
	{ TLS_NO_HANDSHAKE, "the server has to speak TLS 1.2 or later on this port, with a certificate whose issuer is "
			    "trusted here (--ca FILE)" },
	/* libcurl compares names itself and leaves what was there before, which was not the same
	 * in all of its versions */
	{ X509_V_OK, OTHER_NAME },
	{ X509_V_ERR_UNSPECIFIED, OTHER_NAME },
	{ X509_V_ERR_HOSTNAME_MISMATCH, OTHER_NAME },
	{ X509_V_ERR_IP_ADDRESS_MISMATCH, OTHER_NAME },
	{ X509_V_ERR_CERT_HAS_EXPIRED, RENEW },
	{ X509_V_ERR_CERT_NOT_YET_VALID, "set the clock, here or where the certificate was made" },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, ISSUER },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, ISSUER },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, ISSUER },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, ISSUER },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, ISSUER },
};

const char *tls_advice(long verify_result)
{
	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
		if (advices[i].result == verify_result) { return advices[i].advice; }
	}
	return "have the server's certificate made again; openssl verify tells more";
}

bool tls_is_certificate_file(const char *path)
{
	FILE *file = fopen(path, "re");
	X509 *first = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
	bool is_one = first != NULL;

	X509_free(first);
	if (file) { (void)fclose(file); }
	ERR_clear_error();
	return is_one;
}
