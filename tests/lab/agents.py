# SPDX-License-Identifier: MIT
"""Those who speak: a SIP server (kamailio, with rtpengine where media is relayed) and phones (baresip, sipp)."""
import math
import os
import shutil
import struct
import wave

from net import PHONES, SERVER, Missing, until

MODULES = ("tm", "sl", "rr", "pv", "maxfwd", "usrloc", "registrar", "nathelper", "siputils", "textops", "textopsx",
           "auth")
PASSWORD = "lab"

KAMAILIO = """
debug=0
log_stderror=yes
fork=no
children=2
{listen}
{modules}
modparam("registrar", "received_avp", "$avp(RECEIVED)")
modparam("nathelper", "received_avp", "$avp(RECEIVED)")
modparam("usrloc", "db_mode", 0)
{settings}
request_route {{
  if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
  {first}
  if (is_method("REGISTER")) {{
    if (!pv_www_authenticate("$td", "{password}", "0")) {{ auth_challenge("$td", "0"); exit; }}
    {register} save("location"{save}); exit;
  }}
  if (has_totag()) {{ loose_route(); {within} t_on_reply("BACK"); t_relay(); exit; }}
  if (is_method("CANCEL")) {{ if (t_check_trans()) t_relay(); exit; }}
  if (is_method("INVITE")) {{ record_route(); {invite} }}
  if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
  t_on_reply("BACK");
  t_relay();
}}
onreply_route[BACK] {{ {answer} }}
"""

TLS = """
[server:default]
method = {method}
verify_certificate = {verify}
require_certificate = {verify}
private_key = {key}
certificate = {certificate}
ca_list = {certificate}
"""

PHONE = """
poll_method epoll
sip_listen 0.0.0.0:{port}
audio_source aufile,{sound}
audio_player aubridge,nobody
audio_alert aubridge,nobody
ausrc_srate 8000
auplay_srate 8000
rtp_ports {rtp}-{rtp_last}
rtcp_mux no
cons_listen 127.0.0.1:5555
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module cons.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
"""


def modules_folder():
    for folder in ("/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules",
                   "/usr/lib/aarch64-linux-gnu/baresip/modules"):
        if os.path.isdir(folder):
            return folder
    raise Missing("baresip's modules are nowhere")


def sound(net):
    """A file of something like speech: 8 kHz, mono"""
    path = net.path("speech.wav")
    if not os.path.exists(path):
        with wave.open(path, "wb") as w:
            w.setnchannels(1)
            w.setsampwidth(2)
            w.setframerate(8000)
            w.writeframes(b"".join(
                struct.pack("<h", int(8000 * math.sin(t / 3.0) * (0.4 + 0.6 * math.sin(t / 900.0) ** 2)))
                for t in range(8000 * 60)))
    return path


def server(net, port=5060, nat=True, relay=False, tls=None, modules=(), **more):
    """
    A kamailio that keeps in the path. nat: it answers and calls phones where they came from; relay: audio goes through
    an rtpengine beside it; tls: TLS at port 5061, a table of method and verify; more: lines for the places of its
    configuration.
    """
    words = dict.fromkeys(("settings", "first", "register", "save", "within", "invite", "answer"), "")
    if nat:
        words.update(first="force_rport();", register="fix_nated_register();", within="handle_ruri_alias();",
                     invite="add_contact_alias();", answer="add_contact_alias();")
    listen = [f"listen=udp:{SERVER}:{port}", f"listen=tcp:{SERVER}:{port}"]
    if relay:
        rtpengine(net)
        modules = (*modules, "rtpengine")
        words["settings"] += 'modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:2223")\n'
        through = ' rtpengine_manage("replace-origin ICE=remove");'
        words["answer"] += ' if (has_body("application/sdp"))' + through
        words["invite"] += through
        words["within"] += ' if (is_method("BYE") || has_body("application/sdp"))' + through
    if tls is not None:
        listen.append(f"listen=tls:{SERVER}:5061")
        modules = ("tls", *modules)
        certificate(net)
        path = net.write("tls.cfg", TLS.format(method=tls.get("method", "TLSv1.2"), verify=tls.get("verify", "no"),
                                               key=net.path("server.key"), certificate=net.path("server.crt")))
        words["settings"] += f'modparam("tls", "config", "{path}")\n'
        listen.append("enable_tls=yes")
    for place, text in more.items():
        words[place] += " " + text
    words["answer"] = words["answer"] or "return;"
    loaded = "\n".join(f'loadmodule "{m}.so"' for m in (*MODULES, *modules))
    path = net.write("kamailio.cfg", KAMAILIO.format(listen="\n".join(reversed(listen)), modules=loaded,
                                                     password=PASSWORD, **words))
    p = net.start("server", "kamailio", "-f", path, "-DD", "-E", "-Y", net.folder, log="kamailio.log")
    wanted = [("udp", port), ("tcp", port)] + ([("tcp", 5061)] if tls is not None else [])
    until(lambda: p.poll() is not None or all(listening(net, "server", *one) for one in wanted), 10, "kamailio")
    if p.poll() is not None:
        log = open(net.path("kamailio.log")).read()
        if "could not find module" in log or "failed to load module" in log:
            raise Missing("kamailio lacks one of: " + " ".join(modules))
        raise RuntimeError("kamailio ended: " + log[-400:])


def listening(net, space, protocol, port):
    return f":{port} " in net.inside(space, "ss", "-H", "-l", "-n", "-u" if protocol == "udp" else "-t").stdout


def rtpengine(net):
    """A relay for audio, without its kernel module"""
    if not shutil.which("rtpengine"):
        raise Missing("no rtpengine (apt-get install rtpengine-daemon)")
    p = net.start("server", "rtpengine", "--foreground", "--log-stderr", "--table=-1", f"--interface={SERVER}",
                  "--listen-ng=127.0.0.1:2223", "--port-min=30000", "--port-max=30100", "--log-level=4",
                  f"--pidfile={net.path('rtpengine.pid')}", log="rtpengine.log")
    until(lambda: p.poll() is not None or listening(net, "server", "udp", 2223), 10, "rtpengine")
    if p.poll() is not None:
        raise Missing("rtpengine does not run here: " + open(net.path("rtpengine.log")).read()[-200:].strip())


def certificate(net):
    if not shutil.which("openssl"):
        raise Missing("no openssl")
    net.inside("server", "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
               "-subj", f"/CN={SERVER}", "-addext", f"subjectAltName=IP:{SERVER}",
               "-keyout", net.path("server.key"), "-out", net.path("server.crt"))


def phone(net, space, number, dial=None, port=5060, rtp=10000, server_port=5060, regint=60, seconds=None,
          registrar=SERVER, transport=None):
    """A baresip that registers, answers, and dials if told to; it hears commands(), too"""
    folder = net.path(f"phone-{space}-{number}")
    os.makedirs(folder, exist_ok=True)
    where = f"{registrar}:{server_port}" + (f";transport={transport}" if transport else "")
    with open(os.path.join(folder, "config"), "w") as f:
        f.write(PHONE.format(port=port, rtp=rtp, rtp_last=rtp + 40, modules=modules_folder(), sound=sound(net)))
    with open(os.path.join(folder, "accounts"), "w") as f:
        f.write(f"<sip:{number}@{where}>;auth_pass={PASSWORD};regint={regint};answermode=auto;audio_codecs=PCMA\n")
    open(os.path.join(folder, "contacts"), "w").close()
    words = ["baresip", "-4", "-f", folder]
    if dial:
        words += ["-e", f"/dial sip:{dial}@{where}"]
    if seconds:
        words += ["-t", str(seconds)]
    return net.start(space, *words, log=f"phone-{space}-{number}.log")


def command(net, space, words):
    """A key press, a transfer: what a person does at the phone"""
    net.inside(space, "bash", "-c", f"echo '{words}' >/dev/udp/127.0.0.1/5555")


def registered(net, space, number, seconds=10):
    until(lambda: net.logged(f"phone-{space}-{number}.log", "200 OK"), seconds, f"registration of {number}")


def sipp(net, space, name, scenario, *words, port=5060, calls=1):
    """A machine that does what its scenario says, and nothing else"""
    path = net.write(name + ".xml", scenario)
    return net.start(space, "sipp", "-sf", path, "-i", PHONES[space], "-p", str(port), "-nostdin", "-m", str(calls),
                     *words, log=name + ".log", cwd=net.folder)
