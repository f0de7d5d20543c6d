"""DynamoDB in memory, by moto."""

import threading

from localstack.aws.api.dynamodb import DynamodbApi
from localstack.aws.forwarder import ForwardingFallbackDispatcher
from localstack.http import Response
from localstack.services.moto import dispatch_to_moto
from localstack.services.plugins import Service

# moto checks a condition and then writes, without a lock of its own. LocalStack serves each request on its own
# thread, so two conditional writes could both win.
ONE_AT_A_TIME = threading.Lock()
# Answers to transactions that succeeded, by their token: sent again, a transaction isn't carried out again.
# AWS forgets them after ten minutes; here they are kept.
TRANSACTIONS: dict[tuple[str, str, str], Response] = {}


class Provider(DynamodbApi):
    """Implements nothing, so that every operation falls through to moto."""


def service() -> Service:
    return Service.for_provider(
        Provider(),
        dispatch_table_factory=lambda provider: ForwardingFallbackDispatcher(provider, forward),
    )


def forward(context, request):
    """moto's answer as it is: parsed and written again, an error would lose its `Item` and `CancellationReasons`."""
    token = request.get("ClientRequestToken")
    key = (context.account_id, context.region, token)
    with ONE_AT_A_TIME:
        if token and key in TRANSACTIONS:
            return TRANSACTIONS[key]
        response = dispatch_to_moto(context)
        if token and response.status_code == 200:
            TRANSACTIONS[key] = response
        return response
