/* SPDX-License-Identifier: MIT */
/* test_report_text: the report as it is read, line by line; nothing of a packet unescaped; every width. */
#include "ui/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/fake_views.h"
#include "ui/progress.h"
#include "ui/words.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "1.0.0"
#endif

enum form { FORM_TEXT, FORM_VERBOSE, FORM_LADDER, FORM_MARKDOWN, FORM_WHY_NOT, FORM_TABLE, FORM_NFTABLES };

struct wanted {
	enum fake which;
	enum form form;
	unsigned columns;
	bool ascii;
	enum palette palette;
	const char *filter;
};

static void print(const struct report *r, enum form form)
{
	switch (form) {
	case FORM_TEXT:
	case FORM_VERBOSE:
		report_text(r);
		break;
	case FORM_LADDER:
	case FORM_MARKDOWN:
		report_ladder(r, 0, form == FORM_MARKDOWN);
		break;
	case FORM_WHY_NOT:
		report_why_not(r, "rtp-port-collision:1");
		break;
	case FORM_TABLE:
	case FORM_NFTABLES:
		report_policy(r, form == FORM_NFTABLES);
		break;
	}
}

static void text_of(const struct wanted *w, struct text *ret)
{
	const struct source_file *file = fake_file(w->which);
	struct filter_error err;
	struct names *names = names_new();
	struct selection selection;
	struct selection_options options = { .filter = w->filter ? filter_new(w->filter, &err) : NULL,
					     .call = w->form == FORM_LADDER || w->form == FORM_MARKDOWN };
	struct out out;
	struct report r = { .engine = fake_engine(w->which), .files = &file, .file_count = 1, .out = &out,
		.names = names, .selection = &selection,
			    .verbose = w->form == FORM_VERBOSE, .checklist = w->form == FORM_VERBOSE };

	names_parse(names, SPAN("203.0.113.2 fw.office\n"));
	out_init(&out, -1);
	out.columns = w->columns ? w->columns : COLUMNS_DEFAULT;
	out.ascii = w->ascii;
	out.palette = w->palette;
	selection_init(&selection, r.engine, &options);
	print(&r, w->form);
	selection_fini(&selection);
	filter_free(options.filter);
	names_free(names);
	text_add(ret, out.text.p);
	assert_int_equal(out_fini(&out), 0);
}

static void assert_report(const struct wanted *w, const char *golden)
{
	struct text t;

	text_init(&t);
	text_of(w, &t);
	assert_string_equal(t.p, golden);
	text_fini(&t);
}

/* The block of a one-way call with the firewall to blame, as LOOK has drawn it. */
static const char one_way[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"\n"
	"✗ 1 problem, 1 of 1 call affected\n"
	"\n"
	"✗ The firewall 203.0.113.2 rewrites SIP: phone 1001 hears nothing\n"
	"  sip-alg/rewritten-sdp   error, certain   call 1\n"
	"  Who      1001 (Yealink SIP-T46S, 192.168.1.21) hears nothing of 01632960105;\n"
	"           01632960105 hears 1001\n"
	"  Names    203.0.113.2 is fw.office\n"
	"  Since    09:12:46.914, the answer; to the end, 42 s\n"
	"  Cause    The firewall puts port 16392 into the phone's SDP, sends the\n"
	"           phone's audio from port 62017, and passes nothing on that comes to\n"
	"           16392.\n"
	"  Because  1 INVITE on the LAN: audio to 192.168.1.21:11800       frame 1\n"
	"           2 same INVITE on the WAN: audio to 203.0.113.2:16392   frame 2\n"
	"           3 the phone's audio leaves from 203.0.113.2:62017      frame 12\n"
	"           4 198.51.100.40 sends 2 098 packets to port 16392      frames 13-6332\n"
	"           5 none of the 2 098 appears on the LAN\n"
	"           6 RTCP of 198.51.100.40: 1001's audio arrives, 0 lost  frame 815\n"
	"  Fix      Switch the SIP ALG of 203.0.113.2 off, and at the same time let the\n"
	"           phone keep its binding: rport on, keepalive 30 s or less. Then\n"
	"           clear the firewall's sessions and let the phone register again.\n"
	"  Explains one-way-audio; same incident: dropped-in-path\n"
	"\n"
	"Calls\n"
	"  # start    from  to           state  talk  caller hears  callee hears\n"
	"✗ 1 09:12:41 1001  01632960105  ended  0:42  ✗ nothing     ✓ 4.4\n"
	"\n"
	"Facts     1: cleartext (-v)\n"
	"\n"
	"Peers\n"
	"  peer          attempts  answered   ASR   NER  delay  95 %  responses\n"
	"  198.51.100.8       200       164  82 %  97 %  0.9 s 2.4 s  200: 164, 486: 9\n"
	"\n"
	"Checklist ✓ transport  ? provider only  ✗ media range  ✗ SIP ALG off\n"
	"          ✗ outbound\n"
	"          ? not seen: inbound, hold\n";

static const char one_way_60[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41\n"
	"          GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1,\n"
	"          WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"\n"
	"✗ 1 problem, 1 of 1 call affected\n"
	"\n"
	"✗ The firewall 203.0.113.2 rewrites SIP: phone 1001 hears\n"
	"  nothing\n"
	"  sip-alg/rewritten-sdp   error, certain   call 1\n"
	"  Who      1001 (Yealink SIP-T46S, 192.168.1.21) hears\n"
	"           nothing of 01632960105; 01632960105 hears 1001\n"
	"  Names    203.0.113.2 is fw.office\n"
	"  Since    09:12:46.914, the answer; to the end, 42 s\n"
	"  Cause    The firewall puts port 16392 into the phone's\n"
	"           SDP, sends the phone's audio from port 62017, and\n"
	"           passes nothing on that comes to 16392.\n"
	"  Because  1 INVITE on the LAN: audio to      frame 1\n"
	"             192.168.1.21:11800\n"
	"           2 same INVITE on the WAN: audio    frame 2\n"
	"             to 203.0.113.2:16392\n"
	"           3 the phone's audio leaves from    frame 12\n"
	"             203.0.113.2:62017\n"
	"           4 198.51.100.40 sends 2 098        frames 13-6332\n"
	"             packets to port 16392\n"
	"           5 none of the 2 098 appears on the LAN\n"
	"           6 RTCP of 198.51.100.40: 1001's    frame 815\n"
	"             audio arrives, 0 lost\n"
	"  Fix      Switch the SIP ALG of 203.0.113.2 off, and at the\n"
	"           same time let the phone keep its binding: rport\n"
	"           on, keepalive 30 s or less. Then clear the\n"
	"           firewall's sessions and let the phone register\n"
	"           again.\n"
	"  Explains one-way-audio; same incident: dropped-in-path\n"
	"\n"
	"Calls\n"
	"  # from  to           state  caller hears  callee hears\n"
	"✗ 1 1001  01632960105  ended  ✗ nothing     ✓ 4.4\n"
	"\n"
	"Facts     1: cleartext (-v)\n"
	"\n"
	"Peers\n"
	"  peer          attempts  answered   ASR   NER\n"
	"  198.51.100.8       200       164  82 %  97 %\n"
	"\n"
	"Checklist ✓ transport  ? provider only  ✗ media range\n"
	"          ✗ SIP ALG off\n"
	"          ✗ outbound\n"
	"          ? not seen: inbound, hold\n";

static const char clean[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"\n"
	"✓ No problem found in 4 calls: 1 answered, 1 busy, 1 cancelled, 1 failed\n"
	"  Audio    heard both ways in 1 of 1; lowest MOS 4.1 (call 1, 1002 to\n"
	"           01632960144)\n"
	"  Failed   1 of 4 calls: 404; no finding says whose fault it is\n"
	"\n"
	"Calls\n"
	"  # start    from  to           state       talk  caller hears  callee hears\n"
	"✓ 1 09:12:41 1002  01632960144  ended       1:10  ✓ 4.1         ✓ 4.4\n"
	"· 2 09:12:42 1002  01632960144  busy           -  -             -\n"
	"· 3 09:12:43 1002  01632960144  cancelled      -  -             -\n"
	"· 4 09:12:44 1002  01632960144  failed 404     -  -             -\n";

static const char nothing[] =
	"Capture   call-4.pcapng, 4 min 11 s from Fri 20 Nov 2026 09:12:41 GMT, 88 214\n"
	"          frames\n"
	"Read      nothing of VoIP\n"
	"Not read  214 cut short (0.2 %)\n"
	"Passed by 88 000 frames of other protocols (99.8 %)\n"
	"Given up  2 entries of the table \"streams\", for lack of room: what they show\n"
	"          is missing here\n"
	"Note      the clock goes back at frame 9\n"
	"\n"
	"? Nothing of VoIP: no SIP, RTP, RTCP, STUN; no TLS on port 5061\n"
	"  Seen     TCP 443 71 %, TCP 445 18 %, UDP 53 6 %, other 5 %\n"
	"  Likely   the mirror does not carry the phones: no address here speaks SIP\n"
	"  Try      tcpdump -i IF -s 0 -w voip.pcap   beside the phones, without filter\n";

static const char like_rtp[] =
	"Capture   call-4.pcapng, 0.1 s from Fri 20 Nov 2026 09:12:41 GMT, 12 frames\n"
	"Read      nothing that is certain to be VoIP\n"
	"Passed by 12 frames of other protocols\n"
	"Given up  5 000 entries of hosts and connections that do not telephone, for\n"
	"          lack of room\n"
	"\n"
	"? Nothing that is certain to be VoIP: no SIP, and too little in the form of\n"
	"  RTP to be sure of it\n"
	"  Seen     10 UDP packets in the form of RTP, in runs too short or too uneven\n"
	"           to be taken for audio\n"
	"  Try      tcpdump -i IF -s 0 -w voip.pcap   from before the call is dialled\n"
	"           until after it: SIP tells what the packets are\n";

static const char empty[] =
	"Capture   cut.pcap, no frame\n"
	"Damaged   cut.pcap: frame 1 at byte 24: the file ends within it\n"
	"\n"
	"? No frame could be read: nothing can be said of any call\n";

static const char outside[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"Withheld  one-way-audio (2 times), no-audio\n"
	"\n"
	"? Cannot tell for 2 of 2 calls who hears whom\n"
	"\n"
	"· Only one direction between 198.51.100.40 and 203.0.113.2 is in the capture\n"
	"  capture-one-sided/asymmetric-path   info, certain   call 1\n"
	"  Since    09:12:46.914; to 09:13:28.936, 42 s\n"
	"  Frames   1\n"
	"  Not seen 203.0.113.2 to 198.51.100.40: 0 packets; it may take another path\n"
	"\n"
	"Calls\n"
	"  # start    from  to           state  talk  caller hears  callee hears\n"
	"? 1 09:12:41 1002  01632960144  ended  1:10  · sent 4.1    ? not visible\n"
	"? 2 09:12:41 1002  01632960144  ended  1:10  · sent 4.1    ? not visible\n";

static const char one_outside[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"\n"
	"? Cannot tell for 1 of 1 call who hears whom\n"
	"\n"
	"Calls\n"
	"  # start    from  to           state  talk  caller hears  callee hears\n"
	"? 1 09:12:41 1002  01632960144  ended  1:10  · sent 4.1    ? not visible\n";

static const char many[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"\n"
	"! 4 problems, 3 of 24 calls affected\n"
	"\n"
	"! The path to 192.168.1.21 probably loses packets: 4.1 % of its audio\n"
	"  rtp-loss/in-network   warning, likely   call 5\n"
	"  Who      1002 hears 01632960144 badly; 01632960144 hears 1002\n"
	"  Since    09:12:41.000; to 09:12:50.000, 9 s\n"
	"  Cause    Packets are lost before this point.\n"
	"  Fix      Look for a full link or a duplex mismatch.\n"
	"\n"
	"! The path to 192.168.1.21 probably loses packets: 4.1 % of its audio\n"
	"  rtp-loss/in-network   warning, likely   call 9\n"
	"  Who      1002 hears 01632960144 badly; 01632960144 hears 1002\n"
	"  Since    09:13:41.000; to 09:13:50.000, 9 s\n"
	"  Cause    Packets are lost before this point.\n"
	"  Fix      Look for a full link or a duplex mismatch.\n"
	"\n"
	"! The path to 192.168.1.21 probably loses packets: 4.1 % of its audio\n"
	"  rtp-loss/in-network   warning, likely   call 17\n"
	"  Who      1002 hears 01632960144 badly; 01632960144 hears 1002\n"
	"  Since    09:14:41.000; to 09:14:50.000, 9 s\n"
	"  Cause    Packets are lost before this point.\n"
	"  Fix      Look for a full link or a duplex mismatch.\n"
	"\n"
	"! 192.0.2.66 probes 240 extensions of the PBX 203.0.113.10, which answers\n"
	"  sip-scan/vertical-extensions   warning, certain   no call\n"
	"  Since    09:15:41.000; to 09:15:50.000, 9 s\n"
	"  Cause    The PBX answers this unknown source, 240 times 401; no login works.\n"
	"  Fix      Look for a full link or a duplex mismatch.\n"
	"\n"
	"Calls     3 affected, listed; 21 healthy: 20 with audio both ways, 1 not\n"
	"          answered\n"
	"   # start    from  to           state  talk  caller hears  callee hears\n"
	"!  5 09:16:41 1002  01632960144  ended  0:30  ! 2.9         ✓ 4.4\n"
	"!  9 09:20:41 1002  01632960144  ended  0:30  ! 2.9         ✓ 4.4\n"
	"! 17 09:28:41 1002  01632960144  ended  0:30  ! 2.9         ✓ 4.4\n";

static const char verbose[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"\n"
	"✗ 1 problem, 1 of 1 call affected\n"
	"\n"
	"✗ The firewall 203.0.113.2 rewrites SIP: phone 1001 hears nothing\n"
	"  sip-alg/rewritten-sdp   error, certain   call 1\n"
	"  Who      1001 (Yealink SIP-T46S, 192.168.1.21) hears nothing of 01632960105;\n"
	"           01632960105 hears 1001\n"
	"  Names    203.0.113.2 is fw.office\n"
	"  Since    09:12:46.914, the answer; to the end, 42 s\n"
	"  Cause    The firewall puts port 16392 into the phone's SDP, sends the\n"
	"           phone's audio from port 62017, and passes nothing on that comes to\n"
	"           16392.\n"
	"  Because  1 INVITE on the LAN: audio to 192.168.1.21:11800       frame 1\n"
	"           2 same INVITE on the WAN: audio to 203.0.113.2:16392   frame 2\n"
	"           3 the phone's audio leaves from 203.0.113.2:62017      frame 12\n"
	"           4 198.51.100.40 sends 2 098 packets to port 16392      frames 13-6332\n"
	"           5 none of the 2 098 appears on the LAN\n"
	"           6 RTCP of 198.51.100.40: 1001's audio arrives, 0 lost  frame 815\n"
	"  Fix      Switch the SIP ALG of 203.0.113.2 off, and at the same time let the\n"
	"           phone keep its binding: rport on, keepalive 30 s or less. Then\n"
	"           clear the firewall's sessions and let the phone register again.\n"
	"  Explains one-way-audio; same incident: dropped-in-path\n"
	"\n"
	"· SIP is readable by all\n"
	"  cleartext/sip   info, certain   call 1\n"
	"  Since    09:12:46.914, the answer; to the end, 42 s\n"
	"  Because  1 a message in clear  frame 1\n"
	"\n"
	"Calls\n"
	"  # start    from  to           state  talk  caller hears  callee hears\n"
	"✗ 1 09:12:41 1001  01632960105  ended  0:42  ✗ nothing     ✓ 4.4\n"
	"\n"
	"Streams of call 1\n"
	"  stream 1, ssrc 0x1a2b3c4d\n"
	"    from                 to                   codec  packets  lost  jitter  MOS\n"
	"    192.168.1.21:11800 → 198.51.100.40:30012  PCMA     2 101     0  1.2 ms  4.4\n"
	"    also          the same as stream 2\n"
	"    time      packets  lost  max jitter  MOS\n"
	"    09:12:46      250     0      1.9 ms  4.4\n"
	"    09:12:51      250     2      2.2 ms    -\n"
	"  stream 2, ssrc 0x1a2b3c4d\n"
	"    from                to                   codec  packets  lost  jitter  MOS\n"
	"    203.0.113.2:62017 → 198.51.100.40:30012  PCMA     2 101     0  1.2 ms  4.4\n"
	"    also          the same as stream 1\n"
	"    time      packets  lost  max jitter  MOS\n"
	"    09:12:46      250     0      1.9 ms  4.4\n"
	"    09:12:51      250     2      2.2 ms    -\n"
	"  stream 3, ssrc 0x0000cafe\n"
	"    from                  to                 codec  packets  lost  jitter  MOS\n"
	"    198.51.100.40:30012 → 203.0.113.2:16392  PCMA     2 098     3  1.2 ms  4.4\n"
	"    runs of loss  1 of 1, 1 of 2\n"
	"    time      packets  lost  max jitter  MOS\n"
	"    09:12:46      250     0      1.9 ms  4.4\n"
	"    09:12:51      250     2      2.2 ms    -\n"
	"\n"
	"Peers\n"
	"  peer          attempts  answered   ASR   NER  delay responses\n"
	"  198.51.100.7         1         1     -     -      - too few calls to tell\n"
	"  198.51.100.8       200       164  82 %  97 %  0.9 s 200: 164, 486: 9\n"
	"\n"
	"Registrations\n"
	"  user               registers at       from               every  state\n"
	"  1001@198.51.100.7  198.51.100.7:5060  192.168.1.21:5060    0 s  registered 200\n"
	"\n"
	"Hosts and ports\n"
	"  host                     role   sip       media        at once    needs  dscp\n"
	"  192.168.1.21             phone  5060 udp  11800-11803  2 calls  4 ports    46\n"
	"  203.0.113.2 (fw.office)  nat    -         -                  -        -     -\n"
	"\n"
	"NAT\n"
	"  private              public             for    learnt from\n"
	"  192.168.1.21:11800 ↔ 203.0.113.2:62017  media  the same audio at two points\n"
	"\n"
	"Checklist\n"
	"✓ Transport correct         198.51.100.7:5060 UDP, 2 of 2 requests answered;\n"
	"                            frame 7\n"
	"? Provider addresses only   not tested\n"
	"✗ Media range permitted     Audio is dropped\n"
	"✗ SIP ALG off               The firewall rewrites SIP\n"
	"✗ Live call flows tested    0 of 3 seen to work; faulty: outbound\n"
	"? Inbound call              not seen: no call from a provider to the site\n"
	"✗ Outbound call             1 of 1: one-way-audio; call 1; frame 1\n"
	"? Hold and resume           not seen: no call was held\n";

static const char ladder[] =
	"Call 1: 1001 (Yealink SIP-T46S, 192.168.1.21) → 01632960105 (198.51.100.7),\n"
	"ended, talk 0:42\n"
	"Fri 20 Nov 2026 09:12:41 GMT; caller hears ✗ nothing, callee hears ✓ 4.4\n"
	"\n"
	"Ladder   7 messages, 3 streams                                            frame\n"
	"                1001              fw.office         01632960105\n"
	"                192.168.1.21      192.168.1.1 | 203.0.113.2        198.51.100.40\n"
	"                                                    198.51.100.7\n"
	" 09:12:41.204   │── INVITE SDP ──>│                 │                 │       1✗\n"
	"                │ PCMA 192.168.1.21:11800           │                 │\n"
	"        +.001   │                 │── INVITE SDP ──>│                 │       2✗\n"
	"                │                 │ PCMA 203.0.113.2:16392            │\n"
	" 09:12:41.231   │                 │<─ 100 Trying ───│                 │       3\n"
	" 09:12:46.914   │                 │<─ 200 OK SDP ───│                 │       7\n"
	"        +.000   │<··················· no audio ✗ ·····················│        ✗\n"
	"              ✗ sip-alg: The firewall 203.0.113.2 rewrites SIP: phone 1001\n"
	"                hears nothing\n"
	"              ✗ one-way-audio: 1001 hears nothing of 01632960105\n"
	"              ✗ dropped-in-path: The firewall passes no audio of 198.51.100.40\n"
	"        +.001   │<─ 200 OK SDP ───│                 │                 │       8\n"
	" 09:12:46.956   │═══════════════ PCMA 2 101 to :30012 ═══════════════>│ 11-6330\n"
	"        +.001   │                 │══════ PCMA 2 101 to :30012 ══════>│ 12-6331✗\n"
	"        +.003   │                 │<══ PCMA 2 098 to :16392 lost 3 ═══│ 13-6332✗\n"
	" 09:13:28.936   │────── BYE ─────>│                 │                 │    6335\n"
	" 09:13:29.436   │─── BYE again ──>│                 │                 │    6336\n"
	"\n"
	"✗ The firewall 203.0.113.2 rewrites SIP: phone 1001 hears nothing\n"
	"  sip-alg/rewritten-sdp   error, certain   call 1\n"
	"  Who      1001 (Yealink SIP-T46S, 192.168.1.21) hears nothing of 01632960105;\n"
	"           01632960105 hears 1001\n"
	"  Names    203.0.113.2 is fw.office\n"
	"  Since    09:12:46.914, the answer; to the end, 42 s\n"
	"  Cause    The firewall puts port 16392 into the phone's SDP, sends the\n"
	"           phone's audio from port 62017, and passes nothing on that comes to\n"
	"           16392.\n"
	"  Because  1 INVITE on the LAN: audio to 192.168.1.21:11800       frame 1\n"
	"           2 same INVITE on the WAN: audio to 203.0.113.2:16392   frame 2\n"
	"           3 the phone's audio leaves from 203.0.113.2:62017      frame 12\n"
	"           4 198.51.100.40 sends 2 098 packets to port 16392      frames 13-6332\n"
	"           5 none of the 2 098 appears on the LAN\n"
	"           6 RTCP of 198.51.100.40: 1001's audio arrives, 0 lost  frame 815\n"
	"  Fix      Switch the SIP ALG of 203.0.113.2 off, and at the same time let the\n"
	"           phone keep its binding: rport on, keepalive 30 s or less. Then\n"
	"           clear the firewall's sessions and let the phone register again.\n"
	"  Explains one-way-audio; same incident: dropped-in-path\n";

static const char markdown[] =
	"## Call 1: 1001 (Yealink SIP-T46S, 192.168.1.21) → 01632960105 (198.51.100.7), ended, talk 0:42\n"
	"\n"
	"Fri 20 Nov 2026 09:12:41 GMT; caller hears ✗ nothing, callee hears ✓ 4.4; capture call-4.pcapng\n"
	"\n"
	"**The firewall 203.0.113.2 rewrites SIP: phone 1001 hears nothing**\n"
	"\n"
	"`sip-alg/rewritten-sdp`, error, certain\n"
	"\n"
	"The firewall puts port 16392 into the phone's SDP, sends the phone's audio from port 62017, and passes nothing on that comes to 16392.\n"
	"\n"
	"1. INVITE on the LAN: audio to 192.168.1.21:11800 (frame 1)\n"
	"2. same INVITE on the WAN: audio to 203.0.113.2:16392 (frame 2)\n"
	"3. the phone's audio leaves from 203.0.113.2:62017 (frame 12)\n"
	"4. 198.51.100.40 sends 2 098 packets to port 16392 (frames 13-6332)\n"
	"5. none of the 2 098 appears on the LAN\n"
	"6. RTCP of 198.51.100.40: 1001's audio arrives, 0 lost (frame 815)\n"
	"7. a seventh proof, only in JSON (frame 6337)\n"
	"\n"
	"Fix: Switch the SIP ALG of 203.0.113.2 off, and at the same time let the phone keep its binding: rport on, keepalive 30 s or less. Then clear the firewall's sessions and let the phone register again.\n"
	"\n"
	"```text\n"
	"Ladder   7 messages, 3 streams                                            frame\n"
	"                1001              fw.office         01632960105\n"
	"                192.168.1.21      192.168.1.1 | 203.0.113.2        198.51.100.40\n"
	"                                                    198.51.100.7\n"
	" 09:12:41.204   │── INVITE SDP ──>│                 │                 │       1✗\n"
	"                │ PCMA 192.168.1.21:11800           │                 │\n"
	"        +.001   │                 │── INVITE SDP ──>│                 │       2✗\n"
	"                │                 │ PCMA 203.0.113.2:16392            │\n"
	" 09:12:41.231   │                 │<─ 100 Trying ───│                 │       3\n"
	" 09:12:46.914   │                 │<─ 200 OK SDP ───│                 │       7\n"
	"        +.000   │<··················· no audio ✗ ·····················│        ✗\n"
	"              ✗ sip-alg: The firewall 203.0.113.2 rewrites SIP: phone 1001\n"
	"                hears nothing\n"
	"              ✗ one-way-audio: 1001 hears nothing of 01632960105\n"
	"              ✗ dropped-in-path: The firewall passes no audio of 198.51.100.40\n"
	"        +.001   │<─ 200 OK SDP ───│                 │                 │       8\n"
	" 09:12:46.956   │═══════════════ PCMA 2 101 to :30012 ═══════════════>│ 11-6330\n"
	"        +.001   │                 │══════ PCMA 2 101 to :30012 ══════>│ 12-6331✗\n"
	"        +.003   │                 │<══ PCMA 2 098 to :16392 lost 3 ═══│ 13-6332✗\n"
	" 09:13:28.936   │────── BYE ─────>│                 │                 │    6335\n"
	" 09:13:29.436   │─── BYE again ──>│                 │                 │    6336\n"
	"```\n";

static const char filtered[] =
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, 6 338 frames\n"
	"Seen from both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2), certain\n"
	"Can show  SIP and audio on both sides of it\n"
	"Cannot    what the phone plays; anything beyond the provider\n"
	"\n"
	"! 4 problems, 3 of 24 calls affected\n"
	"\n"
	"! The path to 192.168.1.21 probably loses packets: 4.1 % of its audio\n"
	"  rtp-loss/in-network   warning, likely   call 9\n"
	"  Who      1002 hears 01632960144 badly; 01632960144 hears 1002\n"
	"  Since    09:13:41.000; to 09:13:50.000, 9 s\n"
	"  Cause    Packets are lost before this point.\n"
	"  Fix      Look for a full link or a duplex mismatch.\n"
	"\n"
	"3 problems hidden by --filter\n"
	"\n"
	"Calls     1 of 24\n"
	"  # start    from  to           state  talk  caller hears  callee hears\n"
	"! 9 09:20:41 1002  01632960144  ended  0:30  ! 2.9         ✓ 4.4\n";

static const char why_not[] =
	"rtp-port-collision, call 1: not found\n"
	"  ✓ an established call is there\n"
	"  ✗ two live calls share one media address: only call 1 has 203.0.113.2:16392\n"
	"  - both get audio at once for 0.5 s (not reached)\n"
	"  This capture could not have shown it: G1, one-sided.\n";

static const char why_not_alone[] =
	"rtp-port-collision: not found\n"
	"  It has nothing to look at in this call alone; --why-not rtp-port-collision\n"
	"  asks about the whole capture.\n";

static const char policy_table[] =
	"Policy    derived from this capture alone: permits what was seen in it, and no\n"
	"          more\n"
	"Capture   call-4.pcapng, 48 s from Fri 20 Nov 2026 09:12:41 GMT, seen from\n"
	"          both sides of the firewall 203.0.113.2 (LAN eth1, WAN eth2)\n"
	"Left out  1 user outside, 2 unknown addresses\n"
	"\n"
	"  from           to             protocol  ports        for     seen  frame\n"
	"  192.168.1.21   198.51.100.7   udp       5060         SIP        2      1\n"
	"  198.51.100.40  192.168.1.21   udp       11800-11801  media      1     13\n"
	"  192.168.1.21   198.51.100.40  udp       30000-30099  media*     1     11\n"
	"  * the range of the profile\n"
	"\n"
	"VLAN      100 of 2 hosts of the site with SIP or media\n"
	"DSCP      SIP to providers 24 (CS3) in 9 requests; media to providers 46 (EF)\n"
	"          in 2 streams, 0 (none) in 1 stream. Mark media 46 (EF) and SIP 24\n"
	"          (CS3) at the phones or the switch, and give 46 priority where the\n"
	"          line is narrow\n"
	"Rate      not seen\n";
static const char policy_nftables[] =
	"#!/usr/sbin/nft -f\n"
	"# Derived by deadair " PACKAGE_VERSION " from this capture alone: call-4.pcapng, 48 s from\n"
	"# Fri 20 Nov 2026 09:12:41 GMT, seen from both sides of the firewall\n"
	"# 203.0.113.2 (LAN eth1, WAN eth2).\n"
	"# It permits what was seen between the site and its providers, and no more:\n"
	"# what did not happen in the capture is not in it. Set the media ranges to\n"
	"# those that the devices are configured for (media-ports in the profile), read\n"
	"# it, and test it before use.\n"
	"# At most 1 call at once: 2 media ports for RTP and RTCP on each host that all\n"
	"# of it passes.\n"
	"# Left out:\n"
	"# 1 user outside, 2 unknown addresses\n"
	"# VLAN: 100 of 2 hosts of the site with SIP or media.\n"
	"# DSCP: SIP to providers 24 (CS3) in 9 requests; media to providers 46 (EF) in\n"
	"# 2 streams, 0 (none) in 1 stream. Mark media 46 (EF) and SIP 24 (CS3) at the\n"
	"# phones or the switch, and give 46 priority where the line is narrow.\n"
	"# Rate: not seen.\n"
	"\n"
	"# loaded again it replaces itself\n"
	"table inet deadair_voip\n"
	"delete table inet deadair_voip\n"
	"\n"
	"table inet deadair_voip {\n"
	"\tset inside4 {\n"
	"\t\ttype ipv4_addr\n"
	"\t\tflags interval\n"
	"\t\tauto-merge\n"
	"\t\telements = { 192.168.0.0/16 }\n"
	"\t}\n"
	"\n"
	"\tset inside6 {\n"
	"\t\ttype ipv6_addr\n"
	"\t\tflags interval\n"
	"\t\tauto-merge\n"
	"\t\telements = { fc00::/7 }\n"
	"\t}\n"
	"\n"
	"\tchain voip {\n"
	"\t\tct state established,related accept\n"
	"\n"
	"\t\t# SIP to providers\n"
	"\t\tip saddr 192.168.1.21 ip daddr 198.51.100.7 udp dport 5060 accept # 2 requests, first in frame 1\n"
	"\n"
	"\t\t# media to providers\n"
	"\t\tip saddr 192.168.1.21 ip daddr 198.51.100.40 udp dport 30000-30099 accept # 1 stream, first in frame 11; the profile's range\n"
	"\n"
	"\t\t# media from providers\n"
	"\t\tip saddr 198.51.100.40 ip daddr 192.168.1.21 udp dport 11800-11801 accept # 1 stream, first in frame 13\n"
	"\n"
	"\t\t# nobody else from outside\n"
	"\t\tip saddr != @inside4 ip daddr 192.168.1.21 meta l4proto { tcp, udp } th dport 5060-5061 counter drop\n"
	"\t\tip saddr != @inside4 ip daddr 192.168.1.21 udp dport 11800-11801 counter drop\n"
	"\t}\n"
	"\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter; policy accept;\n"
	"\t\tjump voip\n"
	"\t}\n"
	"\n"
	"\tchain input {\n"
	"\t\ttype filter hook input priority filter; policy accept;\n"
	"\t\tjump voip\n"
	"\t}\n"
	"\n"
	"\tchain output {\n"
	"\t\ttype filter hook output priority filter; policy accept;\n"
	"\t\tjump voip\n"
	"\t}\n"
	"}\n";
static const char policy_nothing[] =
	"#!/usr/sbin/nft -f\n"
	"# Derived by deadair " PACKAGE_VERSION " from this capture alone: call-4.pcapng, 48 s from\n"
	"# Fri 20 Nov 2026 09:12:41 GMT, seen from both sides of the firewall\n"
	"# 203.0.113.2 (LAN eth1, WAN eth2).\n"
	"# Nothing to permit: no SIP between the site and a provider was answered here,\n"
	"# as far as the addresses tell. A profile says which are whose: inside-nets,\n"
	"# public-ips, pbx, trunk.\n"
	"# Left out:\n"
	"# 1 user outside, 2 unknown addresses\n";

static void test_golden(void **state)
{
	static const struct {
		struct wanted wanted;
		const char *golden;
	} cases[] = {
		{ { .which = FAKE_ONE_WAY }, one_way },
		{ { .which = FAKE_ONE_WAY, .columns = 60 }, one_way_60 },
		{ { .which = FAKE_CLEAN }, clean },
		{ { .which = FAKE_NOTHING }, nothing },
		{ { .which = FAKE_LIKE_RTP }, like_rtp },
		{ { .which = FAKE_EMPTY }, empty },
		{ { .which = FAKE_OUTSIDE }, outside },
		{ { .which = FAKE_ONE_OUTSIDE }, one_outside },
		{ { .which = FAKE_MANY }, many },
		{ { .which = FAKE_MANY, .filter = "call:9" }, filtered },
		{ { .which = FAKE_ONE_WAY, .form = FORM_VERBOSE }, verbose },
		{ { .which = FAKE_ONE_WAY, .form = FORM_LADDER }, ladder },
		{ { .which = FAKE_ONE_WAY, .form = FORM_MARKDOWN }, markdown },
		{ { .which = FAKE_OUTSIDE, .form = FORM_WHY_NOT }, why_not },
		{ { .which = FAKE_MANY, .form = FORM_WHY_NOT }, why_not_alone },
		{ { .which = FAKE_ONE_WAY, .form = FORM_TABLE }, policy_table },
		{ { .which = FAKE_ONE_WAY, .form = FORM_NFTABLES }, policy_nftables },
		{ { .which = FAKE_CLEAN, .form = FORM_NFTABLES }, policy_nothing },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_report(&cases[i].wanted, cases[i].golden);
}

static void assert_line_widths(const char *report, unsigned columns)
{
	char *copy = strdup(report), *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		size_t n = strlen(line);

		if (text_columns(line) > columns)
			fail_msg("%zu columns of %u: %s", text_columns(line), columns, line);
		if (n && line[n - 1] == ' ')
			fail_msg("a blank at the end: %s", line);
	}
	free(copy);
}

static void test_widths(void **state)
{
	static const unsigned widths[] = { 60, 61, 70, 80, 100, 140, 200 };

	(void)state;
	for (int which = FAKE_ONE_WAY; which <= FAKE_OUTSIDE; which++) {
		for (int form = FORM_TEXT; form <= FORM_VERBOSE; form++) {
			for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
				struct wanted w = { .which = (enum fake)which, .form = (enum form)form,
					.columns = widths[i] };
				struct text t;

				text_init(&t);
				text_of(&w, &t);
				assert_line_widths(t.p, widths[i]);
				text_fini(&t);
			}
		}
	}
}

/* Control bytes in none; in ASCII nothing above 127, and the same columns. */
static void assert_clean(const char *report, bool ascii)
{
	for (const unsigned char *p = (const unsigned char *)report; *p; p++) {
		assert_true(*p == '\n' || *p >= ' ');
		assert_int_not_equal(*p, 0x7f);
		assert_true(!ascii || *p < 0x80);
		assert_false(*p == 0xc2 && p[1] < 0xa0);                               /* C1 */
		assert_false(*p == 0xe2 && p[1] == 0x80 && p[2] >= 0xa8 && p[2] <= 0xae); /* bidi, separators */
	}
}

static void test_hostile(void **state)
{
	(void)state;
	for (int form = FORM_TEXT; form <= FORM_WHY_NOT; form++) {
		for (int ascii = 0; ascii < 2; ascii++) {
			struct wanted w = { .which = FAKE_HOSTILE, .form = (enum form)form, .ascii = ascii };
			struct text t;

			text_init(&t);
			text_of(&w, &t);
			assert_clean(t.p, ascii);
			if (form != FORM_MARKDOWN)
				assert_line_widths(t.p, 80);
			text_fini(&t);
		}
	}
}

static void test_colour(void **state)
{
	struct wanted w = { .which = FAKE_ONE_WAY, .palette = PALETTE_256 };
	struct text t, plain;

	(void)state;
	text_init(&t);
	text_init(&plain);
	text_of(&w, &t);
	assert_non_null(strstr(t.p, "\x1b[38;5;203m✗ nothing\x1b[0m"));
	assert_non_null(strstr(t.p, "\x1b[38;5;114m✓ 4.4\x1b[0m"));
	for (const char *p = t.p; *p; p++) {            /* the same words without */
		if (*p == 0x1b)
			p = strchr(p, 'm');
		else
			text_addf(&plain, "%c", *p);
	}
	assert_string_equal(plain.p, one_way);
	text_fini(&plain);
	text_fini(&t);
}

static void test_wide(void **state)
{
	struct wanted w = { .which = FAKE_ONE_WAY, .columns = 140 };
	struct text t;

	(void)state;
	text_init(&t);
	text_of(&w, &t);
	assert_non_null(strstr(t.p, "✗ 1 09:12:41 1001 192.168.1.21  01632960105  ended  0:42  ✗ nothing     ✓ 4.4         PCMA     all   0.0 %      -   1.2  sip-alg\n"));
	text_fini(&t);
}

static const struct {
	const char *text;
	size_t columns;
	bool at_beginning;
	const char *cut;
} cuts[] = {
	{ "01632960117", 5, true, "…0117" },
	{ "01632960117", 11, true, "01632960117" },
	{ "reception", 5, false, "rece…" },
	{ "日本語", 5, false, "日本…" },
	{ "日本語", 4, false, "日…" },
	{ "日本語", 4, true, "…語" },
	{ "x", 0, false, "" },
};

static void test_words(void **state)
{
	char b[WORDS];
	struct text t;

	(void)state;
	text_init(&t);
	for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		text_clear(&t);
		words_cut(&t, cuts[i].text, cuts[i].columns, cuts[i].at_beginning);
		assert_string_equal(t.p, cuts[i].cut);
	}
	text_fini(&t);
	assert_string_equal(words_count(0, b), "0");
	assert_string_equal(words_count(1204118, b), "1 204 118");
	assert_string_equal(words_count(UINT64_MAX, b), "18 446 744 073 709 551 615");
	assert_string_equal(words_counted(1, "call", b), "1 call");
	assert_string_equal(words_duration(3600 * SECOND_NS, b), "1 h 0 min");
	assert_string_equal(words_duration(251 * SECOND_NS, b), "4 min 11 s");
	assert_string_equal(words_duration(360 * SECOND_NS, b), "6 min");
	assert_string_equal(words_duration(0, b), "0 s");
	assert_string_equal(words_duration(400 * MILLISECOND_NS, b), "0.4 s");
	assert_string_equal(words_duration(1940 * MILLISECOND_NS, b), "1.9 s");
	assert_string_equal(words_duration(2 * SECOND_NS, b), "2 s");
	assert_string_equal(words_duration(100 * HOUR_NS, b), "4 d 4 h");
	assert_string_equal(words_share(1, 100000, b), "under 0.1 %");
	assert_string_equal(words_share(999999, 1000000, b), "99.9 %");
	assert_string_equal(words_bytes(1700000000, b), "1.7 GB");
}

static void test_wrap(void **state)
{
	struct out o;

	(void)state;
	out_init(&o, -1);
	o.columns = 30;
	out_paragraph(&o, 2, "Cause", 9, PAINT_PLAIN,
		"sends all of the 2 098 packets 0123456789012345678901234567890 x");
	assert_string_equal(o.text.p, "  Cause    sends all of the\n"
				      "           2 098 packets\n"
				      "           0123456789012345678\n"
				      "           901234567890 x\n");
	text_clear(&o.text);
	out_paragraph(&o, 0, "", 0, PAINT_PLAIN, "it loses about as much as 4.1 % of it");
	assert_string_equal(o.text.p, "it loses about as much as\n4.1 % of it\n");
	out_fini(&o);
}

static void test_progress(void **state)
{
	struct progress p = { .name = "day.pcapng", .ascii = true };
	struct text t;

	(void)state;
	text_init(&t);
	progress_line(&t, &p, 2 * SECOND_NS, 900000000, 1700000000, 1000);
	assert_string_equal(t.p, "day.pcapng ########........ 53 %  900 MB of 1.7 GB  450 MB/s  0:01 left");
	text_clear(&t);
	progress_line(&t, &p, 2 * SECOND_NS, 900000000, 0, 1000);
	assert_string_equal(t.p, "day.pcapng  900 MB  450 MB/s  1 000 frames");
	text_fini(&t);
}

static void test_full(void **state)
{
	struct out o;

	(void)state;
	out_init(&o, 99);               /* no such descriptor: every write fails */
	out_text(&o, "x");
	out_flush(&o);
	out_text(&o, "y");
	assert_int_not_equal(out_fini(&o), 0);
}

static int setup(void **state)
{
	(void)state;
	setenv("TZ", "GMT0", 1);
	tzset();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden), cmocka_unit_test(test_widths), cmocka_unit_test(test_hostile),
			cmocka_unit_test(test_colour),
		cmocka_unit_test(test_wide),   cmocka_unit_test(test_words),  cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
