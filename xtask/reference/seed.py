"""Makes the database and fills it: `seed.py BOOKS.json USERS PASSWORD`, with USERS users: user0, user1, and so on.

Prints an access token of user0.
"""

import json
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"

import django

django.setup()

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from rest_framework_simplejwt.tokens import AccessToken

from books.models import Book

books, users, password = sys.argv[1], int(sys.argv[2]), sys.argv[3]
call_command("migrate", run_syncdb=True, verbosity=0)
call_command("collectstatic", interactive=False, verbosity=0)
User.objects.bulk_create(User(username=f"user{n}", password=make_password(password)) for n in range(users))
owner = User.objects.get(username="user0")
with open(books, encoding="utf-8") as file:
    Book.objects.bulk_create((Book(owner=owner, **book) for book in json.load(file)), batch_size=1000)
print(AccessToken.for_user(owner))
