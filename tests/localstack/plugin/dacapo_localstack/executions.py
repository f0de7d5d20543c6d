"""Stopping Step Functions executions. LocalStack's forget with which error and cause, and overhear a stop that comes
in the first moments of the execution or of a Wait.
"""

import time

from localstack.services.stepfunctions.asl.eval.environment import Environment
from localstack.services.stepfunctions.backend.execution import Execution
from localstack.utils.patch import patch


@patch(Execution.stop)
def keep_the_reason(stop, self, stop_date, error, cause):
    self.error, self.cause = error, cause
    while self.exec_worker and not self.exec_worker.env:  # its thread has just begun
        time.sleep(0.01)
    stop(self, stop_date, error, cause)


@patch(Environment.set_stop)
def stay_stopped(set_stop, self, *args, **kwargs):
    """A Wait that begins after the signal must see it too."""
    set_stop(self, *args, **kwargs)
    self.program_state_event.set()
