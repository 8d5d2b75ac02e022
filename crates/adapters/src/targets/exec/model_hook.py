#!/usr/bin/env python3
"""A hook that serves nothing and remembers everything: what the suite of the port asks, in a file beside it."""

import json
import sys
from pathlib import Path

APPLIED, THERE, CONFLICT, FENCED, NOT_LOADED = 0, 10, 12, 14, 15
STATE = Path(__file__).parent / "state.json"


def main() -> int:
    ask = json.load(sys.stdin)
    if ask["verb"] == "capabilities":
        print(json.dumps({"weights": True, "matches": True}))
        return APPLIED
    state = json.loads(STATE.read_text()) if STATE.exists() else {"fence": 0, "arms": {}, "match": None}
    arms = state["arms"]
    if ask["verb"] == "observe":
        shown = [{"version": v, "digest": a["digest"], "ready": True, "weight": a["weight"]} for v, a in arms.items()]
        print(json.dumps({"arms": shown}))
        return APPLIED
    if ask["fence"] < state["fence"]:
        return FENCED
    before = json.dumps(state | {"fence": 0}, sort_keys=True)
    code = act(ask, arms, state)
    if code != APPLIED:
        return code
    state["fence"] = ask["fence"]
    STATE.write_text(json.dumps(state))
    return THERE if json.dumps(state | {"fence": 0}, sort_keys=True) == before else APPLIED


def act(ask: dict, arms: dict, state: dict) -> int:
    verb, version = ask["verb"], ask.get("version")
    if verb == "prepare":
        there = arms.get(version)
        if there and there["digest"] != ask["digest"]:
            return CONFLICT
        arms.setdefault(version, {"digest": ask["digest"], "weight": 0})
    elif verb == "cleanup":
        if arms.get(version, {}).get("weight") or (state["match"] or {}).get("version") == version:
            return CONFLICT
        arms.pop(version, None)
    elif verb in ("promote", "set-weight"):
        if version not in arms:
            return NOT_LOADED
        state["match"] = state["match"] if verb == "set-weight" else None
        weight = ask["weight"] if verb == "set-weight" else 100
        others = [v for v in arms if v != version and arms[v]["weight"]]
        for other in others:
            arms[other]["weight"] = 100 - weight if other == others[0] else 0
        arms[version]["weight"] = weight
    elif verb == "rollback":
        if ask["to"] is not None and ask["to"] not in arms:
            return NOT_LOADED
        state["match"] = None
        for other in arms:
            arms[other]["weight"] = 100 if other == ask["to"] else 0
    elif verb == "route":
        match = ask.get("match")
        if match and match["version"] not in arms:
            return NOT_LOADED
        state["match"] = match
    return APPLIED


sys.exit(main())
