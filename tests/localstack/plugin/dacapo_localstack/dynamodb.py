"""DynamoDB in memory, by moto."""

import threading

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.forwarder import ForwardingFallbackDispatcher
from localstack.services.moto import dispatch_to_moto
from localstack.services.plugins import Service

# moto checks a condition and then writes, without a lock of its own. LocalStack serves each request on its own
# thread, so two conditional writes could both win.
ONE_AT_A_TIME = threading.Lock()


class Provider(DynamodbApi):
    """Implements nothing, so that every operation falls through to moto."""


def service() -> Service:
    return Service.for_provider(
        Provider(),
        dispatch_table_factory=lambda provider: ForwardingFallbackDispatcher(provider, forward),
    )


def forward(context, _request):
    """moto's answer as it is: parsed and written again, an error would lose its `Item` and `CancellationReasons`."""
    with ONE_AT_A_TIME:
        return dispatch_to_moto(context)
