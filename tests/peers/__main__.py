"""Let programs that nobody of us wrote take our stand-ins for the vendors, and compare what they read with what is there.

    python -m tests.peers [NAME…]

Each has an environment of its own under `.peers`, made from `requirements.txt` and `package.json`. It is told where its
vendor is by the line that `smarketing sandbox` prints, and tells every person it read; the hidden door tells whether
these are all and no others.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from connectors.base import State
from smarketing.sandbox.opening import open_sandbox
from smarketing.sandbox.server import Sandbox
from smarketing.world import RealWorld

HERE = Path(__file__).parent
ROOM = HERE.parent.parent / ".peers"
PEOPLE = 260
"""More than a page of any of them."""
PEERS = {
    "hubspot-api-client": ("hubspot", "hubspot_sdk.py"),
    "@hubspot/api-client": ("hubspot", "hubspot_node.mjs"),
    "aiosalesforce": ("salesforce", "salesforce_aio.py"),
    "jsforce": ("salesforce", "salesforce_jsforce.mjs"),
    "mailchimp-marketing": ("mailchimp", "mailchimp_sdk.py"),
    "@mailchimp/mailchimp_marketing": ("mailchimp", "mailchimp_node.mjs"),
}
"""Program → the vendor it is for, and what it is made to do."""
ADDRESS = {"hubspot": "email", "salesforce": "Email", "mailchimp": "email_address"}
KINDS = {"hubspot": {"contact"}, "salesforce": {"Lead", "Contact"}, "mailchimp": {"member"}}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.peers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(PEERS)} [all]")
    names = parser.parse_args().names or list(PEERS)
    python = set_up()
    failed = 0
    with tempfile.TemporaryDirectory(prefix="smarketing-peers-") as folder:
        systems = sorted({PEERS[name][0] for name in names})
        with open_sandbox(systems, 11, PEOPLE, RealWorld(), Path(folder)) as sandbox:
            for name in names:
                wrong = run(name, sandbox, python)
                failed += bool(wrong)
                print(f"{name}: {wrong or 'reads and writes'}", flush=True)
    return 1 if failed else 0


def set_up() -> Path:
    """Environments with what is pinned; answers the Python of one."""
    ROOM.mkdir(exist_ok=True)
    python = ROOM / "venv" / "bin" / "python"
    if _has_moved("requirements.txt"):
        subprocess.run([sys.executable, "-m", "venv", "--clear", ROOM / "venv"], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
        subprocess.run([*pip, HERE / "requirements.txt"], check=True)
        shutil.copy(HERE / "requirements.txt", ROOM)
    if _has_moved("package.json"):
        shutil.copy(HERE / "package.json", ROOM)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=ROOM, check=True)
    for each in (HERE / "programs").iterdir():
        shutil.copy(each, ROOM)
    return python


def _has_moved(name: str) -> bool:
    kept = ROOM / name
    return not kept.exists() or kept.read_bytes() != (HERE / name).read_bytes()


def run(name: str, sandbox: Sandbox, python: Path) -> str:
    """What is wrong; empty: nothing."""
    system, program = PEERS[name]
    how = [str(python)] if program.endswith(".py") else ["node"]
    told = {**os.environ, "SYSTEM": json.dumps(sandbox.line()[system])}
    ended = subprocess.run(
        [*how, program], cwd=ROOM, env=told, capture_output=True, text=True, check=False, timeout=180
    )
    if ended.returncode:
        return f"ended with {ended.returncode}: {ended.stderr.strip()[-500:]}"
    found = json.loads(ended.stdout)
    there = people(sandbox, system)
    if found["people"] != there:
        missing, more = there.keys() - found["people"].keys(), found["people"].keys() - there.keys()
        return f"{len(missing)} people were not read, and {len(more)} who are not there"
    if nothing := [what for what, value in found["also"].items() if value is False]:
        return f"it found no {', '.join(nothing)}"
    return ""


def people(sandbox: Sandbox, system: str) -> dict[str, Any]:
    """Everybody who really is there: id → address."""
    kept = sandbox.doors[system].records()
    live = [each for each in kept if each.state is State.LIVE and each.ref.object in KINDS[system]]
    return {each.ref.id: each.fields[ADDRESS[system]] for each in live}


if __name__ == "__main__":
    sys.exit(main())
