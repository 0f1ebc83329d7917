/* SPDX-License-Identifier: MIT */
/* main: the program is the library; see command.c. */
#include "ui/command.h"

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
