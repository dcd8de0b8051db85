"""Acme Tasks: a task for somebody to do."""

from typing import ClassVar

from bridge.connector import (
    Call,
    Connector,
    ConnectorSettings,
    Field,
    Halted,
    Item,
    JsonApi,
    NonEmpty,
    Rate,
    SecretStr,
    action,
)


class AcmeSettings(ConnectorSettings):
    api_key: SecretStr | None = Field(None, description='From Acme\'s page "Integrations".')


class CreateTask(Item):
    list: NonEmpty = Field(description="The name of a task list.")
    title: NonEmpty = Field(description="What is to be done.")
    example: ClassVar = {"list": "sales", "title": "Call {{ contact.name }}"}

    def body(self) -> dict[str, str]:
        # Acme answers a known external_id with the task that is there: twice is once.
        return {"list": self.list, "title": self.title, "external_id": self.delivery_id}


def preview(settings: AcmeSettings, item: CreateTask) -> list[Call]:
    return [Call("POST", "/v1/tasks", body=item.body())]


class Acme(Connector):
    """One Acme workspace."""

    name, title, Settings, rates = "acme", "Acme Tasks", AcmeSettings, (Rate(10, 1.0),)

    @action(CreateTask, preview=preview, lane="list")
    def create_task(self, items):
        """Create a task in a list."""
        if self.settings.api_key is None:
            raise Halted("no API key is set; put one into `api_key` of this account")
        key = {"Authorization": f"Bearer {self.settings.api_key.get_secret_value()}"}
        host = self.settings.base_url or "https://api.acme.example"
        api = JsonApi("Acme", host, key, self.pacer, self.settings.timeout)
        return [api.send("POST", "/v1/tasks", item.body()) for item in items]
