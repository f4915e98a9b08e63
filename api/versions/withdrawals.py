"""Withdraw reviews: from what is learned, from what is served, and from the model.

1. One transaction excludes the labels from training, and requests a run. The labels stay in the history.
2. A file of the model store says what was withdrawn. All processes stop answering with it within a second.
3. The run makes a version without the reviews: see `trainings` and `hate_speech_AI.forgetting`.
"""

from django.db.models import QuerySet

from hate_speech_AI.core import classifier
from hate_speech_AI.withdrawals import WithdrawalLog

from ..access.audit import COMMAND_LINE
from ..labels.models import Label
from ..labels.selectors import list_withdrawals
from ..labels.services import withdraw_labels
from ..web.transactions import retry_conflicts
from .models import TrainingRun
from .trainings import request_withdrawal, send_run


def withdraw_reviews(labels: QuerySet[Label], *, who: str = COMMAND_LINE) -> int:
    """Withdraw those of `labels` that are reviews, and return how many. The label that each tweet had before counts again."""
    ids, run = _exclude_reviews(labels, who)
    WithdrawalLog(classifier.store.root).append(list_withdrawals(ids))
    if run:
        send_run(run)
    return len(ids)


@retry_conflicts
def _exclude_reviews(labels: QuerySet[Label], who: str) -> tuple[list[int], TrainingRun | None]:
    """Return the ids of the labels that are excluded now, and the run that was requested for them, if it is new."""
    ids = withdraw_labels(labels, who=who)
    run, is_new = request_withdrawal() if ids else (None, False)
    return ids, run if is_new else None
