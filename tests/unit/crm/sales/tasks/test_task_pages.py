"""Tasks: listed, changed, removed after a question, done and undone."""

from datetime import date, timedelta

from tests.support.crm_paying import CrmHouse


def test_all_tasks_are_listed_by_state_and_found_by_words(crm: CrmHouse) -> None:
    tasks, browser = crm.deps.sales.tasks, crm.browser(crm.maya)
    today = crm.clock.now().date()
    tasks.add(crm.maya, crm.alan_id, "Call about the cabin", today + timedelta(days=3))
    late = tasks.add(crm.maya, crm.grace_id, "Send the visa form", today - timedelta(days=3))
    done = tasks.add(crm.maya, crm.grace_id, "Book the transfer", None)
    tasks.done(crm.maya, done.id)
    page = browser.get("/tasks").text
    assert page.index(late.title) < page.index("Call about the cabin")
    assert f"Undo: {done.title}" in page, "what was ticked off a moment ago can be taken back here"
    overdue = browser.get("/tasks?state=overdue").text
    assert late.title in overdue
    assert "Call about the cabin" not in overdue
    assert done.title in browser.get("/tasks?state=done").text
    assert "Call about the cabin" in browser.get("/tasks?q=turing+CABIN").text
    assert "No task matches" in browser.get("/tasks?q=nothing").text
    lines = browser.get("/tasks/tasks.csv?state=overdue").text.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Send the visa form,Grace Hopper,")
    assert "Nothing is left to do" in crm.browser(crm.ada).get("/tasks").text


def test_a_task_is_changed_and_removed_after_a_question(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    task = crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Cal about the cabin", None)
    assert "Remove “Cal about the cabin”?" in browser.get(f"/tasks/{task.id}").text
    refused = browser.post(f"/tasks/{task.id}", {"title": " ", "due_on": "2026-12-24"})
    assert refused.status_code == 422
    assert 'value="2026-12-24"' in refused.text
    assert browser.post(f"/tasks/{task.id}", {"title": "Call", "due_on": "2026-12-24"}).status_code == 303
    saved = crm.deps.sales.tasks.get_own(crm.maya, task.id)
    assert (saved.title, saved.due_on) == ("Call", date(2026, 12, 24))
    assert browser.post(f"/tasks/{task.id}/remove").status_code == 303
    assert browser.get(f"/tasks/{task.id}").status_code == 404
    assert crm.deps.sales.tasks.on_desk(crm.maya)[0] == []


def test_a_task_is_added_from_the_dashboard_for_whoever_is_named(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    assert "Add task" in browser.get("/").text
    typed = {"title": "Ask about the visa", "client": "alan turing", "due_on": "2026-12-24", "from": "dashboard"}
    added = browser.post("/tasks/new", typed)
    assert (added.status_code, added.location) == (303, "/")
    (task,) = crm.deps.sales.tasks.on_desk(crm.maya)[0]
    assert (task.client_id, task.title, task.due_on) == (crm.alan_id, "Ask about the visa", date(2026, 12, 24))


def test_where_several_clients_are_meant_one_is_chosen_and_nobody_elses_is_found(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    typed = {"title": "Send the brochure", "client": "client.example"}
    asked = browser.post("/tasks/new", typed)
    assert asked.status_code == 422
    assert f'value="{crm.grace_id}"' in asked.text
    assert 'value="Send the brochure"' in asked.text
    assert crm.deps.sales.tasks.on_desk(crm.maya)[0] == []
    assert browser.post("/tasks/new", typed | {"chosen": crm.grace_id}).status_code == 303
    assert crm.deps.sales.tasks.on_desk(crm.maya)[0][0].client_id == crm.grace_id
    theirs = crm.browser(crm.jonas).post("/tasks/new", typed)
    assert theirs.status_code == 422
    assert "None of your clients is found by this" in theirs.text
    assert crm.browser(crm.jonas).post("/tasks/new", typed | {"chosen": crm.grace_id}).status_code == 422


def test_what_was_ticked_off_by_mistake_is_taken_back_where_it_was_done(crm: CrmHouse) -> None:
    browser = crm.browser(crm.maya)
    task = crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Call about the cabin", None)
    assert browser.post(f"/tasks/{task.id}/done", {"from": "list"}).location == "/tasks"
    assert "Undo: Call about the cabin" in browser.get("/tasks").text
    browser.post(f"/tasks/{task.id}/undo", {"from": "list"})
    assert [each.id for each in crm.deps.sales.tasks.on_desk(crm.maya)[0]] == [task.id]


def test_several_tasks_are_done_after_they_were_named_and_taken_up_again(crm: CrmHouse) -> None:
    tasks, browser = crm.deps.sales.tasks, crm.browser(crm.maya)
    first = tasks.add(crm.maya, crm.alan_id, "Call about the cabin", None)
    second = tasks.add(crm.maya, crm.grace_id, "Send the visa form", None)
    listed = browser.get("/tasks?ticked=all").text
    assert listed.count(" checked") == 2, "without scripts a link ticks the whole page"
    picks = {"pick": [first.id, second.id], "do": "done", "list": "sort=client&q=a"}
    asked = browser.post("/tasks/act", picks).text
    assert "Are 2 tasks done?" in asked
    assert "Call about the cabin" in asked
    assert 'href="/tasks?sort=client&amp;q=a"' in asked
    assert tasks.get_own(crm.maya, first.id).done_at is None, "nothing happens before it was named"
    told = browser.post("/tasks/act", picks | {"sure": "yes"}).text
    assert "2 tasks done" in told
    assert "Send the visa form (Grace Hopper)" in told
    assert tasks.get_own(crm.maya, second.id).done_at is not None
    assert "2 tasks taken up again" in browser.post("/tasks/act", picks | {"do": "undo"}).text
    assert tasks.get_own(crm.maya, first.id).done_at is None


def test_nobody_ticks_off_somebody_elses_tasks_and_no_tick_does_nothing(crm: CrmHouse) -> None:
    task = crm.deps.sales.tasks.add(crm.maya, crm.alan_id, "Call about the cabin", None)
    for actor in (crm.jonas, crm.ada):
        answer = crm.browser(actor).post("/tasks/act", {"pick": task.id, "do": "done", "sure": "yes"})
        assert answer.location == "/tasks"
    assert crm.browser(crm.maya).post("/tasks/act", {"do": "done", "sure": "yes"}).location == "/tasks"
    assert crm.deps.sales.tasks.get_own(crm.maya, task.id).done_at is None
