"""What people type or paste: text, names, amounts, days, numbers, telephone numbers. Pure; each is read at one place.

Fields (chassis.web.forms), addresses, JSON bodies and events all read by these. What is refused says, for the person
who typed it, what to mend; a silently different value is never the answer.
"""
