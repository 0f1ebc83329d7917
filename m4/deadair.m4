# SPDX-License-Identifier: MIT
# Checks of configure.ac: flags that the compiler takes, libraries that pkg-config knows.

# DEADAIR_TRY(FLAG, CFLAGS, LDFLAGS, IF-TAKEN, IF-NOT): links a program with it; an unknown flag is an error, not a warning.
AC_DEFUN([DEADAIR_TRY], [
	AC_MSG_CHECKING([whether $CC takes $1])
	deadair_cflags=$CFLAGS
	deadair_ldflags=$LDFLAGS
	CFLAGS="$CFLAGS -Werror $2"
	LDFLAGS="$LDFLAGS $3"
	AC_LINK_IFELSE([AC_LANG_SOURCE([int main(void) { return 0; }])], [deadair_taken=yes], [deadair_taken=no])
	CFLAGS=$deadair_cflags
	LDFLAGS=$deadair_ldflags
	AC_MSG_RESULT([$deadair_taken])
	AS_IF([test $deadair_taken = yes], [$4], [$5])
])

AC_DEFUN([DEADAIR_COMPILE_FLAG], [
	DEADAIR_TRY([$1], [$1], [], [DEADAIR_CFLAGS="$DEADAIR_CFLAGS $1"], [:])
])

AC_DEFUN([DEADAIR_LINK_FLAG], [
	DEADAIR_TRY([$1], [-fPIE], [$1], [DEADAIR_LDFLAGS="$DEADAIR_LDFLAGS $1"], [:])
])

# For compiler and linker, and the user asked for it.
AC_DEFUN([DEADAIR_REQUIRE_FLAG], [
	DEADAIR_TRY([$1], [$1], [$1],
		[DEADAIR_CFLAGS="$DEADAIR_CFLAGS $1"
		DEADAIR_LDFLAGS="$DEADAIR_LDFLAGS $1"],
		[AC_MSG_ERROR([$CC does not take $1: try CC=clang, or leave the option out])])
])

# glibc wants optimisation with it and says so in a warning; a distribution may have set its own level.
AC_DEFUN([DEADAIR_FORTIFY], [
	AC_MSG_CHECKING([whether to set _FORTIFY_SOURCE])
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
		#if !defined __OPTIMIZE__ || defined _FORTIFY_SOURCE
		#error no optimisation, or set already
		#endif
		]])],
		[DEADAIR_CFLAGS="$DEADAIR_CFLAGS -D_FORTIFY_SOURCE=2"
		AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])])
])

# DEADAIR_LIBRARY(PREFIX, MODULE, DEBIAN-PACKAGE): all that is missing is named at once.
AC_DEFUN([DEADAIR_LIBRARY], [
	PKG_CHECK_MODULES([$1], [$2], [], [
		AC_MSG_RESULT([no])
		missing="$missing $3"
	])
])

# DEADAIR_OPTION(PREFIX, MODULE, DEBIAN-PACKAGE, yes|no|check): defines DEADAIR_PREFIX where it is built in; have_PREFIX says.
AC_DEFUN([DEADAIR_OPTION], [
	have_$1=no
	AS_IF([test "x$4" != xno],
		[PKG_CHECK_MODULES([$1], [$2], [have_$1=yes], [
			AC_MSG_RESULT([no])
			AS_IF([test "x$4" = xyes], [AC_MSG_ERROR([$2 is missing: install $3 (Debian, Ubuntu)])])
		])])
	AS_IF([test $have_$1 = yes], [$1_CFLAGS="$$1_CFLAGS -DDEADAIR_$1"])
])

# CVE-2022-41550 is fixed in 5.3.1 and in Debian's 5.3.0-2.1: deadair does not call the function that had it, other programs may.
AC_DEFUN([DEADAIR_OSIP_ADVICE], [
	AS_IF([$PKG_CONFIG --exists 'libosip2 < 5.3.1'], [
		deadair_osip=`dpkg-query -W -f '${Version}' libosip2-dev 2>/dev/null`
		AS_IF([dpkg --compare-versions "$deadair_osip" ge 5.3.0-2.1 2>/dev/null], [:],
			[AC_MSG_WARN([libosip2 before 5.3.1 without Debian's patches has CVE-2022-41550; update it when you can])])
	])
])
