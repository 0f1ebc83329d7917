/* SPDX-License-Identifier: MIT */
/* sandbox: seccomp(2) by libseccomp, landlock(7). */
#include "captures/live/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/netlink.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* As they are: they reach nothing that the process has not opened. */
static const int calls[] = {
	/* files and pipes that are open */
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	SCMP_SYS(close),
	SCMP_SYS(lseek),
	SCMP_SYS(_llseek),
	SCMP_SYS(dup),
	SCMP_SYS(fcntl),
	SCMP_SYS(fcntl64),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(ppoll_time64),
	SCMP_SYS(select),
	SCMP_SYS(_newselect),
	SCMP_SYS(pselect6),
	SCMP_SYS(pselect6_time64),
	SCMP_SYS(pipe2),
	SCMP_SYS(pipe),
	SCMP_SYS(eventfd2),
	SCMP_SYS(close_range),
	/* files that are made: captures that are saved, the history (SQLite) */
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(ftruncate64),
	SCMP_SYS(fallocate),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(fchmod),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(getcwd),
	SCMP_SYS(chdir),
	SCMP_SYS(umask),
	/* what files are */
	SCMP_SYS(fstat),
	SCMP_SYS(fstat64),
	SCMP_SYS(stat),
	SCMP_SYS(stat64),
	SCMP_SYS(lstat),
	SCMP_SYS(lstat64),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstatat64),
	SCMP_SYS(statx),
	SCMP_SYS(fstatfs),
	SCMP_SYS(statfs),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getdents64),
	SCMP_SYS(getdents),
	/* memory */
	SCMP_SYS(brk),
	SCMP_SYS(mmap),
	SCMP_SYS(mmap2),
	SCMP_SYS(mprotect),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(getrandom),
	SCMP_SYS(sysinfo),
	/* threads, and the copy of the process that judges */
	SCMP_SYS(clone),
	SCMP_SYS(fork),
	SCMP_SYS(vfork),
	SCMP_SYS(wait4),
	SCMP_SYS(waitid),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
	SCMP_SYS(futex),
	SCMP_SYS(futex_time64),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(rseq),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(sched_yield),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(gettid),
	SCMP_SYS(getpid),
	SCMP_SYS(getppid),
	SCMP_SYS(tgkill),
	SCMP_SYS(kill),
	/* signals */
	SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(restart_syscall),
	/* time */
	SCMP_SYS(clock_gettime),
	SCMP_SYS(clock_gettime64),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(clock_nanosleep_time64),
	/* who one is; capset gives nothing that is not permitted */
	SCMP_SYS(getuid),
	SCMP_SYS(geteuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(capget),
	SCMP_SYS(capset),
	SCMP_SYS(prctl),
	SCMP_SYS(uname),
	/* an interface that comes back: its socket (below), its ring */
	SCMP_SYS(bind),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(ioctl),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
};

/* libpcap asks the kernel about interfaces by netlink; INET sockets are for ioctl(2): nothing connects them. */
static const int families[] = { AF_PACKET, AF_INET, AF_NETLINK };

static int allow_calls(scmp_filter_ctx filter)
{
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);

		/* negative: a call that this machine does not have */
		if (status != 0 && calls[i] >= 0)
			return status;
	}
	return 0;
}

static int allow_sockets(scmp_filter_ctx filter)
{
	int status = 0;

	for (size_t i = 0; i < sizeof families / sizeof families[0] && status == 0; i++)
		status = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i]));
	return status;
}

static int allow_some(scmp_filter_ctx filter, const struct sandbox_wish *wish)
{
	/* pictures talk to those who look at them */
	int status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));

	/* glibc's requests by netlink; addresses of other families are longer */
	if (status == 0)
		status = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A5(SCMP_CMP_EQ, sizeof(struct sockaddr_nl)));
	/* what is connected already */
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1, SCMP_A4(SCMP_CMP_EQ, 0));
	if (status == 0 && wish->reconnects)
		status = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(connect), 1, SCMP_A2(SCMP_CMP_EQ, sizeof(struct sockaddr_un)));
	if (status == 0 && wish->reconnects)
		status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
	/* glibc then takes clone() */
	if (status == 0)
		status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return status;
}

static bool filter_calls(const struct sandbox_wish *wish, struct err *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int status = filter ? 0 : -ENOMEM;

	if (status == 0)
		status = allow_calls(filter);
	if (status == 0)
		status = allow_sockets(filter);
	if (status == 0)
		status = allow_some(filter, wish);
	if (status == 0)
		status = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	if (status != 0)
		err_set(err, ERR_SYSTEM, "no sandbox: seccomp: %s; --no-sandbox goes on without", strerror(-status));
	return status == 0;
}

/* ---- Landlock: no library has it yet ---- */

#define CHANGES \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
		LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
		LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
		LANDLOCK_ACCESS_FS_MAKE_SYM)
#define CHANGES_OF_FOLDERS \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)

static bool allow_folder(int rules, const char *folder)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = CHANGES_OF_FOLDERS };
	bool added;

	rule.parent_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return false;
	added = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	close(rule.parent_fd);
	return added;
}

/* False: the kernel has none, or a folder is not there. Reading stays free. */
static bool confine_files(const struct sandbox_wish *wish)
{
	struct landlock_ruleset_attr what = { .handled_access_fs = CHANGES | LANDLOCK_ACCESS_FS_EXECUTE };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &what, sizeof what, 0);
	bool confined = rules >= 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;

	for (size_t i = 0; i < wish->folder_count && confined; i++)
		confined = allow_folder(rules, wish->folders[i]);
	confined = confined && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
	if (rules >= 0)
		close(rules);
	return confined;
}

bool sandbox_enter(const struct sandbox_wish *wish, struct text *ret, struct err *err)
{
	bool confined = confine_files(wish);

	if (!filter_calls(wish, err))
		return false;
	text_add(ret, "seccomp, reading and capturing only");
	if (!confined)
		text_add(ret, "; this kernel has no Landlock: files as the user may");
	for (size_t i = 0; i < wish->folder_count && confined; i++) {
		text_add(ret, i ? ", " : "; Landlock, files only in ");
		text_add_escaped(ret, span_of(wish->folders[i]));
	}
	return true;
}
