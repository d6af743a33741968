//! Errors in words.

use std::error::Error;

/// An error with its causes, each said once: many errors repeat their cause in their own words.
#[must_use]
pub fn causes(error: &dyn Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let words = error.to_string();
        if !parts.iter().any(|part| part.contains(&words)) {
            parts.push(words);
        }
        cause = error.source();
    }
    parts.join(": ")
}

/// The same of a request that failed, without its address, which may hold a secret.
#[must_use]
pub fn of_request(error: reqwest::Error) -> String {
    causes(&error.without_url())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Because(&'static str, #[source] Option<Box<Because>>);

    #[test]
    fn each_cause_is_said_once() {
        let chain = |words: [&'static str; 3]| {
            words.into_iter().rev().fold(None, |cause, words| Some(Box::new(Because(words, cause)))).expect("three")
        };
        assert_eq!(causes(&*chain(["no answer", "no connection", "refused"])), "no answer: no connection: refused");
        assert_eq!(
            causes(&*chain(["no answer: refused", "refused", "os error 111"])),
            "no answer: refused: os error 111"
        );
    }

    #[tokio::test]
    async fn addresses_are_not_said() {
        let error = reqwest::get("http://127.0.0.1:1/bot123:secret/getMe").await.expect_err("nobody listens on port 1");
        let words = of_request(error);
        assert!(!words.contains("secret") && words.to_lowercase().contains("refused"), "{words}");
    }
}
