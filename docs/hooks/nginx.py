#!/usr/bin/env python3
"""Moves a model's traffic between backends of nginx: a hook for Tagship's target `exec`. Needs tagship_hook.py beside it.

    target: { exec: { command: ["./deploy/nginx.py", "deploy/nginx.json"] } }

Settings are those of `Backends` in tagship_hook.py, and

    "reload": ["nginx", "-s", "reload"]      makes nginx read its files again

Each model has an upstream of its name in directory/<model>/upstream.conf; include that in `http { }` and pass to it:

    include /srv/models/churn/upstream.conf;
    server { listen 80; location / { proxy_pass http://churn; } }

nginx shares by weighted round-robin: of any hundred requests to one worker every version gets exactly its share. It counts
nothing by version, so metrics need a source of their own.
"""

import subprocess
import sys

from tagship_hook import Backends, main, replace


class Nginx(Backends):
    def apply(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        served = [arm for arm in self.arms.values() if arm["weight"]]
        servers = [f"  server 127.0.0.1:{arm['port']} weight={arm['weight']};" for arm in served]
        # An upstream needs a server; this one answers 502 while nothing serves.
        lines = servers or ["  server 127.0.0.1:1 down;"]
        replace(self.home / "upstream.conf", "\n".join([f"upstream {self.name} {{", *lines, "}", ""]))
        subprocess.run(self.settings["reload"], check=True, stdout=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(Nginx))
