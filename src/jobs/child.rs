//! Work in a child process: training, so that running out of memory or a crash never takes the bot with it.
//!
//! The child writes one JSON object a line to its standard output: how far it has come, and, as the last of them, its
//! result when it ends with status 0. Its standard input ends with this program. Its standard error is for people, and the
//! end of it is kept for when it fails.

use std::collections::VecDeque;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

/// Lines of standard error that are kept.
const TAIL: usize = 12;
/// Longest line that is read, bytes: a longer one is cut.
const LINE: u64 = 64 << 10;
/// The signal by which the system ends processes when memory runs out.
const KILLED: i32 = 9;

/// Why a child came to no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChildError {
    /// It was told to stop, and is gone.
    #[error("stopped")]
    Stopped,
    /// It could not be begun.
    #[error("the program cannot be started: {0}")]
    Start(String),
    /// The system ended it.
    #[error("the system ended it, most likely because memory ran out: use a smaller batch, or end other programs{0}")]
    OutOfMemory(Tail),
    /// It was ended by another signal.
    #[error("it was ended by signal {0}{1}")]
    Signal(i32, Tail),
    /// It ended with a status that says that it failed.
    #[error("it ended with status {0}{1}")]
    Status(i32, Tail),
    /// It ended well, and said nothing.
    #[error("it ended without a result{0}")]
    NoResult(Tail),
}

/// The end of a child's standard error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tail(String);

impl std::fmt::Display for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ". Its last words:\n{}", self.0) }
    }
}

/// Runs `command` to its end; its result, a JSON object. `said` is told each object as it comes, the result included.
/// Cancelling `stop`, or dropping this, kills it.
///
/// # Errors
/// See [`ChildError`].
pub async fn run(
    mut command: Command,
    mut said: impl FnMut(&str) + Send,
    stop: &CancellationToken,
) -> Result<String, ChildError> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| ChildError::Start(error.to_string()))?;
    let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(ChildError::Start("it has no output".to_owned()));
    };
    // Nothing is ever written to it: it ends when this program does, however that dies, which the child can see.
    let _input = child.stdin.take();
    let listen = async {
        let (result, tail) = tokio::join!(objects(BufReader::new(out), &mut said), tail(BufReader::new(err)));
        (child.wait().await, result, tail)
    };
    let (status, result, tail) = tokio::select! {
        ended = listen => ended,
        // The child is killed as it is dropped.
        () = stop.cancelled() => return Err(ChildError::Stopped),
    };
    let status = status.map_err(|error| ChildError::Start(error.to_string()))?;
    outcome(status, result, tail)
}

fn outcome(status: ExitStatus, result: Option<String>, tail: Tail) -> Result<String, ChildError> {
    match (status.code(), status.signal()) {
        (Some(0), _) => result.ok_or(ChildError::NoResult(tail)),
        (Some(code), _) => Err(ChildError::Status(code, tail)),
        (None, Some(KILLED)) => Err(ChildError::OutOfMemory(tail)),
        (None, signal) => Err(ChildError::Signal(signal.unwrap_or(0), tail)),
    }
}

/// Tells of every JSON object, and returns the last. Other lines are passed over.
async fn objects(mut out: impl AsyncBufRead + Unpin, said: &mut impl FnMut(&str)) -> Option<String> {
    let mut last: Option<String> = None;
    while let Some(line) = line(&mut out).await {
        if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&line).is_err() {
            tracing::debug!(line, "a child says something else");
            continue;
        }
        said(&line);
        last = Some(line);
    }
    last
}

async fn tail(mut err: impl AsyncBufRead + Unpin) -> Tail {
    let mut lines = VecDeque::new();
    while let Some(line) = line(&mut err).await {
        tracing::debug!(line, "a child");
        if lines.len() == TAIL {
            lines.pop_front();
        }
        lines.push_back(line);
    }
    Tail(Vec::from(lines).join("\n"))
}

/// The next line without its end, cut to [`LINE`]; `None` at the end of the stream.
async fn line(from: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    let mut limited = (&mut *from).take(LINE);
    let read = limited.read_until(b'\n', &mut bytes).await.ok()?;
    if read as u64 == LINE && bytes.last() != Some(&b'\n') {
        skip_line(from).await;
    }
    (read > 0).then(|| String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

/// Passes over what is left of a line.
async fn skip_line(from: &mut (impl AsyncBufRead + Unpin)) {
    while let Ok(rest) = from.fill_buf().await {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let skip = end.map_or(rest.len(), |end| end + 1);
        from.consume(skip);
        if end.is_some() || skip == 0 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg(script);
        command
    }

    async fn run_all(script: &str) -> (Result<String, ChildError>, Vec<String>) {
        let mut said = Vec::new();
        let result = run(shell(script), |line| said.push(line.to_owned()), &CancellationToken::new()).await;
        (result, said)
    }

    #[tokio::test]
    async fn objects_are_progress_and_the_last_is_the_result() {
        let script =
            "echo '{\"epoch\":1}'; echo warming up; echo '[1]'; echo '{\"epoch\":2}'; printf '{\"done\":true}'";
        let (result, said) = run_all(script).await;
        assert_eq!(result, Ok("{\"done\":true}".to_owned()));
        assert_eq!(said, ["{\"epoch\":1}", "{\"epoch\":2}", "{\"done\":true}"]);
    }

    #[tokio::test]
    async fn a_failure_is_told_with_the_last_words() {
        let (result, _) = run_all("for i in $(seq 20); do echo line $i >&2; done; echo '{}'; exit 3").await;
        let Err(error @ ChildError::Status(3, _)) = result else { panic!("{result:?}") };
        let words = error.to_string();
        assert!(words.starts_with("it ended with status 3. Its last words:\nline 9\n"), "{words}");
        assert!(words.ends_with("line 20"), "{words}");
        assert_eq!(run_all("true").await.0, Err(ChildError::NoResult(Tail::default())));
        let missing = run(Command::new("/no/such/program"), |_| {}, &CancellationToken::new()).await;
        assert!(matches!(missing, Err(ChildError::Start(_))), "{missing:?}");
    }

    #[tokio::test]
    async fn the_systems_kill_is_said_to_be_a_lack_of_memory() {
        let (result, said) = run_all("echo '{\"epoch\":1}'; kill -KILL $$").await;
        let Err(error) = result else { panic!("{result:?}") };
        assert_eq!(error, ChildError::OutOfMemory(Tail::default()));
        assert!(error.to_string().contains("memory ran out"), "{error}");
        assert_eq!(said, ["{\"epoch\":1}"]);
        assert_eq!(run_all("kill -TERM $$").await.0, Err(ChildError::Signal(15, Tail::default())));
    }

    #[tokio::test]
    async fn who_stops_it_kills_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let alive = folder.path().join("pipe");
        let status = std::process::Command::new("mkfifo").arg(&alive).status().expect("mkfifo runs");
        assert!(status.success());
        let stop = CancellationToken::new();
        // The child holds the pipe open for writing until it dies.
        let script = format!("exec 3>{}; echo '{{}}'; exec sleep 600", alive.display());
        let reading = tokio::task::spawn_blocking(move || std::fs::read(alive));
        let (begun, mut heard) = tokio::sync::mpsc::unbounded_channel();
        let stopper = stop.clone();
        let running =
            tokio::spawn(
                async move { run(shell(&script), |_| begun.send(()).expect("the test listens"), &stopper).await },
            );
        heard.recv().await.expect("it says something");
        stop.cancel();
        assert_eq!(running.await.expect("no panic"), Err(ChildError::Stopped));
        assert_eq!(reading.await.expect("no panic").expect("the pipe ends with the child"), Vec::<u8>::new());
    }

    #[tokio::test]
    async fn a_line_without_end_is_cut() {
        let (result, said) = run_all("head -c 300000 /dev/zero | tr '\\0' x; echo; echo '{\"a\":1}'").await;
        assert_eq!((result, said.len()), (Ok("{\"a\":1}".to_owned()), 1));
    }
}
