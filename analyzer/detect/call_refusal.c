/* SPDX-License-Identifier: MIT */
/* call_refusal: the tables. */
#include "analyzer/detect/call_refusal.h"

#include <string.h>

struct meaning {
	const char *reason;
	enum severity severity;
	const char *because, *fix;
};

static const struct meaning meanings[] = {
	{ "number-not-found", SEVERITY_WARNING, "the number is not known there",
	  "Check the digits against the dial plan and the number format of the trunk (prefix, +country code)" },
	{ "number-changed", SEVERITY_WARNING, "the number is no longer in use",
	  "Find the new number and correct the phone book" },
	{ "number-incomplete", SEVERITY_WARNING, "digits are missing",
	  "Check the dial plan: it sends the number before it is complete, or the trunk wants another format" },
	{ "forbidden", SEVERITY_ERROR, "the caller may not call there",
	  "Ask why this caller may not call: caller ID, permitted addresses, barred destination" },
	{ "quota", SEVERITY_ERROR, "it is not paid for", "Look at the account at the provider" },
	{ "auth-rejected", SEVERITY_ERROR,
	  "the caller's credentials are refused: password or user of the account differ",
	  "Enter password and authentication user of the account again on both sides" },
	{ "auth-not-answered", SEVERITY_ERROR, "the caller was asked for credentials and sent none",
	  "Enter the account's user and password at the caller, and the realm that the challenge names; a provider that calls in has none: let the side that challenges know its trunk by address" },
	{ "timeout-upstream", SEVERITY_ERROR, "who was to be asked next gave no answer in time",
	  "Follow the call to the next hop: capture there, look for an INVITE without answer" },
	{ "not-registered", SEVERITY_WARNING, "the called phone is not registered",
	  "Look at the registration of the called phone" },
	{ "unavailable", SEVERITY_WARNING, "the called party cannot be reached at the moment",
	  "Look where the call was sent to: whether that phone is registered, whether a diversion is set" },
	{ "codec", SEVERITY_ERROR, "the session that was offered is not accepted",
	  "Compare the codecs and media encryption of both sides and allow a common one" },
	{ "congestion", SEVERITY_ERROR, "no channel or circuit is free",
	  "Compare the calls that were up with the channel limit of the trunk" },
	{ "server-busy", SEVERITY_ERROR, "the server does not take the call",
	  "Compare the calls that were up with the channel limit; ask the operator of that server" },
	{ "server-error", SEVERITY_ERROR, "the server could not do it", "Look at the log of that server at this time" },
	{ "out-of-order", SEVERITY_ERROR, "the network behind it is out of order",
	  "Report it, with the cause as it is quoted here, to whoever runs it: mostly the provider" },
	{ "loop", SEVERITY_ERROR, "the call goes round in a circle",
	  "Look for diversions and routes that send the call back" },
	{ "extension-required", SEVERITY_ERROR, "it wants, or does not know, an extension of SIP",
	  "Switch the named extension on or off on one side" },
	{ "timer-too-small", SEVERITY_ERROR, "the session timer asked for is too short for it",
	  "Raise the session timer (Session-Expires) of the caller" },
	{ "bad-request", SEVERITY_ERROR, "it does not take the request as it is",
	  "Compare with a call that works; look for an ALG that changes requests" },
	{ "method-refused", SEVERITY_ERROR, "it does not take calls at all at this address",
	  "Check where the call is sent to: address, port, user" },
	{ "too-large", SEVERITY_ERROR, "the message is too large for it", "Offer fewer codecs and candidates" },
	{ "identity-policy", SEVERITY_WARNING, "the caller's identity is not accepted",
	  "Check the caller ID that is sent, its signature, and whether it is withheld" },
	{ "blocked", SEVERITY_WARNING, "the call was blocked, not declined by a person",
	  "Ask the called party's provider why the number is blocked" },
	{ "other", SEVERITY_WARNING, "it was refused", "Ask the operator of the host that refused" },
};

enum { OTHER = sizeof meanings / sizeof meanings[0] - 1 };

static const struct meaning *meaning_find(const char *reason)
{
	for (size_t i = 0; i < OTHER; i++) {
		if (strcmp(meanings[i].reason, reason) == 0)
			return &meanings[i];
	}
	return &meanings[OTHER];
}

/* Status codes; those not here are "other". */
static const struct { uint16_t status; const char *reason; } by_status[] = {
	{ 400, "bad-request" }, { 401, "auth-not-answered" }, { 402, "quota" }, { 403, "forbidden" },
	  { 404, "number-not-found" }, { 405, "method-refused" },
	{ 407, "auth-not-answered" }, { 408, "timeout-upstream" }, { 410, "number-changed" }, { 413, "too-large" },
	  { 415, "codec" }, { 416, "bad-request" },
	{ 417, "extension-required" }, { 420, "extension-required" }, { 421, "extension-required" },
	  { 422, "timer-too-small" }, { 428, "identity-policy" },
	{ 429, "identity-policy" }, { 433, "identity-policy" }, { 436, "identity-policy" }, { 437, "identity-policy" },
	  { 438, "identity-policy" },
	{ 480, "unavailable" }, { 482, "loop" }, { 483, "loop" }, { 484, "number-incomplete" }, { 488, "codec" },
	  { 493, "bad-request" },
	{ 494, "extension-required" }, { 500, "server-error" }, { 501, "method-refused" }, { 502, "server-error" },
	  { 503, "server-busy" },
	{ 504, "timeout-upstream" }, { 505, "bad-request" }, { 513, "too-large" }, { 604, "number-not-found" },
	  { 606, "codec" }, { 607, "identity-policy" },
	{ 608, "identity-policy" },
};

/* Q.850 causes that name a fault; 16 to 19, 31 and the like are ordinary ends, or leave it to the status. */
static const struct { uint16_t cause; const char *reason; } by_cause[] = {
	{ 1, "number-not-found" }, { 2, "number-not-found" }, { 3, "number-not-found" }, { 20, "not-registered" },
	  { 22, "number-changed" }, { 27, "out-of-order" },
	{ 28, "number-incomplete" }, { 34, "congestion" }, { 38, "out-of-order" }, { 41, "congestion" },
	  { 42, "congestion" }, { 44, "congestion" },
	{ 47, "out-of-order" }, { 57, "forbidden" }, { 65, "codec" }, { 88, "codec" }, { 102, "timeout-upstream" },
};

static const char *reason_of_status(unsigned status)
{
	for (size_t i = 0; i < sizeof by_status / sizeof by_status[0]; i++) {
		if (by_status[i].status == status)
			return by_status[i].reason;
	}
	return "other";
}

static const char *reason_of_cause(unsigned q850)
{
	for (size_t i = 0; i < sizeof by_cause / sizeof by_cause[0]; i++) {
		if (by_cause[i].cause == q850)
			return by_cause[i].reason;
	}
	return NULL;
}

/* 5xx and 480 are what gateways wrap all sorts of causes in; only a status that names another fault is contradicted. */
static bool contradicts(unsigned status, const char *said, const char *caused)
{
	static const char *const kin[][2] = {
		{ "server-busy", "congestion" }, { "server-error", "out-of-order" }, { "server-busy", "out-of-order" },
		  { "server-error", "congestion" },
		{ "unavailable", "not-registered" }, { "server-error", "timeout-upstream" },
		  { "server-busy", "timeout-upstream" },
	};

	if (strcmp(said, caused) == 0 || strcmp(said, "other") == 0 ||
	    (status == 480 && strcmp(caused, "number-not-found") != 0))
		return false;
	for (size_t i = 0; i < sizeof kin / sizeof kin[0]; i++) {
		if (strcmp(kin[i][0], said) == 0 && strcmp(kin[i][1], caused) == 0)
			return false;
	}
	return true;
}

struct refusal refusal_named(const char *reason)
{
	const struct meaning *m = meaning_find(reason);

	return (struct refusal){ .reason = m->reason, .severity = m->severity, .because = m->because, .fix = m->fix };
}

struct refusal refusal_of(unsigned status, unsigned q850)
{
	const char *said = reason_of_status(status), *caused = reason_of_cause(q850);
	struct refusal r;

	if (status == 486 || status == 600 || status == 487)
		return (struct refusal){ 0 };
	r = refusal_named(caused ? caused : said);
	r.contradicts = caused && contradicts(status, said, caused);
	return r;
}

bool refusal_of_retry(const struct leg *leg, const struct message *made)
{
	const struct message *asked = NULL, *refused = NULL;

	CHAIN_EACH(it, &leg->messages) {
		const struct message *m = LIST_ENTRY(it, struct message, in_leg);

		if (m->method != SIP_INVITE || m->at.at_ns > made->at.at_ns || m == made)
			continue;
		if (m->request && endpoint_equal(&m->dst, &made->src))
			asked = m;
		else if (!m->request && m->status >= 300 && m->status != 482 && endpoint_equal(&m->src, &made->src))
			refused = m;
	}
	return asked && refused && refused->at.at_ns < asked->at.at_ns;
}
