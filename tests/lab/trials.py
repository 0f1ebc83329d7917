# SPDX-License-Identifier: MIT
"""Trials: what is done, and what deadair must say of which capture. Of those named healthy nothing may be said."""
import time

from agents import command, phone, registered, server, sipp
from net import PHONES, ROUTER_OUT, SERVER, until

SPEECH_S = 8
DIALS_S = 3                              # from the start of a phone to its call


class Expect:
    """
    Of the captures `where` (joined by +) each of `must` must be said, as id/reason or id, alternatives with |; `also`
    may be, and why that is true. All else is an unexpected finding: the trial fails. Victim and culprit are those of
    the first of `must`.
    """
    def __init__(self, where, *must, also=None, victim=None, culprit=None):
        self.where, self.must, self.also = where, must, also or {}
        self.victim, self.culprit = victim, culprit


ALWAYS = {"cleartext/sip-plain": "SIP is not encrypted here", "cleartext/rtp-plain": "nor is audio",
          "dscp-missing/unmarked-signalling": "the server marks nothing"}
NAT = {"nat-present": "there is one",
       "nat-address-mismatch/compensated": "private addresses in SIP, and the server does not mind",
       "sip-alg-absent": "two interfaces prove that nothing rewrites"}
ROUTED = {"sip-alg/received-private": "without NAT the server sees private addresses: it may be so, says the report"}
ANY = {"capture-duplicates/any-interface": "a router's two interfaces in one capture"}
DIRECT = {"capture-no-media": "at the server there is no media: it goes from phone to phone"}
TLS = {"signalling-encrypted": "only its beginning is read",
       "sip-alg-absent/transport-encrypted": "TLS cannot be rewritten"}
ASKED = {"retransmission-storm": "the server goes on asking"}
BESIDE = {"capture-one-sided": "beside one phone: what goes elsewhere is not here"}


def quiet(files, *also):
    """Every capture of a healthy trial, and one of both sides"""
    allowed = {**DIRECT, **ANY, **{name: why for some in also for name, why in some.items()}}
    return [Expect(where, also=allowed) for where in (*files, "inside+outside")]


def talk(net, seconds=SPEECH_S, **more):
    """101, behind the router, calls 201 outside"""
    phone(net, "r1", 201, rtp=12000, **more)
    registered(net, "r1", 201)
    wait(phone(net, "p1", 101, dial=201, seconds=seconds + DIALS_S, **more), seconds)


def wait(p, seconds):
    until(lambda: p.poll() is not None, seconds + DIALS_S + 10, "the phone's call")
    time.sleep(0.3)


def provider_loses_private(net):
    """The provider's network, which takes packets to private addresses and loses them"""
    for space in ("r1", "r2"):
        net.inside(space, "ip", "route", "add", "default", "via", SERVER)


# ---- controls ----

def trial_healthy(net):
    """A router without NAT, a call with audio both ways"""
    net.routed()
    server(net)
    files = net.capture()
    talk(net)
    return files, quiet(files, ROUTED)


def trial_healthy_nat(net):
    """NAT without helper, far-end NAT handling and an rtpengine that learns where audio comes from"""
    net.nat()
    server(net, relay=True)
    files = net.capture()
    talk(net)
    return files, quiet(files, NAT)


def trial_healthy_double_nat(net):
    """Two routers in a row, far-end NAT handling and rtpengine: works all the same"""
    net.nat(space="home")
    net.nat()
    server(net, relay=True)
    files = net.capture()
    talk(net)
    return files, [*quiet(files, NAT, {"nat-double": "the fact"}),
                   Expect("inside+middle+outside", "nat-double/three-points", also=NAT)]


def trial_healthy_helper_elsewhere(net):
    """The kernel's SIP helper looks at port 5060, SIP goes to 5070 past it"""
    net.nat(helper=5060)
    server(net, port=5070, relay=True)
    files = net.capture()
    talk(net, server_port=5070)
    return files, quiet(files, NAT)


def trial_healthy_tls(net):
    """A call whose SIP goes by TLS"""
    net.routed()
    server(net, tls={"method": "TLSv1.2+"})
    files = net.capture()
    talk(net, server_port=5061, transport="tls")
    seen = {**TLS, "cleartext/tls-signalling-plain-media": "its audio is not",
            "capture-no-signalling": "its SIP cannot be read"}
    return files, quiet(files, ROUTED, seen)


def trial_healthy_transfer(net):
    """201 transfers 101 to 202, who answers"""
    net.routed()
    server(net)
    files = net.capture()
    phone(net, "r2", 202, rtp=13000)
    registered(net, "r2", 202)
    transfer(net, to=202)
    return files, quiet(files, ROUTED)


def transfer(net, to):
    phone(net, "r1", 201, rtp=12000)
    registered(net, "r1", 201)
    p = phone(net, "p1", 101, dial=201, seconds=SPEECH_S + DIALS_S + 4)
    until(lambda: net.logged("phone-p1-101.log", "Call established"), 10, "the call")
    time.sleep(4)
    command(net, "r1", f"/transfer sip:{to}@{SERVER}")
    wait(p, SPEECH_S + 4)


def trial_healthy_keys(net):
    """Keys as RFC 4733 events"""
    net.routed()
    server(net)
    files = net.capture()
    keys(net)
    return files, quiet(files, ROUTED)


def keys(net):
    phone(net, "r1", 201, rtp=12000)
    registered(net, "r1", 201)
    p = phone(net, "p1", 101, dial=201, seconds=SPEECH_S + DIALS_S)
    until(lambda: net.logged("phone-p1-101.log", "Call established"), 10, "the call")
    for key in "147":
        time.sleep(1)
        command(net, "p1", f"/sndcode {key}")
    wait(p, SPEECH_S)


LONG = """append_hf("P-Asserted-Identity: \\"Reception of the house\\" <sip:201@provider.example;user=phone>\\r\\n");
    append_hf("P-Charging-Vector: icid-value=f5ec5f1d7b0a4c39a2a0c7e0a41dd9b6;orig-ioi=provider.example\\r\\n");
    append_hf("History-Info: <sip:+4930123456789@provider.example;user=phone?Reason=SIP%3Bcause%3D302>;index=1\\r\\n");
    append_hf("History-Info: <sip:+4930123456700@provider.example?Reason=SIP%3Bcause%3D302>;index=1.1\\r\\n");
    append_hf("Diversion: <sip:+4930123456789@provider.example>;reason=unconditional;screen=yes;privacy=off\\r\\n");
    append_hf("P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=2620110a5c1b2d301;network-provided\\r\\n");
    append_hf("Geolocation: <https://lis.provider.example/locations/7f3e1c9a-52f0-4c0e-9d25-0d3f0a6c7b11>\\r\\n");
    append_hf("Alert-Info: <https://ring.provider.example/tones/business/double-ring-0042.wav>;appearance=1\\r\\n");"""


def trial_healthy_large(net):
    """An INVITE from outside in two fragments, which pass"""
    net.nat()
    server(net, relay=True, invite=LONG)
    files = net.capture()
    phone(net, "p1", 101)
    registered(net, "p1", 101)
    wait(phone(net, "r1", 201, dial=101, rtp=12000, seconds=SPEECH_S + DIALS_S), SPEECH_S)
    return files, quiet(files, NAT, {"sip-fragmented/oversize-risk": "larger than a packet, and arrived"})


EAGER = 'modparam("registrar", "min_expires", 5)\nmodparam("registrar", "default_expires", 6)\n'


def trial_healthy_two_devices(net):
    """Two phones of one account, which the server lists together"""
    net.nat()
    server(net, settings=EAGER)
    files = net.capture()
    for space in ("p1", "p2"):
        phone(net, space, 101, port=5060 if space == "p1" else 5062, regint=4)
    time.sleep(25)
    return files, quiet(files, NAT)


# ---- addresses and NAT ----

def trial_nat_private_sdp(net):
    """NAT without helper, server without media relay: the phone outside sends to the private address in SDP"""
    net.nat()
    provider_loses_private(net)
    server(net)
    files = net.capture()
    talk(net)
    return files, [Expect("far", "nat-address-mismatch/private-to-public", culprit=ROUTER_OUT,
                          also={**NAT, **BESIDE, "one-way-audio/answered-address-private": "what 101 hears of it"})]


def trial_double_nat(net):
    """Two routers in a row; the inner one forgets the phone after five seconds"""
    net.nat(space="home")
    net.nat()
    net.mapping_life(5, "home")
    server(net)
    files = net.capture()
    phone(net, "p1", 101, regint=600)
    phone(net, "p2", 102, regint=600)
    registered(net, "p1", 101)
    registered(net, "p2", 102)
    time.sleep(12)
    wait(phone(net, "r1", 201, dial=101, rtp=12000, seconds=34), 34)
    return files, [
        Expect("inside+middle+outside", "nat-double/three-points", "dropped-in-path/icmp",
               also={**NAT, "sip-port-shared": "two phones on 5060",
                     "invite-unanswered/icmp-unreachable": "the home router says it", **ASKED}),
        Expect("middle", "nat-double/mid-private", "invite-unanswered/icmp-unreachable",
               also={**NAT, "sip-port-shared": "two phones on 5060", **ASKED})]


def trial_binding_expired(net):
    """The router forgets the phone after five seconds, the server calls it a quarter of a minute later"""
    net.nat()
    net.mapping_life(5)
    server(net)
    files = net.capture()
    phone(net, "p1", 101, regint=600)
    registered(net, "p1", 101)
    time.sleep(15)
    wait(phone(net, "r1", 201, dial=101, rtp=12000, seconds=34), 34)
    refused = {**NAT, **ASKED}
    return files, [Expect("outside", "nat-binding-expired/icmp|invite-unanswered/icmp-unreachable", victim=ROUTER_OUT,
                          also=refused),
                   Expect("inside+outside", "dropped-in-path/icmp", culprit=ROUTER_OUT,
                          also={**refused, "invite-unanswered/icmp-unreachable": "what the server sees of it"})]


def trial_alg(net):
    """The kernel's SIP helper rewrites what passes"""
    return alg(net, 5060)


def trial_alg_port(net):
    """The SIP helper at a port that is not SIP's usual one"""
    return alg(net, 5070)


def alg(net, port):
    net.nat(helper=port)
    server(net, port=port)
    files = net.capture()
    talk(net, server_port=port)
    heard = {**NAT, **ANY, "media-unreachable/port-closed": "the port that the helper wrote is not open",
             "one-way-audio/icmp-unreachable": "what is heard of it"}
    return files, [Expect(where, "sip-alg/rewritten-headers", also=heard) for where in ("inside+outside", "any")]


# ---- ports ----

def trial_shared_port(net):
    """Two phones with local port 5060 behind one router"""
    net.nat()
    server(net)
    files = net.capture()
    phone(net, "p1", 101)
    phone(net, "p2", 102)
    registered(net, "p1", 101)
    registered(net, "p2", 102)
    time.sleep(1)
    return files, [Expect("inside", "sip-port-shared/router-remaps", also=NAT)]


def trial_registration_fight(net):
    """Two phones with one account, and a server that keeps only the last one"""
    net.nat()
    server(net, settings=EAGER, save=', "0x04"')
    files = net.capture()
    for space in ("p1", "p2"):
        phone(net, space, 101, port=5060 if space == "p1" else 5062, regint=4)
        time.sleep(1.5)
    time.sleep(25)
    return files, [Expect(where, "contact-flap/two-devices", also=NAT) for where in ("inside", "outside")]


COLLIDER = """<?xml version="1.0" encoding="ISO-8859-1" ?><scenario name="uas">
<recv request="INVITE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:[local_ip]:[local_port]>
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio 14000 RTP/AVP 8
]]></send>
<recv request="ACK"></recv>
<recv request="BYE"></recv>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


def trial_media_collision(net):
    """A machine that gives two calls the same media port"""
    net.routed()
    files = net.capture()
    sipp(net, "r2", "uas", COLLIDER, "-mp", "14000", "-rtp_echo", calls=2)
    time.sleep(1)
    for space, number, rtp, dialled in (("p1", 101, 10000, 901), ("p2", 102, 10100, 902)):
        last = phone(net, space, number, dial=dialled, port=5062, rtp=rtp, regint=0, seconds=10, registrar=PHONES["r2"])
        time.sleep(1)
    wait(last, 10)
    return files, [Expect("any", "rtp-port-collision/allocator", culprit=PHONES["r2"],
                          also={**ANY, "ssrc-collision/echo": "the machine sends back what it gets"})]


# ---- the path ----

def trial_media_dropped(net):
    """The router lets no audio out"""
    net.routed()
    net.rules("""
        table ip filter { chain forward { type filter hook forward priority 0
            iifname "lan0" udp dport 12000-12040 drop
            }
            }""")
    server(net)
    files = net.capture()
    talk(net)
    return files, [Expect("inside+outside", "dropped-in-path/media",
                          also={"one-way-audio/blocked-in-path": "what 201 hears of it"})]


def trial_wrong_port(net):
    """The router sends the audio to a port at which nobody listens"""
    net.routed()
    net.rules("""
        table ip wrong { chain pre { type filter hook prerouting priority -300
            iifname "lan0" udp dport 12000-12040 udp dport set 19999
            }
            }""")
    server(net)
    files = net.capture()
    talk(net)
    return files, [Expect("outside", "media-unreachable/port-closed", victim=PHONES["r1"], culprit=PHONES["p1"],
                          also={"one-way-audio/wrong-port": "what 201 hears of it"})]


def trial_fragment_lost(net):
    """A router that lets only the first fragment in: an INVITE with a provider's many headers never arrives whole"""
    net.routed()
    net.rules("""
        table ip fragments { chain pre { type filter hook prerouting priority -450
            iifname "wan0" ip frag-off & 0x1fff != 0 drop
            }
            }""")
    server(net, invite=LONG)
    files = net.capture()
    phone(net, "p1", 101)
    registered(net, "p1", 101)
    wait(phone(net, "r1", 201, dial=101, rtp=12000, seconds=34), 34)
    lost = {"invite-unanswered/fragmented": "what the server sees of it",
            "call-failed/timeout-upstream": "and the caller", "dropped-in-path/oversize": "where it is lost", **ASKED}
    return files, [Expect("server", "sip-fragmented/reassembly-timeout", also=lost),
                   Expect("outside", "sip-fragmented/reassembly-timeout", also=lost),
                   Expect("inside", "sip-fragmented/reassembly-timeout", also=ROUTED),
                   Expect("inside+outside", "sip-fragmented/reassembly-timeout", also=lost)]


# ---- TLS ----

def again_and_again(net, **more):
    """A phone that does not come up is switched off and on"""
    for _ in range(3):
        p = phone(net, "p1", 101, **more)
        time.sleep(7)
        net.end(p)


def trial_tls_alert(net):
    """A server that wants a certificate of the phone, which has none"""
    net.routed()
    server(net, tls={"verify": "yes"}, nat=False)
    files = net.capture()
    again_and_again(net, server_port=5061, transport="tls")
    return files, [Expect(where, "tls-failed/client-cert-missing", culprit=PHONES["p1"], also=TLS)
                   for where in ("inside", "outside")]


def trial_tls_to_plain_port(net):
    """A phone that begins TLS at the port for plain SIP"""
    net.routed()
    server(net, nat=False)
    files = net.capture()
    phone(net, "p2", 102, transport="tcp")
    registered(net, "p2", 102)
    again_and_again(net, server_port=5060, transport="tls")
    return files, [Expect(where, "transport-mismatch/tls-to-plain-port", also=ROUTED)
                   for where in ("inside", "outside")]


def trial_plain_to_tls_port(net):
    """A phone that speaks plain SIP at the port for TLS"""
    net.routed()
    server(net, tls={}, nat=False)
    files = net.capture()
    again_and_again(net, server_port=5061, transport="tcp")
    return files, [Expect(where, "transport-mismatch/plain-to-tls-port") for where in ("inside", "outside")]


# ---- calls ----

def trial_transfer_failed(net):
    """201 transfers 101 to a number that does not exist"""
    net.routed()
    server(net)
    files = net.capture()
    transfer(net, to=999)
    return files, [Expect(where, "transfer-failed/target-failed", also={**more, "call-failed": "the call to 999"})
                   for where, more in (("inside", ROUTED), ("outside", {}), ("any", ANY))]


TIMER_MODULES = ("dialog", "sst")
TIMER = """
modparam("dialog", "default_timeout", 3600)
modparam("dialog", "enable_stats", 0)
modparam("sst", "sst_flag", 6)
modparam("sst", "min_se", 60)
modparam("sst", "timeout_avp", "$avp(timeout)")
modparam("dialog", "timeout_avp", "$avp(timeout)")
modparam("dialog", "dlg_flag", 4)
"""


def trial_session_timer(net):
    """A server that starts a session timer which neither phone refreshes"""
    net.routed()
    server(net, modules=TIMER_MODULES, settings=TIMER,
           invite='setflag(4); setflag(6); dlg_manage(); $dlg_ctx(timeout_bye) = 1;')
    files = net.capture()
    talk(net, seconds=70)
    return files, [Expect(where, "call-dropped/session-timer-expired", also=more)
                   for where, more in (("inside", ROUTED), ("any", ANY))]


def trial_keys_lost(net):
    """A router that lets no RFC 4733 event out"""
    net.routed()
    net.rules("""
        table ip events { chain forward { type filter hook forward priority 0
            iifname "lan0" udp dport 12000-12040 @th,72,8 & 0x7f == 101 drop
            }
            }""")
    server(net)
    files = net.capture()
    keys(net)
    return files, [Expect("inside+outside", "dtmf-broken/events-lost")]


RENUMBERED = """subst_body('/RTP\\/AVP 8 101/RTP\\/AVP 8 96/');
    subst_body('/rtpmap:101/rtpmap:96/'); subst_body('/fmtp:101/fmtp:96/');"""


def trial_keys_renumbered(net):
    """A server that changes the number of the events in the answer only: the phone sends what nobody asked for"""
    net.routed()
    server(net, answer=RENUMBERED)
    files = net.capture()
    keys(net)
    return files, [Expect("far", "dtmf-broken/pt-number-mismatch")]


TRIALS = {name[6:].replace("_", "-"): f for name, f in list(globals().items()) if name.startswith("trial_")}
DOUBLE = ("healthy-double-nat", "double-nat")
QUICK = ("alg", "shared-port", "nat-private-sdp", "wrong-port")
