"""A home in network namespaces: a router, seven devices and the computer that is examined, on a bridge that leads nowhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
SUBNET = "10.77.0.0/26"
OWN_MAC = "02:f0:00:00:00:63"
DEVICES = {
    "router": ("10.77.0.1", "c8:d7:19:00:00:01"), "printer": ("10.77.0.10", "30:05:5c:00:00:10"), "player": ("10.77.0.11", "5c:aa:fd:00:00:11"),
    "phone1": ("10.77.0.20", "5a:11:22:33:44:20"), "phone2": ("10.77.0.21", "da:11:22:33:44:21"), "nas": ("10.77.0.30", "00:11:32:00:00:30"),
    "console": ("10.77.0.40", "7c:bb:8a:00:00:40"), "tv": ("10.77.0.41", "64:1c:b0:00:00:41"),
}  # fmt: skip
SPEAKING = ("printer", "player", "phone1", "phone2", "nas")
_CAPTURE = (
    "import socket,sys,struct\ns=socket.socket(socket.AF_PACKET,socket.SOCK_RAW,socket.htons(3));s.setsockopt(socket.SOL_SOCKET,33,1<<24);s.bind((sys.argv[1],3))\n"
    "out=open(sys.argv[2],'ab',0)\nprint('ready',flush=True)\nwhile 1:\n d=s.recv(65535);out.write(struct.pack('<I',len(d))+d)\n"
)


@dataclass
class Home:
    """``run`` runs a program on the examined computer; ``sent`` are the frames it sent meanwhile, as the bridge saw them."""

    name: str
    folder: Path
    devices: dict[str, tuple[str, str]] = field(default_factory=lambda: DEVICES)
    """Address and hardware address by role."""
    speaking: tuple[str, ...] = SPEAKING
    """Those that announce themselves unasked."""
    subnet: str = SUBNET
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)

    def space(self, role: str) -> str:
        return f"{self.name}-{role}"

    def start(self, role: str, *command: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.space(role), *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        self.processes.append(process)
        return process

    def run(self, *command: str) -> subprocess.CompletedProcess[bytes]:
        captured = self.folder / "captured"
        captured.unlink(missing_ok=True)
        capture = self.start("lan", sys.executable, "-c", _CAPTURE, "pc0", str(captured))
        assert capture.stdout is not None and capture.stdout.readline() == b"ready\n"
        try:
            done = subprocess.run(
                ["ip", "netns", "exec", self.space("pc"), *command], cwd=ROOT, capture_output=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)}
            )  # fmt: skip
            time.sleep(0.3)
        finally:
            capture.kill()
            capture.wait()
        own = bytes.fromhex(OWN_MAC.replace(":", ""))
        self.sent = [frame for frame in _frames(captured.read_bytes()) if frame[6:12] == own]
        return done


def _frames(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + 4 <= len(data):
        (length,) = struct.unpack_from("<I", data, at)
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The home, all devices speaking; skipped, visibly, where namespaces cannot be made."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("ip") or not shutil.which("dnsmasq"):
        pytest.skip("network namespaces need Linux, its administrator, ip and dnsmasq")
    made = Home(f"tg{os.getpid()}", tmp_path_factory.mktemp("home"))
    spaces = ["lan", "pc", *DEVICES]
    try:
        try:
            for role in spaces:
                _ip("netns", "add", made.space(role))
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespaces here: {error.stderr.decode().strip()}")
        _ip("-n", made.space("lan"), "link", "add", "br0", "type", "bridge")
        for role, (address, mac) in {**DEVICES, "pc": ("10.77.0.50", OWN_MAC)}.items():
            _attach(made, role, address, mac)
        subprocess.run(["ip", "netns", "exec", made.space("lan"), "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"], check=False)
        _ip("-n", made.space("lan"), "link", "set", "br0", "up")
        _ip("-n", made.space("pc"), "route", "add", "default", "via", DEVICES["router"][0])
        made.start(
            "router", "dnsmasq", "--keep-in-foreground", "--port=0", "--user=root", "--conf-file=/dev/null", "--dhcp-range=10.77.0.20,10.77.0.40,1h", "--no-ping",
            f"--dhcp-leasefile={made.folder}/dnsmasq.leases", "--interface=eth0", f"--pid-file={made.folder}/pid",
        )  # fmt: skip
        hosts = [
            made.start(role, sys.executable, str(HERE / "home_host.py"), role, *DEVICES[role]) for role in DEVICES if role != "console"
        ]
        for host in hosts:
            assert host.stdout is not None and host.stdout.readline() == b"speaking\n"
        until = time.monotonic() + 20
        while not (made.folder / "dnsmasq.leases").read_bytes().strip() and time.monotonic() < until:
            time.sleep(0.2)
        yield made
    finally:
        for process in made.processes:
            process.kill()
            process.wait()
        for role in spaces:
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip("netns", "del", made.space(role))


def _attach(home: Home, role: str, address: str, mac: str) -> None:
    space, port = home.space(role), f"{role}0"
    subprocess.run(
        ["ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"],
        check=False,
    )
    _ip("-n", home.space("lan"), "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", space)
    _ip("-n", home.space("lan"), "link", "set", port, "master", "br0")
    _ip("-n", space, "link", "set", "eth0", "address", mac)
    _ip("-n", space, "addr", "add", f"{address}/{SUBNET.partition('/')[2]}", "dev", "eth0")
    for where, name in ((space, "lo"), (space, "eth0"), (home.space("lan"), port)):
        _ip("-n", where, "link", "set", name, "up")
