# SPDX-License-Identifier: MIT
"""Network namespaces of one trial: switches, routers, phones, captures. All that is begun here is ended here."""
import ctypes
import os
import re
import signal
import subprocess
import time

LAN, WAN, MIDDLE = "192.168.88.", "203.0.113.", "10.77.0."
ROUTER_IN, ROUTER_OUT, SERVER = LAN + "1", WAN + "2", WAN + "10"
HOME_OUT, MIDDLE_ROUTER = MIDDLE + "2", MIDDLE + "1"
PHONES = {"p1": LAN + "11", "p2": LAN + "12", "r1": WAN + "21", "r2": WAN + "22"}
TAG = re.compile(r"^dalab(\d+)[a-z]")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Missing(Exception):
    """The machine lacks something: skipped, not failed"""


def run(words, check=True, **more):
    return subprocess.run(words, check=check, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **more)


def die_with_parent(sign=signal.SIGKILL):
    """A lab that is killed outright takes what it began with it"""
    LIBC.prctl(PR_SET_PDEATHSIG, sign)


def until(done, seconds, what):
    """Waits for what done() says; a machine that is too slow is an error, not a finding"""
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def space_remove(name):
    """Whoever still runs in a namespace that is ours was begun by us"""
    for pid in run(["ip", "netns", "pids", name], check=False).stdout.split():
        if pid.isdigit():
            try:
                os.kill(int(pid), signal.SIGKILL)
            except ProcessLookupError:
                pass
    run(["ip", "netns", "del", name], check=False)


def sweep():
    """Namespaces of a lab that was killed outright: its process is gone, they are not"""
    for line in run(["ip", "netns", "list"], check=False).stdout.splitlines():
        name = line.split()[0] if line.split() else ""
        owner = TAG.match(name)
        if owner and not os.path.exists(f"/proc/{owner.group(1)}"):
            space_remove(name)


class Net:
    """lan (a switch), phones, router, net (the provider's switch), server, remote phones; double: two routers"""

    def __init__(self, folder):
        self.folder = folder
        self.tag = f"dalab{os.getpid()}"
        self.spaces, self.processes = [], []
        self.double = False

    def name(self, space):
        return f"{self.tag}{space}"

    def inside(self, space, *words, **more):
        return run(["ip", "netns", "exec", self.name(space), *words], **more)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def start(self, space, *words, log=None, cwd=None):
        out = open(self.path(log), "w") if log else subprocess.DEVNULL
        p = subprocess.Popen(["ip", "netns", "exec", self.name(space), *words], stdin=subprocess.DEVNULL, stdout=out,
                             stderr=subprocess.STDOUT, cwd=cwd, start_new_session=True, preexec_fn=die_with_parent)
        self.processes.append(p)
        return p

    def logged(self, log, words):
        try:
            with open(self.path(log), errors="replace") as f:
                return words in f.read()
        except FileNotFoundError:
            return False

    # ---- cables ----

    def space(self, space):
        self.spaces.append(space)
        run(["ip", "netns", "add", self.name(space)])
        self.inside(space, "ip", "link", "set", "lo", "up")

    def switch(self, space):
        self.space(space)
        self.inside(space, "ip", "link", "add", "br0", "type", "bridge")
        self.inside(space, "ip", "link", "set", "br0", "up")

    def cable(self, space, interface, switch, address):
        port = f"to-{space}-{interface}"[:15]
        run(["ip", "link", "add", interface, "netns", self.name(space), "type", "veth",
             "peer", "name", port, "netns", self.name(switch)])
        self.inside(switch, "ip", "link", "set", port, "master", "br0")
        self.inside(switch, "ip", "link", "set", port, "up")
        self.inside(space, "ip", "addr", "add", address + "/24", "dev", interface)
        self.inside(space, "ip", "link", "set", interface, "up")

    def router(self, space, inner, outer):
        self.space(space)
        self.cable(space, "lan0", *inner)
        self.cable(space, "wan0", *outer)
        self.inside(space, "sysctl", "-qw", "net.ipv4.ip_forward=1")

    def build(self, double=False):
        self.double = double
        self.switch("lan")
        self.switch("net")
        if double:
            self.switch("mid")
            self.router("home", ("lan", ROUTER_IN), ("mid", HOME_OUT))
            self.router("router", ("mid", MIDDLE_ROUTER), ("net", ROUTER_OUT))
            self.inside("home", "ip", "route", "add", "default", "via", MIDDLE_ROUTER)
        else:
            self.router("router", ("lan", ROUTER_IN), ("net", ROUTER_OUT))
        self.space("server")
        self.cable("server", "eth0", "net", SERVER)
        for phone, address in PHONES.items():
            self.space(phone)
            self.cable(phone, "eth0", "lan" if phone[0] == "p" else "net", address)
            if phone[0] == "p":
                self.inside(phone, "ip", "route", "add", "default", "via", ROUTER_IN)

    # ---- what routers do ----

    def routed(self):
        """No NAT: the provider's side knows the way to the phones"""
        for space in ("server", "r1", "r2"):
            self.inside(space, "ip", "route", "add", LAN + "0/24", "via", ROUTER_OUT)

    def rules(self, text, space="router"):
        done = self.inside(space, "nft", "-f", self.write(f"{space}.nft", text), check=False)
        if done.returncode:
            raise Missing("nft: " + done.stdout.strip().splitlines()[0])

    def nat(self, more="", helper=None, space="router"):
        """Masquerading; helper: the port at which the SIP helper looks"""
        alg = ""
        if helper:
            alg = f"""
            table ip alg {{
              ct helper sip {{
                type "sip" protocol udp
              }}
              chain pre {{
                type filter hook prerouting priority -150
                udp dport {helper} ct helper set "sip"
              }}
            }}"""
        self.rules(f"""
            table ip nat {{ chain post {{ type nat hook postrouting priority 100; oifname "wan0" masquerade
            }}
            }}
            {alg}
            {more}""", space)

    def mapping_life(self, seconds, space="router"):
        for name in ("udp_timeout", "udp_timeout_stream"):
            self.inside(space, "sysctl", "-qw", f"net.netfilter.nf_conntrack_{name}={seconds}")

    # ---- captures ----

    def capture(self):
        """Files by name; tcpdump runs until stop()"""
        points = [("outside", "router", "wan0"), ("any", "router", "any"), ("far", "net", "to-r1-eth0"),
                  ("server", "server", "eth0")]
        points += [("inside", "home", "lan0"), ("middle", "router", "lan0")] if self.double else \
                  [("inside", "router", "lan0")]
        files = {}
        for name, space, interface in points:
            files[name] = self.path(name + ".pcap")
            self.start(space, "tcpdump", "-U", "--immediate-mode", "-i", interface, "-s", "0", "-w", files[name],
                       log=f"tcpdump-{name}.log")
        until(lambda: all(self.logged(f"tcpdump-{name}.log", "listening on") for name in files), 10, "tcpdump")
        return files

    # ---- the end ----

    def end(self, p):
        """One of them, at once"""
        if p.poll() is None:
            os.killpg(p.pid, signal.SIGKILL)
        p.wait()

    def stop(self):
        for sign in (signal.SIGINT, signal.SIGKILL):
            for p in self.processes:
                if p.poll() is None:
                    os.killpg(p.pid, sign)
            deadline = time.monotonic() + 3
            for p in self.processes:
                try:
                    p.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    pass
        self.processes = []

    def remove(self):
        self.stop()
        for space in reversed(self.spaces):
            space_remove(self.name(space))
        self.spaces = []
