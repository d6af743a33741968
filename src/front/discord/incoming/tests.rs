use serde_json::{Value, json};

use super::*;

const ME: u64 = 1_000;

fn person(id: u64) -> Value {
    json!({"id": id.to_string(), "username": "hana", "discriminator": "0", "avatar": null, "bot": id == ME})
}

fn file(name: &str, kind: Option<&str>) -> Value {
    let url = format!("https://cdn.discordapp.com/attachments/1/2/{name}");
    json!({"id": "5", "filename": name, "size": 7, "url": url, "proxy_url": url, "content_type": kind})
}

fn message() -> Value {
    json!({
        "id": "10", "channel_id": "20", "guild_id": "30", "author": person(40), "content": "", "type": 0,
        "timestamp": "2026-04-01T00:00:00Z", "edited_timestamp": null, "tts": false, "mention_everyone": false,
        "mentions": [], "mention_roles": [], "attachments": [], "embeds": [], "pinned": false,
    })
}

/// `base` with fields replaced.
fn with(mut base: Value, fields: &Value) -> Value {
    for (key, value) in fields.as_object().expect("fields") {
        base[key] = value.clone();
    }
    base
}

fn read(fields: &Value) -> Option<Question> {
    let message: Message = serde_json::from_value(with(message(), fields)).expect("a message");
    from_message(&message, UserId::new(ME), None)
}

fn question(fields: &Value) -> Question {
    read(fields).expect("by a person")
}

#[test]
fn a_private_photo_is_a_question_of_its_own() {
    let asked = question(&json!({"guild_id": null, "attachments": [file("a.jpg", Some("image/jpeg"))]}));
    let url = "https://cdn.discordapp.com/attachments/1/2/a.jpg".to_owned();
    assert_eq!(asked.photos, [Photo { url: url.clone(), bytes: 7, is_picture: true, is_own: true }]);
    let expected = Incoming {
        chat: ChatRef { platform: Platform::Discord, id: 20 },
        kind: ChatKind::Private,
        thread: None,
        name: "hana".to_owned(),
        role: Role::Member,
        arguments: String::new(),
        user: UserRef { platform: Platform::Discord, id: 40 },
        lang: Lang::En,
        addressed: false,
        request: Request::Photos,
        attachments: vec![Attachment { handle: url, bytes: Some(7), is_own: true }],
    };
    assert_eq!(asked.incoming, expected);
}

#[test]
fn servers_are_answered_when_they_mean_the_bot() {
    let photo = json!([file("a.jpg", Some("image/jpeg"))]);
    let mine = with(message(), &json!({"author": person(ME), "attachments": photo}));
    let other = with(message(), &json!({"author": person(41), "attachments": photo}));
    for (fields, addressed, photos) in [
        (json!({"attachments": photo}), false, 1),
        (json!({"attachments": photo, "mentions": [person(ME)]}), true, 1),
        (json!({"attachments": photo, "mentions": [person(41)]}), false, 1),
        (json!({"type": 19, "referenced_message": other, "mentions": [person(ME)]}), true, 1),
        (json!({"type": 19, "referenced_message": other}), false, 1),
        (json!({"type": 19, "referenced_message": mine, "attachments": photo}), true, 1),
        (json!({"mentions": [person(ME)], "content": "<@1000> hello"}), true, 0),
    ] {
        let asked = question(&fields);
        assert_eq!((asked.incoming.addressed, asked.photos.len()), (addressed, photos), "{fields}");
        assert_eq!(asked.incoming.kind, ChatKind::Group);
    }
}

#[test]
fn thanks_for_an_answer_need_none() {
    let words = with(message(), &json!({"author": person(ME)}));
    let thanks = json!({"type": 19, "referenced_message": words, "mentions": [person(ME)], "content": "thanks!"});
    assert!(!question(&thanks).incoming.addressed);
    assert!(question(&with(thanks, &json!({"content": "<@1000> and this?"}))).incoming.addressed);
}

#[test]
fn only_people_are_heard() {
    assert_eq!(read(&json!({"author": person(ME)})), None);
    assert_eq!(read(&json!({"webhook_id": "3"})), None);
    assert_eq!(read(&json!({"type": 7})), None, "somebody joined");
}

#[test]
fn files_that_are_no_pictures_are_passed_over() {
    let files = json!([file("a.pdf", Some("application/pdf")), file("b.jpg", None), file("c.png", Some("image/png"))]);
    let urls: Vec<String> = question(&json!({"attachments": files})).photos.into_iter().map(|p| p.url).collect();
    assert_eq!(urls.len(), 2);
    assert!(urls[0].ends_with("b.jpg") && urls[1].ends_with("c.png"), "{urls:?}");
    assert_eq!(
        question(&json!({"attachments": [file("a.pdf", Some("application/pdf"))]})).incoming.request,
        Request::Words
    );
}

#[test]
fn forwarded_photos_count() {
    let forwarded = json!({
        "content": "", "timestamp": "2026-04-01T00:00:00Z", "edited_timestamp": null, "mentions": [],
        "attachments": [file("a.jpg", Some("image/jpeg"))], "embeds": [], "type": 0,
    });
    assert_eq!(question(&json!({"message_snapshots": [{"message": forwarded}]})).photos.len(), 1);
}

#[test]
fn kana_speak_japanese_and_kanji_alone_do_not() {
    let speaks = |content: &str, server| {
        let message = with(message(), &json!({"content": content}));
        let message: Message = serde_json::from_value(message).expect("a message");
        from_message(&message, UserId::new(ME), server).expect("by a person").incoming.lang
    };
    assert_eq!(speaks("ここどこ？", Some(Lang::En)), Lang::Ja);
    assert_eq!(speaks("where is this", Some(Lang::Ja)), Lang::Ja, "the server's language");
    assert_eq!(speaks("新宿區", None), Lang::En, "may be Chinese");
    assert_eq!(speaks("a・b ー", None), Lang::En, "punctuation is no language");
}

fn command(fields: &Value) -> Question {
    let base = json!({
        "id": "50", "application_id": "1000", "type": 2, "token": "t", "version": 1, "channel_id": "20",
        "user": person(40), "locale": "ja", "entitlements": [], "attachment_size_limit": 10_485_760,
        "authorizing_integration_owners": {}, "context": 1,
    });
    from_command(&serde_json::from_value(with(base, fields)).expect("a command"))
}

#[test]
fn an_attached_file_is_asked_about_whatever_it_is() {
    let asked = command(&json!({"data": {
        "id": "60", "name": "where", "type": 1, "options": [{"name": "photo", "type": 11, "value": "5"}],
        "resolved": {"attachments": {"5": file("a.pdf", Some("application/pdf"))}},
    }}));
    assert_eq!(asked.incoming.request, Request::Command(Command::Where));
    assert_eq!(
        (asked.incoming.lang, asked.incoming.kind, asked.incoming.addressed),
        (Lang::Ja, ChatKind::Private, true)
    );
    assert_eq!(asked.photos.iter().map(|photo| photo.is_picture).collect::<Vec<_>>(), [false]);
}

#[test]
fn a_context_menu_asks_about_the_pictures_of_its_message() {
    let files = json!([file("a.pdf", Some("application/pdf")), file("b.jpg", Some("image/jpeg"))]);
    let target = with(message(), &json!({"attachments": files}));
    let asked = command(&json!({"guild_id": "30", "context": 0, "locale": "en-GB", "data": {
        "id": "61", "name": "Where is this?", "type": 3, "target_id": "10", "resolved": {"messages": {"10": target}},
    }}));
    assert_eq!(asked.incoming.request, Request::Command(Command::Where));
    assert_eq!((asked.incoming.lang, asked.incoming.kind, asked.photos.len()), (Lang::En, ChatKind::Group, 1));
}

#[test]
fn a_command_from_an_old_registration_is_unknown() {
    let asked = command(&json!({"data": {"id": "62", "name": "teach", "type": 1}}));
    assert_eq!(asked.incoming.request, Request::UnknownCommand("teach".to_owned()));
}

#[test]
fn options_become_the_words_of_the_grammar_with_free_text_last() {
    let asked = command(&json!({"data": {"id": "63", "name": "quiz", "type": 1, "options": [
        {"name": "areas", "type": 3, "value": "東京都 港区"}, {"name": "seconds", "type": 4, "value": 90},
        {"name": "photos", "type": 3, "value": "9"},
    ]}}));
    assert_eq!(asked.incoming.request, Request::Command(Command::Quiz));
    assert_eq!(asked.incoming.arguments, "photos=9 seconds=90 areas=東京都 港区");
    assert_eq!(command(&json!({"data": {"id": "63", "name": "quiz", "type": 1}})).incoming.arguments, "");
}

fn member(fields: &Value) -> Value {
    let base = json!({
        "user": person(40), "roles": [], "joined_at": "2026-04-01T00:00:00Z", "deaf": false, "mute": false,
        "flags": 0, "permissions": "0", "pending": false,
    });
    with(base, fields)
}

#[test]
fn who_may_manage_messages_moderates_where_it_matters() {
    for (name, permissions, role) in [
        ("stop", "8192", Role::Moderator),
        ("stop", "8", Role::Moderator),
        ("stop", "2048", Role::Member),
        ("score", "8192", Role::Member),
    ] {
        let member = member(&json!({"permissions": permissions}));
        let data = json!({"id": "64", "name": name, "type": 1});
        let asked = command(&json!({"guild_id": "30", "context": 0, "member": member, "data": data}));
        assert_eq!(asked.incoming.role, role, "{name} with {permissions}");
    }
}

fn press(fields: &Value) -> Option<Pressed> {
    let base = json!({
        "id": "50", "application_id": "1000", "type": 3, "token": "t", "version": 1, "channel_id": "20",
        "guild_id": "30", "user": person(40), "locale": "ja", "entitlements": [],
        "attachment_size_limit": 10_485_760, "authorizing_integration_owners": {}, "context": 0,
        "message": message(), "data": {"component_type": 2, "custom_id": "1o:7:3"},
    });
    from_press(&serde_json::from_value(with(base, fields)).expect("a press"))
}

#[test]
fn a_press_says_who_where_and_what() {
    let nick = member(&json!({"nick": "はな"}));
    let pressed = press(&json!({"member": nick})).expect("one of ours");
    let expected = Pressed {
        chat: ChatRef { platform: Platform::Discord, id: 20 },
        kind: ChatKind::Group,
        thread: None,
        user: UserRef { platform: Platform::Discord, id: 40 },
        name: "はな".to_owned(),
        lang: Lang::Ja,
        present: true,
        press: Press::Open { round: crate::domain::quiz::RoundId(7), number: 3 },
    };
    assert_eq!(pressed, expected);
    assert!(!press(&json!({})).expect("one of ours").present, "no member of the server any more");
    let private = press(&json!({"guild_id": null, "context": 1})).expect("one of ours");
    assert_eq!((private.present, private.kind, &*private.name), (true, ChatKind::Private, "hana"));
    assert_eq!(press(&json!({"data": {"component_type": 2, "custom_id": "0a:1:2:3"}})), None);
}
