/* SPDX-License-Identifier: MIT */
/*
 * report_html: the report as one page that needs nothing else: the words of the text report, tables as tables; behind
 * the problems the ladders of affected calls and what was heard, and what is no problem at the end. It has no script;
 * colour repeats what a mark or word says.
 */
#include "ui/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "captures/base/memory.h"
#include "ui/page.h"
#include "ui/report_part.h"
#include "ui/words.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

enum { FIGURES_SHOWN = 30, DETAILED_CALLS = 300, PAGE_COLUMNS = 200 };

/*
 * The hatching of due time is a pattern of the first figure's; A4 and a telephone are the two ends that it must suit.
 */
static const char style[] =
	"<style>\n"
	":root{color-scheme:light dark;--bg:#fff;--fg:#1a1a1a;--dim:#595959;--line:#c8c8c8;--bad:#b00020;--warn:#8a5300;--good:#1b6e2c;--unknown:#1f5fa8}\n"
	"@media(prefers-color-scheme:dark){:root{--bg:#141414;--fg:#ececec;--dim:#a8a8a8;--line:#444;--bad:#ff8a80;--warn:#ffcc66;--good:#8fdc9b;--unknown:#8ec5ff}}\n"
	"body{background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.4rem}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}\n"
	".row,.l,p{max-width:62rem}.row{margin:.15rem 0 .15rem 1rem;display:flex;gap:.8rem}.row b{flex:0 0 6rem;font-weight:600}.row span{flex:1;white-space:pre-wrap;overflow-wrap:anywhere}\n"
	".row ol{flex:1;margin:0;padding-left:1.4rem;overflow-wrap:anywhere}.row i{font-style:normal;color:var(--dim);white-space:nowrap}\n"
	".l{margin:0 0 0 1rem;font:.85rem/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}\n"
	".bad{color:var(--bad)}.warn{color:var(--warn)}.good{color:var(--good)}.unknown{color:var(--unknown)}.dim{color:var(--dim)}.n{text-align:right;white-space:nowrap}\n"
	".t{overflow-x:auto}table{border-collapse:collapse;margin:.4rem 0 1rem;width:100%;font-size:.9rem}caption{text-align:left;font-size:.85rem;color:var(--dim)}\n"
	"th,td{text-align:left;padding:.2rem .5rem;border-bottom:1px solid var(--line);overflow-wrap:break-word}th{font-weight:600;white-space:nowrap}\n"
	"figure{margin:.6rem 0 1rem;overflow-x:auto}svg text{fill:var(--fg);font:12px ui-monospace,monospace}svg .mid{text-anchor:middle}\n"
	"svg .end{text-anchor:end}svg .dim{fill:var(--dim)}svg .bad{fill:var(--bad)}svg .warn{fill:var(--warn)}svg .good{fill:var(--good)}svg .unknown{fill:var(--unknown)}\n"
	"svg .host{stroke:var(--line);fill:none}svg .sip{stroke:var(--fg);fill:none}svg .rtp{stroke:var(--unknown);fill:none}svg .tip{fill:var(--fg)}\n"
	"svg .due{fill:url(#h);stroke:var(--line)}svg .heard{fill:var(--good)}svg .held{fill:var(--line)}svg .quiet,svg .unseen{fill:var(--bg);stroke:var(--line)}svg .hatch{stroke:var(--bad)}\n"
	"a:focus,figure:focus{outline:3px solid var(--unknown)}\n"
	"@media(max-width:40rem){.row{display:block}.row b{display:block}thead{position:absolute;left:-999rem}tr{display:block;border-bottom:2px solid var(--line)}"
	"td{display:flex;gap:1rem;text-align:left}td::before{content:attr(data-h);flex:0 0 7rem;text-align:left;color:var(--dim)}}\n"
	"@media print{body{max-width:none;font-size:10pt}h2{break-after:avoid}.row,tr,figure{break-inside:avoid}.t{overflow:visible}table{font-size:7.5pt}th{white-space:normal}th,td{padding:.15rem .25rem}}\n"
	"</style>\n";

static const char hatching[] =
	"<svg width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><pattern id=\"h\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
	"<path d=\"M0 0l8 8M8 0l-8 8\" class=\"hatch\"/></pattern></defs></svg>\n";

static void begin(const struct report *r)
{
	struct text name;

	text_init(&name);
	if (r->file_count)
		report_file_name(&name, r, 0);
	if (r->file_count > 1)
		text_addf(&name, " and %zu more", r->file_count - 1);
	page_raw(r->out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
			 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
			 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<title>deadair: ");
	page_escaped(r->out, name.p);
	page_raw(r->out, "</title>\n");
	page_raw(r->out, style);
	page_raw(r->out, "</head><body>\n");
	page_raw(r->out, hatching);
	page_raw(r->out, "<h1>");
	page_escaped(r->out, name.p);
	page_raw(r->out, "</h1>\n<main>\n");
	text_fini(&name);
}

static void heading(const struct report *r, const char *text)
{
	page_end_line(r->out);
	out_paint(r->out, PAINT_HEAD, text);
	out_text(r->out, "\n");
}

/* Affected calls, worst known by their order in the report. */
static void figures(const struct report *r)
{
	unsigned drawn = 0, more = 0;
	char calls[WORDS];

	for (size_t i = 0; i < r->selection->call_count; i++) {
		const struct selected_call *c = &r->selection->calls[i];
		struct text title;

		if (!c->shown || !c->affected)
			continue;
		if (drawn == FIGURES_SHOWN) {
			more++;
			continue;
		}
		text_init(&title);
		text_addf(&title, "Call %u", c->n);
		heading(r, title.p);
		text_fini(&title);
		page_sentence(r, i);
		page_lanes(r, i);
		page_ladder(r, i);
		drawn++;
	}
	if (more) {
		page_end_line(r->out);
		page_rawf(r->out, "<p>%s more affected call%s not drawn: deadair --call N draws one</p>\n",
			words_count(more, calls), more == 1 ? " is" : "s are");
	}
}

static void sections(const struct report *r)
{
	struct view_capture *c = memory_zalloc(sizeof *c);

	view_capture(r->engine, c);
	report_head(r, c);
	report_headline(r, c);
	report_problems(r);
	report_facts(r, FACTS_FIRST);
	figures(r);
	report_calls(r);
	report_details(r);
	if (r->verbose)
		report_facts(r, FACTS_OTHERS);
	report_checklist(r);
	free(c);
}

static void page_write(const struct report *r, struct out *out, bool redacted)
{
	struct report on_page = *r;
	struct page page;

	page_init(&page);
	out->page = &page;
	out->columns = PAGE_COLUMNS;
	on_page.out = out;
	on_page.checklist = true;
	on_page.verbose = r->selection->call_count <= DETAILED_CALLS;
	begin(&on_page);
	sections(&on_page);
	page_end_line(out);
	page_raw(out, "</main>\n<footer class=\"dim\">deadair " PACKAGE_VERSION);
	page_raw(out, redacted ? ", redacted: other numbers, names and addresses</footer>\n</body></html>\n"
		: ", not redacted</footer>\n</body></html>\n");
	out->page = NULL;
	page_fini(&page);
}

/* A part of a page looks like a page: none stays. Behind a link the file stays, empty; a device is what it is. */
static void page_remove(int fd, const char *path)
{
	struct stat opened, named;

	if (fstat(fd, &opened) != 0 || !S_ISREG(opened.st_mode))
		return;
	if (lstat(path, &named) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino)
		unlink(path);
	else if (ftruncate(fd, 0) != 0)
		return;         /* nothing else is left to try */
}

enum err_code report_html_write(const struct report *r, const char *path, bool redacted, struct err *err)
{
	struct out out;
	char shown[120];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), error;

	text_escape(span_of(path), shown, sizeof shown);
	if (fd < 0)
		return err_set(err, ERR_FILE, "%s: cannot be written: %s", shown, strerror(errno));
	out_init(&out, fd);
	page_write(r, &out, redacted);
	error = out_fini(&out);
	if (error)
		page_remove(fd, path);
	if (close(fd) != 0 && !error)
		error = errno;
	return error ? err_set(err, ERR_FILE, "%s: cannot be written: %s: nothing was saved", shown, strerror(error))
		     : ERR_OK;
}
