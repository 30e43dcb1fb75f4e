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
    assert done.title not in page
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
    assert crm.deps.sales.tasks.todo(crm.maya) == []
