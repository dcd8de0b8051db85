from acme_bridge.tasks import Acme, AcmeSettings

from bridge.connector import SecretStr
from bridge.testing.connectors import ConnectorConformance
from bridge.testing.vendor import Answer


class TestAcme(ConnectorConformance):
    connector = Acme

    def settings(self, base_url, timeout):
        return AcmeSettings(api_key=SecretStr("k-123"), base_url=base_url, timeout=timeout)

    def item(self, action):
        return {"list": "sales", "title": "Call Ada"}

    def refused_item(self, action):
        return {"list": "no such list", "title": "Call Ada"}

    def vendor(self, action, request):
        if request.body["list"] == "no such list":
            return Answer(404, {"message": "no such list"})
        return Answer(201, {"id": 41})
