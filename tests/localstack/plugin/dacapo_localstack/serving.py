"""The server of LocalStack's own, from before it starts. It takes the port of `GATEWAY_LISTEN` and forgets the host.
It closes connections that are idle for a minute, and its services keep them to call each other: a call that is sent
just then is lost, and none of them tries it again.
"""

from functools import partial

from localstack.utils.patch import patch
from rolo.serving.twisted import TwistedGateway
from twisted.internet import endpoints

endpoints.TCP4ServerEndpoint = partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")


@patch(TwistedGateway.__init__)
def keep_idle_connections(init, self, gateway):
    init(self, gateway)
    self.timeOut = None
