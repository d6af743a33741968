# Every sentence to admins in English. `admin.ja.ftl` holds the same messages with the same variables.

admin-only = Only the people who run me can use this command.
admin-failed = Something went wrong on my side. The log says what.

# /audit
audit-title = What admins did lately (UTC):
audit-line = { $at } { $name } ({ $platform } { $person }): { $action } → { $outcome }
audit-empty = No admin has done anything yet.
