"""Pages of imports: choose a file, match its columns, look at the dry run, bring it in, undo it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField

from chassis.errors import InvalidArgument
from chassis.typed.names import full_name
from chassis.web.formatting import plural, zone
from chassis.web.forms import Form
from chassis.web.tripwire import says_of_file_names
from services.crm.core.addresses import page_number, same_list
from services.crm.core.export import table_response
from services.crm.core.forms import do_and_say
from services.crm.core.parts import core
from services.crm.core.web import current_agent, login_required
from services.crm.sales.clients.rules import ClientData
from services.crm.sales.clients.service import ClientDetail
from services.crm.sales.importing.columns import TARGET_WORDS, Target
from services.crm.sales.importing.matching import POLICY_WORDS, Likeness, Policy
from services.crm.sales.importing.pairs import (
    DECISION_WORDS,
    KEPT_WHOLE,
    OUTCOME_WORDS,
    Decision,
    Pair,
    Sides,
    in_these,
)
from services.crm.sales.importing.rows import Reading, ReadRow, Refused, read_row
from services.crm.sales.importing.rules import MAX_BYTES, STATE_WORDS, ClientImport, ImportState
from services.crm.sales.importing.service import Imports
from services.crm.sales.importing.tables import ENCODINGS, SEPARATORS, Layout, NotATable, Table
from services.crm.sales.merging.rules import Side
from services.crm.sales.parts import sales

blueprint = Blueprint("importing", __name__, template_folder="templates", url_prefix="/clients/import")

_PREVIEWED = 8
_EXAMPLES = 3
# Letters of a row among those to choose from.
_SHOWN = 60


class FileForm(Form):
    """The file to bring in."""

    file = FileField("File")


def _imports() -> Imports:
    return sales().imports


@blueprint.route("", methods=["GET", "POST"])
@login_required
@says_of_file_names
def start() -> ResponseReturnValue:
    """Takes a file; lists what was brought in before."""
    form = FileForm()
    if form.validate_on_submit():
        upload = request.files.get("file")
        content = upload.stream.read(MAX_BYTES + 1) if upload else b""
        try:
            if not upload or not content:
                raise InvalidArgument("Choose a .csv or .vcf file.", field="file")
            made = _imports().upload(current_agent(), upload.filename or "clients", content)
        except InvalidArgument as error:
            form.refuse(error.field or "file", error.message)
        else:
            return redirect(url_for("importing.show", import_id=made.id), 303)
    past = _imports().list_own(current_agent())
    page = render_template("importing/start.html", form=form, past=past, states=STATE_WORDS, most=MAX_BYTES)
    return page, 422 if form.errors else 200


@blueprint.get("/<id:import_id>")
@login_required
def show(import_id: str) -> ResponseReturnValue:
    """The import as it stands; while the worker has it, the page asks for itself again."""
    found = _imports().get(current_agent(), import_id)
    if found.state is ImportState.UPLOADED:
        return redirect(url_for("importing.columns", import_id=import_id), 303)
    template = "importing/_state.html" if "HX-Request" in request.headers else "importing/show.html"
    return render_template(
        template,
        found=found,
        states=STATE_WORDS,
        policies=[(policy.value, words) for policy, words in POLICY_WORDS.items()],
        can_undo=found.can_undo(core().clock.now()),
        alike=sales().comparisons.alike(current_agent(), import_id),
        kept=_kept(import_id) if found.state is ImportState.UNDONE else [],
    )


@blueprint.route("/<id:import_id>/columns", methods=["GET", "POST"])
@login_required
def columns(import_id: str) -> ResponseReturnValue:
    """Which column holds what, with examples and the first rows as they would come out."""
    actor, form = current_agent(), Form()
    found = _imports().get(actor, import_id)
    layout = _typed_layout(found.layout) if form.is_submitted() else found.layout
    try:
        _, table = _imports().table(actor, import_id, layout)
    except NotATable as error:
        form.refuse("", str(error))
        layout = found.layout
        _, table = _imports().table(actor, import_id)
    reading = _reading(found, table)
    if "check" in request.form and form.validate_on_submit() and not form.errors:
        try:
            _imports().check(actor, import_id, layout, reading)
        except (InvalidArgument, NotATable) as error:
            form.refuse("", str(error))
        else:
            return redirect(url_for("importing.show", import_id=import_id), 303)
    page = render_template(
        "importing/columns.html",
        form=form,
        found=found,
        layout=layout,
        reading=reading,
        columns=_columns(table, reading),
        preview=_preview(table, reading),
        total=len(table.rows),
        beginning=_beginning(table),
        above=sum(number < layout.header for number in table.beginning),
        encodings=ENCODINGS,
        separators=SEPARATORS,
        targets=TARGET_WORDS,
    )
    return page, 422 if form.form_errors else 200


@blueprint.route("/<id:import_id>/similar", methods=["GET", "POST"])
@login_required
def similar(import_id: str) -> ResponseReturnValue:
    """Rows beside whom they look like, a page at a time; what is chosen is kept at once, without scripts with the
    page's button. Once the rows are brought in, what became of each."""
    actor, differs, number = current_agent(), request.args.get("differs"), page_number()
    found = _imports().get(actor, import_id)
    page = sales().comparisons.page(actor, import_id, number, differs)
    if request.method == "POST":
        try:
            sales().comparisons.decide(actor, import_id, _decisions(page.items))
        except InvalidArgument as error:
            flash(error.message, "alert")
        if "HX-Request" in request.headers:
            return "", 204
        there = min(number + 1, page.last) if "next" in request.form else number
        return redirect(url_for("importing.similar", import_id=import_id, differs=differs, page=there), 303)
    return render_template(
        "importing/similar.html",
        found=found,
        page=page,
        differs=differs,
        alike=sales().comparisons.alike(actor, import_id),
        decisions=DECISION_WORDS,
        outcomes=OUTCOME_WORDS,
        policies={likeness: POLICY_WORDS[policy] for likeness, policy in found.policies.items()},
        same_list=same_list,
    )


@blueprint.post("/<id:import_id>/similar/all")
@login_required
def similar_all(import_id: str) -> ResponseReturnValue:
    """One decision for all rows that differ in the same fields, or for all there are."""
    differs = None if request.form.get("all") else request.form.get("differs", "")
    choice = request.form.get("decision", "")
    decision = Decision.UPDATE if choice in ("take", "keep") else _decision(choice)
    do_and_say(
        lambda: sales().comparisons.decide_all(
            current_agent(), import_id, differs, decision, take_files=choice == "take"
        ),
        lambda count: f"Decided for {plural(count, 'row')}.",
    )
    return redirect(url_for("importing.similar", import_id=import_id), 303)


@blueprint.post("/<id:import_id>/run")
@login_required
def run(import_id: str) -> ResponseReturnValue:
    """Brings the rows in, with what is to become of clients who are known."""
    policies = {likeness: _policy(request.form.get(f"policy-{likeness.value}", "")) for likeness in Likeness}
    return _step(import_id, lambda: _imports().run(current_agent(), import_id, policies))


@blueprint.post("/<id:import_id>/undo")
@login_required
def undo(import_id: str) -> ResponseReturnValue:
    """Takes back what nobody changed since."""
    return _step(import_id, lambda: _imports().undo(current_agent(), import_id))


@blueprint.get("/<id:import_id>/refused.csv")
@login_required
def refused(import_id: str) -> ResponseReturnValue:
    """The rows that were refused, and why."""
    header, rows = _imports().refused_rows(current_agent(), import_id, core().clock.now().date())
    return table_response("refused-rows", header, rows)


def _kept(import_id: str) -> list[tuple[ClientDetail, str]]:
    """Who is not as before the import, and which fields somebody had changed since; empty = the client as a whole."""
    kept = sales().comparisons.kept_by_undo(current_agent(), import_id)
    clients = {each.id: each for each in sales().clients.named(current_agent(), [client_id for client_id, _ in kept])}
    return [
        (clients[client_id], "" if fields == KEPT_WHOLE else in_these(fields))
        for client_id, fields in kept
        if client_id in clients
    ]


def _step(import_id: str, act: Callable[[], None]) -> ResponseReturnValue:
    try:
        act()
    except InvalidArgument as error:
        flash(error.message, "alert")
    return redirect(url_for("importing.show", import_id=import_id), 303)


def _decisions(pairs: Sequence[Pair]) -> dict[int, tuple[Decision | None, Sides]]:
    """What the form says of the page's rows; of those that it doesn't speak of, nothing."""
    found: dict[int, tuple[Decision | None, Sides]] = {}
    for pair in pairs:
        if (text := request.form.get(f"decision-{pair.place}")) is not None:
            sides = {choice.field: request.form.get(f"side-{pair.place}-{choice.field}", "") for choice in pair.choices}
            chosen = {field: Side(side) for field, side in sides.items() if side in list(Side)}
            found[pair.place] = (_decision(text), chosen)
    return found


def _decision(text: str) -> Decision | None:
    return Decision(text) if text in list(Decision) else None


def _policy(text: str) -> Policy:
    return Policy(text) if text in list(Policy) else Policy.SKIP


def _typed_layout(known: Layout) -> Layout:
    """How the agent says that the file is to be read."""
    if known.is_vcards:
        return known
    encoding, separator = request.form.get("encoding", ""), request.form.get("separator", "")
    return Layout(
        encoding=encoding if encoding in ENCODINGS else known.encoding,
        separator=separator if separator in SEPARATORS else known.separator,
        header=_typed_header(known.header),
    )


def _typed_header(known: int) -> int:
    number = request.form.get("header", "")
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else known


def _reading(found: ClientImport, table: Table) -> Reading:
    """What was chosen for each column, what was kept, or else a guess."""
    typed = [request.form.get(f"target-{at}") for at in range(len(table.header))]
    if "check" in request.form and all(each is not None for each in typed):
        targets = tuple(Target(each) if each in list(Target) else Target.IGNORE for each in typed)
        return Reading(targets=targets, day_first=request.form.get("days") == "day")
    kept = found.reading
    if kept is not None and len(kept.targets) == len(table.header) and not request.form:
        return kept
    guessed = _imports().guess(table, day_first=not zone().key.startswith("America/"))
    return replace(guessed, day_first=request.form["days"] == "day") if request.form.get("days") else guessed


def _beginning(table: Table) -> list[tuple[int, str]]:
    """The file's first rows, to choose from: number and what stands in it."""
    return [(number, " · ".join(filter(None, map(str.strip, row)))[:_SHOWN]) for number, row in table.beginning.items()]


def _columns(table: Table, reading: Reading) -> list[tuple[str, Target, list[str]]]:
    """Each column with its target and a few examples."""
    found = []
    for at, (name, target) in enumerate(zip(table.header, reading.targets, strict=True)):
        cells = dict.fromkeys(row[at].strip()[:60] for row in table.rows[:200] if row[at].strip())
        found.append((name, target, list(cells)[:_EXAMPLES]))
    return found


def _preview(table: Table, reading: Reading) -> list[tuple[int, str, ClientData | Refused, str]]:
    today = core().clock.now().date()
    found: list[tuple[int, str, ClientData | Refused, str]] = []
    for at, cells in enumerate(table.rows[:_PREVIEWED]):
        read = read_row(cells, reading, table.header, today)
        if isinstance(read, ReadRow):
            name = full_name(read.data.first_name, read.data.last_name)
            belongs = ", ".join(each for each in (read.company, read.household) if each)
            found.append((at + table.first_row, name, read.data, belongs))
        else:
            found.append((at + table.first_row, "", read, ""))
    return found
