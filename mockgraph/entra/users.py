"""Who a person is, and how they prove it."""

from __future__ import annotations

from mockgraph.entra.clients import WRONG, is_one_of
from mockgraph.entra.directory import Directory, User
from mockgraph.entra.forms import Authority, Form
from mockgraph.entra.sign_in_errors import UserDisabled, UserNotFound, WrongPassword


def find_user(name: str, directory: Directory, authority: Authority) -> User:
    """The user of this name. Raises EntraError where there is none, or none who may sign in."""
    user = directory.user(name)
    if user is None:
        raise UserNotFound(name, authority.named)
    if not user.enabled:
        raise UserDisabled
    return user


def check_password(user: User, password: str) -> None:
    """Raises EntraError where it is not the user's; where they have none, any but one will do."""
    right = password != WRONG if user.password is None else is_one_of(password, [user.password])
    if not right:
        raise WrongPassword


def typed_user(typed: Form, directory: Directory, authority: Authority) -> User:
    """The user who signs in on a page, by a name and a password. Raises EntraError."""
    user = find_user(typed.get("username", ""), directory, authority)
    check_password(user, typed.get("password", ""))
    return user
