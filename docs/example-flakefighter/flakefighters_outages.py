"""Calls a failure flaky if a service that is often away could not be reached."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from flakefighters import Case, Confidence, Label, Verdict


class Settings(BaseModel):
    """What stands below ``[tool.flakefighters.fighters.outages]``."""

    model_config = ConfigDict(extra="forbid")

    #: Names of hosts, as failures show them.
    services: list[str] = Field(default_factory=list)


class Outages:
    """A connection to one of the services failed."""

    name = "outages"
    version = 1
    needs = frozenset()
    settings_model = Settings

    def __init__(self, settings: Settings | None = None) -> None:
        self._services = (settings or Settings()).services

    def judge(self, case: Case) -> Verdict | None:
        failure = case.failure
        if not (failure.exception or "").endswith(("ConnectionError", "Timeout", "TimeoutError")):
            return None
        away = [service for service in self._services if service in failure.text]
        if not away:
            return None
        return Verdict(
            label=Label.FLAKY,
            fighter=self.name,
            version=self.version,
            confidence=Confidence.FAIR,
            reason=f"could not reach {away[0]}, which is often away",
            evidence={"services": away},
        )
