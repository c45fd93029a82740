"""`paved token`, `paved session` and `paved audit`: who may, who is there, and who did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from pavedroad.access.model import Role
from pavedroad.cli.client import Client, segment
from pavedroad.cli.clusters import age
from pavedroad.cli.commands import group
from pavedroad.cli.rows import Rows
from pavedroad.cli.screen import AsJson, note, result, say, show

app = group(help="Tokens for the API: make, list and revoke them.")

_AUDIT = ("WHEN", "WHO", "AS", "ACTION", "SUBJECT", "OUTCOME", "REASON")
sessions = group(help="Browsers that are signed in: list and end them.")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will use it, e.g. ci.")],
    role: Annotated[
        list[Role] | None,
        typer.Option("--role", help="What it may do; may repeat. Default: deployer."),
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Days until it expires; default: never.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token; its secret is shown this once."""
    expires_at = (datetime.now(UTC) + timedelta(days=days)).isoformat() if days else None
    body = {"name": name, "roles": role or [Role.DEPLOYER], "expires_at": expires_at}
    made = Client.here().post("/v1/tokens", body)
    if as_json:
        result(made)
        return
    note(
        f"{made['token']['id']}, for {', '.join(made['token']['roles'])}. This is the only time it is shown:"
    )
    say(made["secret"])


@app.command("list")
def list_tokens(as_json: AsJson = False) -> None:
    """The tokens, without their secrets."""
    found = Client.here().get("/v1/tokens")
    if as_json:
        result(found)
        return
    rows = Rows("ID", "NAME", "ROLES", "AGE", "MADE BY", "STATE", spare=("MADE BY", "AGE"))
    for token in found:
        state = (
            "revoked"
            if token["revoked_at"]
            else f"until {token['expires_at']}"
            if token["expires_at"]
            else "good"
        )
        roles = ", ".join(token["roles"])
        rows.add(token["id"], token["name"], roles, age(token["created_at"]), token["created_by"], state)
    show(rows)


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="Its id.")], as_json: AsJson = False
) -> None:
    """Make a token worthless, at once, with the sessions that stem from it."""
    done = Client.here().delete(f"/v1/tokens/{segment(token)}")
    result(done) if as_json else say(f"{token} is revoked.")


@sessions.command("list")
def list_sessions(as_json: AsJson = False) -> None:
    """The browsers that are signed in; an administrator sees everybody's."""
    found = Client.here().get("/v1/sessions")
    if as_json:
        result(found)
        return
    if not found:
        say("No browser is signed in. `paved open` signs one in.")
        return
    rows = Rows("ID", "WHO", "TOKEN", "FROM", "AGE", "SEEN", "BROWSER", beneath=("BROWSER",))
    for it in found:
        seen = age(it["seen_at"])
        rows.add(
            it["id"], it["name"], it["token_id"], it["remote"], age(it["created_at"]), seen, it["browser"]
        )
    show(rows)


@sessions.command("end")
def end_session(
    session: Annotated[str, typer.Argument(metavar="ID", help="Its id.")], as_json: AsJson = False
) -> None:
    """Sign a browser out, at once."""
    done = Client.here().delete(f"/v1/sessions/{segment(session)}")
    result(done) if as_json else say(f"{session} has ended.")


def audit(
    who: Annotated[str | None, typer.Option("--who", help="Only what this one did.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="Only this action, e.g. deploy.")] = None,
    subject: Annotated[str | None, typer.Option("--subject", help="Only what was done to this.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """What was done, by whom, to what, and how it ended; newest first."""
    found = Client.here().get("/v1/audit", principal=who, action=action, subject=subject, limit=limit)
    if as_json:
        result(found)
        return
    rows = Rows(*_AUDIT, beneath=("REASON",), spare=("AS",))
    for entry in found["entries"]:
        when = datetime.fromisoformat(entry["at"]).strftime("%Y-%m-%d %H:%M:%S")
        reason = str(entry["detail"].get("reason", ""))
        by = f"{entry['kind']} {entry['actor_id']}".rstrip()
        rows.add(when, entry["principal"], by, entry["action"], entry["subject"], entry["outcome"], reason)
    show(rows)
