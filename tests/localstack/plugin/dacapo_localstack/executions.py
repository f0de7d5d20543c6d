"""Step Functions executions. LocalStack forgets with which error and cause one was stopped."""

from localstack.services.stepfunctions.backend.execution import Execution
from localstack.utils.patch import patch


@patch(Execution.stop)
def keep_the_reason(stop, self, stop_date, error, cause):
    self.error, self.cause = error, cause
    stop(self, stop_date, error, cause)
