//! Plain text as Discord's markdown that shows it unchanged, in pieces that fit a message.

/// Longest message, characters.
pub(super) const MESSAGE_LIMIT: usize = 2_000;

/// Escapes `text` and cuts it into messages of at most [`MESSAGE_LIMIT`] characters, between lines where
/// possible. Empty text is no message.
pub(super) fn messages(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let mut current = String::new();
    for line in text.lines().flat_map(|line| pieces(&escape_line(line))) {
        let joined = current.chars().count() + 1 + line.chars().count();
        if !current.is_empty() && joined > MESSAGE_LIMIT {
            messages.push(std::mem::take(&mut current));
        }
        if !current.is_empty() {
            current.push('\n');
        }
        current.push_str(&line);
    }
    messages.push(current);
    messages.retain(|message| !message.trim().is_empty());
    messages
}

/// Cuts an escaped line that no message can hold, never between a backslash and what it escapes.
fn pieces(line: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut length = 0;
    let mut chars = line.chars();
    while let Some(first) = chars.next() {
        let unit: String = if first == '\\' { [first].into_iter().chain(chars.next()).collect() } else { first.into() };
        let width = unit.chars().count();
        if length + width > MESSAGE_LIMIT {
            pieces.push(String::new());
            length = 0;
        }
        length += width;
        pieces.last_mut().expect("starts with one piece").push_str(&unit);
    }
    pieces
}

/// Escapes one line, except its links: inside those a backslash would change the address.
fn escape_line(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len() + 8);
    let indent = line.len() - line.trim_start().len();
    let (indent, rest) = line.split_at(indent);
    escaped.push_str(indent);
    let rest = escape_start(rest, &mut escaped);
    for word in rest.split_inclusive(char::is_whitespace) {
        if word.starts_with("https://") || word.starts_with("http://") {
            escaped.push_str(word);
        } else {
            escape_word(word, &mut escaped);
        }
    }
    escaped
}

/// Escapes what is markup only at the start of a line: headings, lists, quotes, small print. Returns the rest.
fn escape_start<'a>(line: &'a str, escaped: &mut String) -> &'a str {
    if let Some(first @ ('#' | '-' | '+' | '>')) = line.chars().next() {
        escaped.extend(['\\', first]);
        return &line[1..];
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 && line[digits..].starts_with(". ") {
        escaped.push_str(&line[..digits]);
        escaped.push_str("\\.");
        return &line[digits + 1..];
    }
    line
}

fn escape_word(word: &str, escaped: &mut String) {
    for c in word.chars() {
        if matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn markup_is_shown_as_it_is_written() {
        for (plain, escaped) in [
            ("東京都港区だと思います（62%）。", "東京都港区だと思います（62%）。"),
            ("<1% of *all* __photos__ ~~or~~ `so`", "\\<1% of \\*all\\* \\_\\_photos\\_\\_ \\~\\~or\\~\\~ \\`so\\`"),
            ("<@1> [a](b) ||c||", "\\<@1> \\[a\\](b) \\|\\|c\\|\\|"),
            ("# a\n  - b\n>99% c\n1. d\n2.5 e", "\\# a\n  \\- b\n\\>99% c\n1\\. d\n2.5 e"),
            ("see https://example.com/a_b_c now_", "see https://example.com/a_b_c now\\_"),
        ] {
            assert_eq!(messages(plain), [escaped]);
        }
    }

    #[test]
    fn empty_text_is_no_message() {
        assert_eq!(messages(""), Vec::<String>::new());
        assert_eq!(messages("\n \n"), Vec::<String>::new());
    }

    #[test]
    fn long_text_is_cut_between_lines() {
        let line = "あ".repeat(1_500);
        assert_eq!(messages(&format!("{line}\n{line}\nend")), [line.clone(), format!("{line}\nend")]);
    }

    /// Undoes the escaping as Discord's renderer does.
    fn shown(markdown: &str) -> String {
        let mut chars = markdown.chars();
        let mut shown = String::new();
        while let Some(c) = chars.next() {
            shown.push(if c == '\\' { chars.next().expect("no backslash stands alone") } else { c });
        }
        shown
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_every_message_fits(text in "([a*_\\\\`<# あ]{0,900}\n?){0,6}") {
            let messages = messages(&text);
            prop_assert!(messages.iter().all(|message| message.chars().count() <= MESSAGE_LIMIT));
            let shown: String = messages.iter().map(|message| shown(message)).collect();
            let plain = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(plain(&shown), plain(&text));
        }
    }
}
