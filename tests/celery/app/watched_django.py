"""The watched app with Django's tables beside it: `celery -A watched_django beat -S django`."""

import os
from importlib import import_module

import django
from django.conf import settings

settings.configure(
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django_celery_beat"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={
        "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["WATCHED_DATABASE"]}
    },
)
django.setup()

app = import_module("watched").app
