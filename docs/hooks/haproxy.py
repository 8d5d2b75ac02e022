#!/usr/bin/env python3
"""Moves a model's traffic between servers of HAProxy: a hook for Tagship's target `exec`. Needs tagship_hook.py beside it.

    target: { exec: { command: ["./deploy/haproxy.py", "deploy/haproxy.json"] } }

Settings are those of `Backends` in tagship_hook.py, and

    "socket": "/run/haproxy/admin.sock"      HAProxy's runtime interface, with level admin

Nothing is reloaded: versions take slots of a backend that has the model's name, and shares are changed on the running
process. After each change the hook writes HAProxy's own record of the slots to directory/<model>/servers.state, from which
a restarted HAProxy goes on:

    global
      stats socket /run/haproxy/admin.sock level admin
      server-state-base /srv/models
    backend churn
      balance roundrobin
      load-server-state-from-file local
      server-state-file-name churn/servers.state
      server-template slot 1-8 127.0.0.1:1 disabled

An A/B test by `match` needs one setting more, the header that HAProxy looks at for each model, `"match": {"churn": "x-cohort"}`,
an empty file directory/<model>/match.map before HAProxy starts, with the path as the settings write `directory`, and in the
backend (`target check` leads requests to the model tagship-check by the header x-tagship-check):

      use-server %[req.fhdr(x-cohort),map(/srv/models/churn/match.map)] if { req.fhdr_cnt(x-cohort) eq 1 }

HAProxy shares by weighted round-robin: of any hundred requests every version gets exactly its share. What it counts by slot
is not counted by version, so metrics need a source of their own.
"""

import re
import socket
import sys
from pathlib import Path

from tagship_hook import CONFLICT, UNSUPPORTED, Answer, Backends, main, replace

# Bits of `srv_admin_state` for a server that is told to be in maintenance.
MAINTENANCE = 0x01


class HAProxy(Backends):
    matches = True
    # Slots of the model's backend by their names; empty where HAProxy has no such backend.
    slots: dict | None = None

    def look(self) -> None:
        lines = self.ask(f"show servers state {self.name}").splitlines()
        names = next((line[2:].split() for line in lines if line.startswith("# ")), [])
        rows = [dict(zip(names, line.split())) for line in lines if names and line[:1].isdigit() and " " in line]
        self.slots = {row["srv_name"]: row for row in rows}

    def prepare(self, version: str, digest: str, source: Path) -> int | None:
        self.look()
        if not self.slots:
            raise Answer(UNSUPPORTED, f"HAProxy has no backend {self.name} with a server-template")
        taken = {arm["slot"] for arm in self.arms.values()}
        own = self.arms.get(version, {}).get("slot")
        slot = own or next((slot for slot in self.slots if slot not in taken), None)
        if slot is None:
            raise Answer(CONFLICT, f"no slot of backend {self.name} is free; make its server-template larger")
        code = super().prepare(version, digest, source)
        self.arms[version]["slot"] = slot
        return code

    @property
    def header(self) -> str | None:
        """The header that HAProxy is set up to look at."""
        return self.settings.get("match", {}).get(self.model)

    def order_route(self, ask: dict) -> None:
        match = ask.get("match")
        if match and match["header"] != self.header:
            raise Answer(UNSUPPORTED, f"HAProxy is not set up to look at the header {match['header']}")
        if match and not re.fullmatch("[A-Za-z0-9._~:/@=+-]+", match["exact"]):
            raise Answer(UNSUPPORTED, f"a map of HAProxy cannot hold {match['exact']!r}")
        super().order_route(ask)

    def apply(self) -> None:
        self.look()
        matched = self.match["version"] if self.match else None
        taken = {arm["slot"]: arm for version, arm in self.arms.items() if arm["weight"] or version == matched}
        # More for some before less for others, so that there is always somebody to answer.
        for slot in (slot for slot in self.slots if slot in taken):
            server = f"{self.name}/{slot}"
            self.tell(f"set server {server} addr 127.0.0.1 port {taken[slot]['port']}")
            self.tell(f"set server {server} weight {taken[slot]['weight']}")
            self.tell(f"set server {server} state ready")
        if self.slots and self.header:
            self.lead({self.match["exact"]: self.arms[matched]["slot"]} if matched else {})
        for slot in (slot for slot in self.slots if slot not in taken):
            # The requests that it has are finished.
            self.tell(f"set server {self.name}/{slot} state maint")
        if self.slots:
            self.home.mkdir(parents=True, exist_ok=True)
            replace(self.home / "servers.state", self.ask(f"show servers state {self.name}"))

    def lead(self, wanted: dict) -> None:
        """The slot of each value of the header, in the running process and in the file that the next one begins with."""
        file = self.home / "match.map"
        self.home.mkdir(parents=True, exist_ok=True)
        replace(file, "".join(f"{exact} {slot}\n" for exact, slot in wanted.items()))
        shown = self.ask(f"show map {file}")
        if shown.startswith("Unknown map"):
            raise Answer(UNSUPPORTED, f"HAProxy does not read {file}; add the `use-server` line to backend {self.name}")
        known = dict(line.split()[1:3] for line in shown.splitlines() if len(line.split()) == 3)
        for exact, slot in wanted.items():
            if known.get(exact) != slot:
                self.tell(f"{'set' if exact in known else 'add'} map {file} {exact} {slot}")
        for exact in known.keys() - wanted.keys():
            self.tell(f"del map {file} {exact}")

    def arm(self, version: str, arm: dict) -> dict:
        # What HAProxy says, not what it was told: it may have been started anew.
        slot = self.slots.get(arm["slot"])
        serves = slot and not int(slot["srv_admin_state"]) & MAINTENANCE and int(slot["srv_port"]) == arm["port"]
        return {**super().arm(version, arm), "weight": int(slot["srv_uweight"]) if serves else 0}

    def tell(self, command: str) -> None:
        """A command that answers nothing, or says what it did."""
        said = self.ask(command).strip()
        if said and "changed" not in said and "no need to change" not in said:
            raise Answer(UNSUPPORTED, f"HAProxy refused {command!r}: {said}")

    def ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(self.settings["socket"])
            line.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: line.recv(65536), b"")).decode()


if __name__ == "__main__":
    sys.exit(main(HAProxy))
