"""The clerk: does the imports and exports that screens ask for, so that no page waits for them."""

import logging
import signal
import threading
from collections.abc import Mapping
from functools import partial

from app.house import House, open_house
from app.services import exporting, importing
from app.supervisor import leave_with_parent
from core.jobs import JobKind
from db.work import Handler, work_forever


def handlers(house: House) -> Mapping[JobKind, Handler]:
    """What the clerk can do."""
    return {
        JobKind.IMPORT: partial(importing.handle, house),
        JobKind.EXPORT: partial(exporting.handle, house),
    }


def work() -> None:
    """Do jobs as they come, until told to stop; a job under way then goes back to the queue."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    leave_with_parent()
    # The same way out as Ctrl-C: the job in hand is released, and the clerk goes off the record.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    house = open_house()
    try:
        work_forever(house.database, handlers(house), "clerk", threading.Event())
    except KeyboardInterrupt:
        logging.getLogger(__name__).info("the clerk goes home")
