"""What the pages about people and workspaces ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordResetForm, UserCreationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.utils.translation import gettext as _, gettext_lazy as lazy

from auditapp import mail
from auditapp.forms.answers import PageForm, dress
from auditapp.models import Membership
from auditapp.people import accounts, share_links

ROLE_CHOICES = [
    ("viewer", lazy("Viewer: reads, downloads and verifies")), ("analyst", lazy("Analyst: also uploads, runs and cancels")),
    ("reviewer", lazy("Reviewer: a viewer who also makes statements and signs off")), ("owner", lazy("Owner: everything, with members, tokens and deletion")),
]
assert [role for role, _words in ROLE_CHOICES] == Membership.Role.values


def dressed(form: Any) -> Any:
    """One of Django's own forms in the look of the others."""
    form.label_suffix = ""
    form.use_required_attribute = False
    for field in form.fields.values():
        dress(field)
    return form


def printable(text: str) -> None:
    if not text.isprintable():
        raise ValidationError(_("Use printable characters only."))


class WorkspaceNameForm(PageForm):
    name = forms.CharField(label=lazy("Name of the workspace"), max_length=200, validators=[printable], error_messages={"required": lazy("Give it a name")},
                           widget=forms.TextInput(attrs={"class": "w-mid"}))


class RetentionForm(PageForm):
    days = forms.TypedChoiceField(label=lazy("Delete tables that no run has used for"), required=False, coerce=int, empty_value=None, widget=forms.Select(attrs={"class": "form-select w-mid"}), choices=[
        ("", lazy("never delete by itself")), ("30", lazy("30 days")), ("90", lazy("90 days")), ("180", lazy("180 days")), ("365", lazy("a year")), ("730", lazy("two years"))])


class DeletionForm(PageForm):
    typed = forms.CharField(label=lazy("Type the name of the workspace"), max_length=200, error_messages={"required": lazy("Type its name, so that nothing is deleted by a slip")},
                            widget=forms.TextInput(attrs={"class": "w-mid", "autocomplete": "off", "spellcheck": "false"}))

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name

    def clean_typed(self) -> str:
        if self.cleaned_data["typed"] != self.name.strip():
            raise ValidationError(_("This is not the name of the workspace."))
        return self.name


class InvitationForm(PageForm):
    email = forms.EmailField(label=lazy("E-mail address"), max_length=254, error_messages={"required": lazy("Say whom to invite")},
                             widget=forms.EmailInput(attrs={"class": "w-mid", "autocomplete": "off"}))
    role = forms.ChoiceField(label=lazy("Role"), choices=ROLE_CHOICES, initial="viewer", widget=forms.RadioSelect, error_messages={"required": lazy("Choose a role")})


class RoleForm(PageForm):
    role = forms.ChoiceField(choices=ROLE_CHOICES)


class NewPersonForm(UserCreationForm):
    """The account of somebody who was invited: name and password, by Django's own rules."""

    class Meta:
        model = User
        fields = ("username",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)


class EmailForm(PageForm):
    email = forms.EmailField(label=lazy("E-mail address"), max_length=254, required=False, help_text=lazy("Where a link goes when you forget your password, and notices if you want them, once you have opened the link that is mailed to it. Left empty, there are none."),
                             widget=forms.EmailInput(attrs={"class": "w-mid", "autocomplete": "email"}))
    password = forms.CharField(label=lazy("Your present password"), strip=False, required=False, widget=forms.PasswordInput(attrs={"class": "w-mid", "autocomplete": "current-password"}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, initial={"email": user.email}, **kwargs)
        self.user = user
        if not user.has_usable_password():
            del self.fields["password"]

    def clean_password(self) -> None:
        """Asked, since whoever holds the address can have the password reset."""
        if not self.user.check_password(self.cleaned_data["password"]):
            raise ValidationError(_("This is not your present password."))


class NoticesForm(PageForm):
    notices = forms.ChoiceField(label=lazy("Send me a mail when a run has ended"), widget=forms.RadioSelect, error_messages={"required": lazy("Choose one")}, choices=[
        ("none", lazy("Never")), ("mine", lazy("When I started it")), ("all", lazy("Every run of my workspaces"))])


class ShareForm(PageForm):
    name = forms.CharField(label=lazy("For whom is it?"), max_length=200, validators=[printable], error_messages={"required": lazy("Say for whom the link is")}, widget=forms.TextInput(attrs={"class": "w-mid"}))
    days = forms.IntegerField(label=lazy("It ends after this many days"), min_value=1, max_value=share_links.MOST_DAYS, initial=14, widget=forms.NumberInput(attrs={"class": "w-short"}))


class CodeForm(PageForm):
    code = forms.CharField(label=lazy("Code"), max_length=64, error_messages={"required": lazy("Type the code that your app shows")},
                           widget=forms.TextInput(attrs={"class": "w-mid", "autocomplete": "one-time-code", "spellcheck": "false"}))


class ForgottenPasswordForm(PasswordResetForm):
    """Django's form; the mail is ours, in words and in how often."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dressed(self)

    def get_users(self, email: str) -> Iterator[User]:
        """Of those with this address the ones that have proved it."""
        return (user for user in super().get_users(email) if accounts.mail_address(user))

    def send_mail(self, subject_template_name: str, email_template_name: str, context: dict[str, Any], from_email: str | None, to_email: str, html_email_template_name: str | None = None) -> None:
        if accounts.may_mail(context["user"]):
            mail.hand_over(EmailMessage(_("A new password for Plumbline"), render_to_string("mail/new_password.txt", context), to=[to_email]))
