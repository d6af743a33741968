# Every sentence to admins in English. `admin.ja.ftl` holds the same messages with the same variables.

admin-only = Only the people who run me can use this command.
owner-only = Only my owner can do this.
admin-failed = Something went wrong on my side. The log says what.

# /audit
audit-title = What admins did lately (UTC):
audit-line = { $at } { $name } ({ $platform } { $person }): { $action } → { $outcome }
audit-empty = No admin has done anything yet.

# The end of /privacy
kept = The log of what the people who run me did is kept { $audit ->
    [0] for good
   *[other] for { $audit } days
}, and what became of their jobs { $jobs ->
    [0] for good
   *[other] for { $jobs } days
}.
