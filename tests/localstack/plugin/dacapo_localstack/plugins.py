"""Entry points. Modules are imported late, so that LocalStack pays only for what it uses."""

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin
from localstack.services.plugins import Service, aws_provider


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=process`"""

    name = "process"

    def load(self, *args, **kwargs):
        from dacapo_localstack import executions, mapping  # noqa: F401  (importing them applies their patches)
        from dacapo_localstack.executor import ProcessExecutor

        return ProcessExecutor


@aws_provider(api="dynamodb", name="moto")
def dynamodb_moto() -> Service:
    """`PROVIDER_OVERRIDE_DYNAMODB=moto`"""
    from dacapo_localstack.dynamodb import service

    return service()


@hooks.on_runtime_create()
def listen_on_loopback_only() -> None:
    from dacapo_localstack import serving  # noqa: F401  (importing it applies its patches)
