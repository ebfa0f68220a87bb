"""Make the sample evidence that is committed in tests/data/sample: a small NTFS volume in an E01, with a real Chromium profile.

    sudo python tests/make_sample.py          (needs chromium, ntfs-3g, ewf-tools and /dev/fuse; run once, the result is committed)

Everything in it is harmless and made here. What it holds and what a scan must say of it is written to answers.json beside it.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import random
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

OUT = Path(__file__).parent / "data" / "sample"
PHRASE = "copper kettle protocol"
VISITS = ["https://www.gardening-weekly.example/roses", "https://www.gardening-weekly.example/tulips"]
SEARCH = "https://www.google.com/search?q=how+to+prune+roses"
MARKED_SEARCH = "https://www.google.com/search?q=copper+kettle+protocol"


class _Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        title = f"{self.headers['Host']} {self.path}".replace("<", "")
        body = f"<!doctype html><title>{title}</title><p>A page of the sample.".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def _certificate(folder: Path) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sample.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2)).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _chromium_profile(folder: Path) -> Path:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Page)
    server.socket = _certificate(folder).wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    profile = folder / "profile"
    for url in [*VISITS, SEARCH, MARKED_SEARCH]:
        subprocess.run(
            [
                "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--ignore-certificate-errors", "--virtual-time-budget=3000", "--dump-dom",
                f"--host-resolver-rules=MAP * 127.0.0.1:{server.server_port}", f"--user-data-dir={profile}", url,
            ],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
        time.sleep(1)
    server.shutdown()
    return profile


def _picture(path: Path, seed: int) -> None:
    from PIL import Image, ImageDraw

    dice = random.Random(seed)
    image = Image.new("RGB", (480, 320), tuple(dice.randrange(256) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        x, y, r = dice.randrange(480), dice.randrange(320), dice.randrange(5, 70)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(dice.randrange(256) for _ in range(3)))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, "JPEG", quality=80)


def main() -> None:
    """Build everything anew."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profile = _chromium_profile(folder)
        image, mount = folder / "sample.img", folder / "mount"
        image.write_bytes(b"")
        with open(image, "r+b") as file:
            file.truncate(24 << 20)
        subprocess.run(["mkntfs", "-q", "-F", "-L", "SAMPLE", image], check=True, stdout=subprocess.DEVNULL)
        mount.mkdir()
        subprocess.run(["ntfs-3g", "-o", "loop", image, mount], check=True)
        try:
            answers = _fill(mount, profile)
            (mount / "Users/alex/Pictures/deleted.jpg").unlink()
        finally:
            subprocess.run(["umount", mount], check=True)
        for old in OUT.glob("sample.E*"):
            old.unlink()
        subprocess.run(
            ["ewfacquire", "-u", "-q", "-c", "best", "-t", OUT / "sample", "-C", "SAMPLE-1", "-E", "SAM/1", "-e", "A. Examiner", "-D", "sample evidence", image],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        answers["media_sha256"] = hashlib.sha256(image.read_bytes()).hexdigest()
    (OUT / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")


def _fill(root: Path, profile: Path) -> dict[str, object]:
    user = root / "Users" / "alex"
    for number in range(6):
        _picture(user / "Pictures" / "Garden" / f"rose {number}.jpg", number)
    known = _made(user / "Pictures" / "DSC_0042.jpg", 42)
    shutil.copyfile(known, user / "Pictures" / "deleted.jpg")
    hidden = user / "Documents" / "tax.dat"
    hidden.parent.mkdir(parents=True)
    shutil.copyfile(known, hidden)
    (user / "Documents" / "notes.txt").write_text(f"Shopping: bread, milk.\nRing about the {PHRASE} on Monday.\n", "utf-8")
    (user / "Documents" / "letter.txt").write_text(
        "Dear solicitor, the copper was in the kettle; a protocol was signed in Sussex.\n", "utf-8"
    )
    (root / "Windows" / "System32").mkdir(parents=True)
    (root / "Windows" / "System32" / "drivers.txt").write_text("a system file\n")
    target = user / "AppData/Local/Google/Chrome/User Data/Default"
    target.mkdir(parents=True)
    for name in ("History", "Bookmarks", "Preferences", "Web Data", "Favicons"):
        source = profile / "Default" / name
        if source.exists():
            shutil.copyfile(source, target / name)
    digest = hashlib.md5(known.read_bytes(), usedforsecurity=False).hexdigest()
    (OUT / "known.md5").write_text(f"{digest}  harmless sample picture\n")
    (OUT / "words.csv").write_text(f"term,category,severity,form\n{PHRASE},demonstration,4,phrase\n")
    base = "/Users/alex"
    return {
        "known_md5": digest,
        "hash_matches": sorted([f"{base}/Pictures/DSC_0042.jpg", f"{base}/Documents/tax.dat", f"{base}/Pictures/deleted.jpg"]),
        "deleted": [f"{base}/Pictures/deleted.jpg"],
        "keyword": PHRASE,
        "keyword_text_file": f"{base}/Documents/notes.txt",
        "decoy_text_file": f"{base}/Documents/letter.txt",
        "visits": [*VISITS, SEARCH, MARKED_SEARCH],
        "searches": ["how to prune roses", PHRASE],
        "outcome": "found",
    }


def _made(path: Path, seed: int) -> Path:
    """A picture at ``path``; returns the path."""
    _picture(path, seed)
    return path


if __name__ == "__main__":
    main()
