//! The way out for what the bot says unasked.

use tokio::sync::{mpsc, oneshot};

use super::message::{Announcement, ChatRef, Notice, Platform, Undelivered};

/// Announcements between here and an adapter; it takes them quickly.
const WAITING: usize = 64;

/// Sends announcements to the adapter of their chat. Clones share the channels.
#[derive(Clone, Default)]
pub struct Post {
    telegram: Option<mpsc::Sender<Announcement>>,
    discord: Option<mpsc::Sender<Announcement>>,
}

impl Post {
    /// Opens the way to a service; its adapter takes the receiver.
    ///
    /// # Panics
    /// For the page: it asks and is never told.
    #[must_use]
    pub fn connect(&mut self, platform: Platform) -> mpsc::Receiver<Announcement> {
        let (sender, receiver) = mpsc::channel(WAITING);
        match platform {
            Platform::Telegram => self.telegram = Some(sender),
            Platform::Discord => self.discord = Some(sender),
            Platform::Web => unreachable!("the page has no announcements"),
        }
        receiver
    }

    /// Has something said in a chat; the number of the message.
    ///
    /// # Errors
    /// Why it was not said. A service that is switched off may be on again after a restart.
    pub async fn send(&self, to: &ChatRef, thread: Option<i64>, what: Notice) -> Result<i64, Undelivered> {
        let sender = match to.platform {
            Platform::Telegram => &self.telegram,
            Platform::Discord => &self.discord,
            Platform::Web => &None,
        };
        let Some(sender) = sender else { return Err(Undelivered::Later("the service is off".to_owned())) };
        let stopping = || Undelivered::Later("the service is stopping".to_owned());
        let (done, answer) = oneshot::channel();
        let announcement = Announcement { to: to.clone(), thread, what, done };
        sender.send(announcement).await.map_err(|_| stopping())?;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Reply;

    #[tokio::test]
    async fn announcements_reach_the_adapter_of_their_chat() {
        let mut post = Post::default();
        let mut telegram = post.connect(Platform::Telegram);
        let to = ChatRef { platform: Platform::Telegram, id: 5 };
        let adapter = async {
            let announcement = telegram.recv().await.expect("announced");
            announcement.done.send(Ok(77)).expect("awaited");
        };
        let send = |to: ChatRef| {
            let post = post.clone();
            async move { post.send(&to, None, Notice::Send(Reply::words("x".to_owned()))).await }
        };
        assert_eq!(tokio::join!(send(to.clone()), adapter).0, Ok(77));
        let off = send(ChatRef { platform: Platform::Discord, id: 5 }).await;
        assert!(matches!(off, Err(Undelivered::Later(_))));
        drop(telegram);
        assert!(matches!(send(to).await, Err(Undelivered::Later(_))));
    }
}
