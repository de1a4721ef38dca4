"""Argon2id at the cost that Coffer's default has."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id19MiB(Argon2PasswordHasher):
    memory_cost = 19_456
    time_cost = 2
    parallelism = 1
