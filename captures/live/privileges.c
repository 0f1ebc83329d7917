/* SPDX-License-Identifier: MIT */
/* privileges: users and capabilities (libcap-ng). */
#include "captures/live/privileges.h"

#include <cap-ng.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "captures/base/span.h"

struct identity {
	uid_t uid;
	gid_t gid;
	const char *name;            /* of getpwnam(), getpwuid(): until the next call of those; NULL: it has none */
};

static bool number_from(const char *variable, uint64_t *ret)
{
	const char *text = getenv(variable);

	return text && span_number(span_of(text), UINT32_MAX - 1, ret) && *ret != 0;
}

/* Whom root becomes. False: nobody is there to become. */
static bool identity_find(struct identity *ret)
{
	static const char *const names[] = { "deadair", "nobody" };
	uint64_t uid, gid;
	const struct passwd *user;

	if (number_from("SUDO_UID", &uid) && number_from("SUDO_GID", &gid)) {
		user = getpwuid((uid_t)uid);
		*ret = (struct identity){ (uid_t)uid, (gid_t)gid, user ? user->pw_name : NULL };
		return true;
	}
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		user = getpwnam(names[i]);
		if (user && user->pw_uid != 0) {
			*ret = (struct identity){ user->pw_uid, user->pw_gid, user->pw_name };
			return true;
		}
	}
	return false;
}

bool privileges_whom(uid_t *ret_uid, gid_t *ret_gid)
{
	struct identity who;

	if (geteuid() != 0 || !identity_find(&who))
		return false;
	*ret_uid = who.uid;
	*ret_gid = who.gid;
	return true;
}

/* What cannot be read counts as not there. */
static bool has_net_raw(void)
{
	return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_PERMITTED, CAP_NET_RAW) == 1;
}

static void keep_net_raw(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, CAPNG_PERMITTED, CAP_NET_RAW);
}

static bool become(struct text *ret, struct err *err)
{
	struct identity who;
	char name[64];
	int status;

	if (!identity_find(&who)) {
		err_set(err, ERR_SYSTEM,
			"privileges cannot be dropped: no user deadair or nobody: useradd -r deadair, or --keep-privileges");
		return false;
	}
	keep_net_raw();
	status = capng_change_id((int)who.uid, (int)who.gid, CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING);
	if (status != 0) {
		err_set(err, ERR_SYSTEM,
			"privileges cannot be dropped (libcap-ng %d): the system forbids it; --keep-privileges goes on as root",
			status);
		return false;
	}
	if (who.name)
		text_addf(ret, "user %s", text_escape(span_of(who.name), name, sizeof name));
	else
		text_addf(ret, "user id %u", (unsigned)who.uid);
	return true;
}

bool privileges_drop(struct text *ret, struct err *err)
{
	bool had = has_net_raw();

	if (geteuid() == 0) {
		if (!become(ret, err))
			return false;
	} else {
		if (had)
			keep_net_raw();
		else
			capng_clear(CAPNG_SELECT_BOTH);
		if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
			err_set(err, ERR_SYSTEM,
				"capabilities cannot be dropped: the system forbids it; --keep-privileges keeps them");
			return false;
		}
		text_add(ret, "the user as before");
	}
	if (has_net_raw())
		text_add(ret, ", CAP_NET_RAW in reserve for interfaces that come back");
	else
		text_add(ret, ", no capability");
	return true;
}

/* To give up what one has is not refused; where raising is, the interface cannot be opened, which says so. */
static void apply(void)
{
	int status = capng_apply(CAPNG_SELECT_CAPS);

	(void)status;
}

static void set_effective(capng_act_t act)
{
	if (!has_net_raw())
		return;
	capng_update(act, CAPNG_EFFECTIVE, CAP_NET_RAW);
	apply();
}

void privileges_raise(void)
{
	set_effective(CAPNG_ADD);
}

void privileges_lower(void)
{
	if (geteuid() != 0)             /* --keep-privileges: root keeps its own */
		set_effective(CAPNG_DROP);
}

void privileges_abandon(void)
{
	capng_clear(CAPNG_SELECT_BOTH);
	apply();
}
