"""A scheduler of Beat's that hangs for as long as a file is there: `celery beat -S stuck:...`."""

import os
import time
from typing import Any

from celery.beat import PersistentScheduler


class StuckScheduler(PersistentScheduler):  # type: ignore[misc]  # Celery has no types
    def apply_async(self, *args: Any, **kwargs: Any) -> Any:
        while os.path.exists(os.environ["SHOP_BLOCK"]):
            time.sleep(0.1)
        return super().apply_async(*args, **kwargs)
