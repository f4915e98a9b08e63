"""Load the active version of a store, and load again when another is activated."""

import logging
import os
import threading

from .errors import HateSpeechError, ModelMissingError
from .libraries import list_libraries
from .store import ModelStore
from .version import Version
from .withdrawals import WithdrawalLog

logger = logging.getLogger(__name__)

FOLLOW_SECONDS = 0.5


class Follower:
    """Follows the pointer of a store in a thread of this process, and the reviews that are withdrawn.

    The thread reads the pointer twice a second. If it names another version, the thread loads that version and then exchanges one
    reference. So a request never waits for a load and never meets a half-loaded version. Likewise if reviews were withdrawn.

    Parameters
    ----------
    store : ModelStore
    """

    def __init__(self, store: ModelStore):
        self._store = store
        self._withdrawals = WithdrawalLog(store.root)
        self._stored: Version | None = None  # as it is stored
        self._loaded: Version | None = None  # without the reviews that were withdrawn since
        self._size = 0  # of the file of withdrawals then
        self._last_error: str | None = None
        self._lock = threading.Lock()
        self._process: int | None = None  # the process that the thread runs in
        self._stopped = threading.Event()

    def start(self) -> None:
        """Load the active version, if there is one, and start the thread. A second call does nothing."""
        with self._lock:
            if self._process == os.getpid():
                return
            self._refresh()
            threading.Thread(target=self._follow, name="follow-active-version", daemon=True).start()
            self._process = os.getpid()

    def stop(self) -> None:
        """Stop the thread before it reads the pointer again."""
        self._stopped.set()

    def current(self) -> Version:
        """Return the loaded version.

        Raises
        ------
        ModelMissingError
            No version is active yet.
        HateSpeechError
            The active version cannot be loaded, and no other was loaded before.
        """
        # A thread does not survive a fork: each process starts its own, once.
        if self._process != os.getpid():
            self.start()
        if self._loaded is None:
            with self._lock:
                self._refresh()  # so that the first version is served as soon as /score shows it
        if self._loaded is None:
            if self._last_error:
                raise HateSpeechError(self._last_error)
            raise ModelMissingError("The first training has not finished.")
        return self._loaded

    def _follow(self) -> None:
        while not self._stopped.wait(FOLLOW_SECONDS):
            try:
                self._refresh()
            except Exception:
                # Without this thread the process would serve its version for ever.
                logger.exception(
                    "The pointer to the active version could not be read; the next attempt is in %s s.", FOLLOW_SECONDS
                )

    def _refresh(self) -> None:
        """Load the version that the pointer names, unless it is loaded. If that fails, keep the version before it."""
        try:
            name, size = self._store.active(), self._withdrawals.measure()
            if name is None or (self._stored and (name, size) == (self._stored.name, self._size)):
                return
            stored = self._stored if self._stored and name == self._stored.name else self._store.load(name)
            if stored is not self._stored:
                stored.engine.judge(["ready?"])  # loads the encoder now, not in the first request
            loaded = self._withdrawals.apply(stored)
        except (HateSpeechError, OSError) as error:
            # Tried again at the next turn, since a shared folder may bring the files late. Logged once.
            if str(error) != self._last_error:
                logger.error("The active version cannot be served: %s", error)
                self._last_error = str(error)
            return
        is_new = stored is not self._stored
        self._stored, self._loaded, self._size = stored, loaded, size
        self._last_error = None
        if is_new:
            logger.info("Serving version %s%s", name, _describe_differences(loaded.manifest.get("libraries", {})))


def _describe_differences(written: dict[str, str]) -> str:
    """Return in words which installed libraries differ from those of the training; "" if none does."""
    here = list_libraries()
    others = [f"{library} {written[library]}" for library in written if library in here and written[library] != here[library]]
    return f", which was trained with {', '.join(others)}" if others else ""
