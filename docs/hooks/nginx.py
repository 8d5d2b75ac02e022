#!/usr/bin/env python3
"""Moves a model's traffic between backends of nginx: a hook for Tagship's target `exec`. Needs tagship_hook.py beside it.

    target: { exec: { command: ["./deploy/nginx.py", "deploy/nginx.json"] } }

Settings are those of `Backends` in tagship_hook.py, and

    "reload": ["nginx", "-s", "reload"]      makes nginx read its files again

Each model has an upstream of its name in directory/<model>/upstream.conf; include that in `http { }` and pass to it:

    include /srv/models/churn/upstream.conf;
    server { listen 80; location / { proxy_pass http://churn; } }

An A/B test by `match` needs one setting more, `"match": true`, and a server that passes to the variable that the hook sets
from the header, `$<model>_route` with `_` for what no variable's name may hold:

    server { listen 80; location / { proxy_pass http://$churn_route; } }

nginx shares by weighted round-robin: of any hundred requests to one worker every version gets exactly its share. It counts
nothing by version, so metrics need a source of their own.
"""

import re
import subprocess
import sys

from tagship_hook import UNSUPPORTED, Answer, Backends, main, replace


class Nginx(Backends):
    matches = True

    def order_route(self, ask: dict) -> None:
        header = (ask.get("match") or {}).get("header", "")
        if not re.fullmatch("[a-z0-9-]*", header):
            raise Answer(UNSUPPORTED, f"nginx has no variable for the header {header}")
        super().order_route(ask)

    def apply(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        served = [arm for arm in self.arms.values() if arm["weight"]]
        servers = [f"  server 127.0.0.1:{arm['port']} weight={arm['weight']};" for arm in served]
        # An upstream needs a server; this one answers 502 while nothing serves.
        lines = servers or ["  server 127.0.0.1:1 down;"]
        text = [f"upstream {self.name} {{", *lines, "}", *self.route(), ""]
        replace(self.home / "upstream.conf", "\n".join(text))
        subprocess.run(self.settings["reload"], check=True, stdout=sys.stderr)

    def route(self) -> list[str]:
        """The upstream of each request, as a variable. A plain value of a `map` would ignore case; a pattern does not."""
        source, lines = '""', []
        if self.match:
            source = "$http_" + self.match["header"].replace("-", "_")
            exact = "".join(c if c.isalnum() else f"\\x{ord(c):02x}" for c in self.match["exact"])
            lines = [f'  "~^{exact}$" {self.name}_matched;']
        variable = "$" + re.sub(r"\W", "_", self.name) + "_route"
        route = [f"map {source} {variable} {{", *lines, f"  default {self.name};", "}"]
        if not self.match:
            return route
        port = self.arms[self.match["version"]]["port"]
        return [f"upstream {self.name}_matched {{", f"  server 127.0.0.1:{port};", "}", *route]


if __name__ == "__main__":
    sys.exit(main(Nginx))
