//! What rounds do in every chat: each test runs against both services.

mod commands;
mod people;
mod presses;
mod reveal;
mod rounds;

/// Runs each of these tests, generic over the service, against both.
macro_rules! both {
    ($($test:ident),* $(,)?) => {
        mod telegram {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<crate::quiz::telegram::Telegram>().await;
            })*
        }

        mod discord {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<crate::quiz::discord::Discord>().await;
            })*
        }
    };
}

use both;
