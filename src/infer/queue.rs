//! One thread owns the backend and forms batches as late as possible: it takes whatever waits when the
//! backend is free, so that batches grow while it is busy and nobody waits for a batch to fill.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::meters::Meters;
use super::onnx::Outputs;

/// Something that computes logits for a batch.
pub trait Run: Send + 'static {
    /// `input` has shape `[batch, 3, size, size]`, normalised.
    ///
    /// # Errors
    /// The backend's own words, for the log.
    fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String>;

    /// Makes ready for batches of up to `max_batch`, on the thread that will run them.
    ///
    /// # Errors
    /// The backend's own words, for the log.
    fn prepare(&mut self, max_batch: usize) -> Result<(), String> {
        let _ = max_batch;
        Ok(())
    }
}

/// The network's outputs for one photo.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// `[labels]`, unscaled.
    pub logits: Vec<f32>,
    /// `[labels, rows, columns]`.
    pub cams: Vec<f32>,
    /// Rows and columns of a map.
    pub grid: (usize, usize),
    /// `[channels]`; empty where what runs has none.
    pub features: Vec<f32>,
    /// Time from the call until the batch began.
    pub queued: Duration,
    /// Duration of the run.
    pub ran: Duration,
    /// Photos in the batch, this one included.
    pub batch: usize,
}

/// Why there is no output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueError {
    /// Too much waits already.
    Full,
    /// The backend failed or panicked; the words are for the log.
    Failed(String),
    /// The queue was stopped.
    Stopped,
}

struct Job {
    tensor: Vec<f32>,
    since: Instant,
    answer: oneshot::Sender<Result<Output, QueueError>>,
}

/// The handle to the backend's thread. Dropping it lets the thread finish what waits, and joins it.
pub struct Queue {
    sender: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Queue {
    /// Starts the thread and waits until the backend is ready.
    ///
    /// `capacity` photos may wait, 1 or more; a batch holds at most `max_batch`, 1 or more.
    ///
    /// # Errors
    /// When the system starts no thread, or in the words of [`Run::prepare`].
    pub fn start(mut runner: impl Run, capacity: usize, max_batch: usize, meters: Meters) -> Result<Self, String> {
        let (sender, receiver) = mpsc::channel(capacity.max(1));
        let (ready, when_ready) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("kokodoko-infer".to_owned()).spawn(move || {
            let prepared = runner.prepare(max_batch.max(1));
            let go_on = prepared.is_ok();
            if ready.send(prepared).is_ok() && go_on {
                work(runner, receiver, max_batch.max(1), &meters);
            }
        });
        let thread = thread.map_err(|error| error.to_string())?;
        when_ready.recv().unwrap_or_else(|_| Err("the backend panicked".to_owned()))?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    /// Photos that wait for the thread.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.sender.as_ref().map_or(0, |sender| sender.max_capacity() - sender.capacity())
    }

    /// Waits for the outputs of one photo, `[3, size, size]` normalised. Dropping the future withdraws the
    /// photo, if its batch has not begun.
    ///
    /// # Errors
    /// See [`QueueError`].
    pub async fn run(&self, tensor: Vec<f32>) -> Result<Output, QueueError> {
        let (answer, result) = oneshot::channel();
        let job = Job { tensor, since: Instant::now(), answer };
        let sender = self.sender.as_ref().ok_or(QueueError::Stopped)?;
        sender.try_send(job).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => QueueError::Full,
            mpsc::error::TrySendError::Closed(_) => QueueError::Stopped,
        })?;
        result.await.unwrap_or(Err(QueueError::Stopped))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the inference thread ended in a panic");
        }
    }
}

fn work(mut runner: impl Run, mut receiver: mpsc::Receiver<Job>, max_batch: usize, meters: &Meters) {
    while let Some(first) = receiver.blocking_recv() {
        let rest = std::iter::from_fn(|| receiver.try_recv().ok());
        // A caller who gave up costs nothing but this look.
        let batch: Vec<Job> =
            std::iter::once(first).chain(rest).filter(|job| !job.answer.is_closed()).take(max_batch).collect();
        if !batch.is_empty() {
            meters.ran(batch.len());
            answer(&mut runner, batch);
        }
    }
}

fn answer(runner: &mut impl Run, mut batch: Vec<Job>) {
    let input = match &mut batch[..] {
        [lone] => std::mem::take(&mut lone.tensor),
        several => several.iter().map(|job| &job.tensor[..]).collect::<Vec<_>>().concat(),
    };
    let begin = Instant::now();
    // The session holds no half-written state across runs, so it may be used again after a panic.
    let outputs = catch_unwind(AssertUnwindSafe(|| runner.run(batch.len(), &input)));
    let ran = begin.elapsed();
    let outputs = outputs.unwrap_or_else(|_| Err("the backend panicked".to_owned()));
    let count = batch.len();
    for (index, job) in batch.into_iter().enumerate() {
        let output = match &outputs {
            Ok(outputs) => Ok(Output {
                logits: part(&outputs.logits, index, count),
                cams: part(&outputs.cams, index, count),
                grid: outputs.grid,
                features: part(&outputs.features, index, count),
                queued: begin.duration_since(job.since),
                ran,
                batch: count,
            }),
            Err(detail) => Err(QueueError::Failed(detail.clone())),
        };
        // The caller may have gone in the meantime, which is no fault.
        let _ = job.answer.send(output);
    }
}

fn part(values: &[f32], index: usize, count: usize) -> Vec<f32> {
    let size = values.len() / count;
    values[index * size..(index + 1) * size].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc as std_mpsc;

    /// Answers with the first value of each tensor; says what it got, and waits for leave to go on.
    struct Slow {
        begun: std_mpsc::Sender<usize>,
        leave: std_mpsc::Receiver<()>,
    }

    impl Run for Slow {
        fn run(&mut self, batch: usize, input: &[f32]) -> Result<Outputs, String> {
            self.begun.send(batch).expect("the test listens");
            self.leave.recv().expect("the test gives leave");
            assert!(input[0] >= 0.0, "negative input panics");
            if input[0] > 900.0 {
                return Err("too hot".to_owned());
            }
            let logits: Vec<f32> = input.chunks(input.len() / batch).map(|tensor| tensor[0]).collect();
            Ok(Outputs { cams: logits.clone(), logits, grid: (1, 1), ..Outputs::default() })
        }
    }

    struct Bench {
        queue: std::sync::Arc<Queue>,
        begun: std_mpsc::Receiver<usize>,
        leave: std_mpsc::Sender<()>,
    }

    fn bench(capacity: usize, max_batch: usize) -> Bench {
        let (begun_sender, begun) = std_mpsc::channel();
        let (leave, leave_receiver) = std_mpsc::channel();
        let slow = Slow { begun: begun_sender, leave: leave_receiver };
        let queue = Queue::start(slow, capacity, max_batch, Meters::default()).expect("a thread starts").into();
        Bench { queue, begun, leave }
    }

    impl Bench {
        /// Queues a photo; when this returns, it waits or runs.
        async fn ask(&self, value: f32) -> tokio::task::JoinHandle<Result<Output, QueueError>> {
            let queue = self.queue.clone();
            let task = tokio::spawn(async move { queue.run(vec![value, 0.0]).await });
            tokio::task::yield_now().await;
            task
        }
    }

    #[tokio::test]
    async fn a_batch_is_what_waits_when_the_backend_is_free() {
        let bench = bench(8, 3);
        let first = bench.ask(1.0).await;
        assert_eq!(bench.begun.recv(), Ok(1), "the first runs at once and alone");
        let mut waiting = Vec::new();
        for value in [2.0, 3.0, 4.0, 5.0] {
            waiting.push(bench.ask(value).await);
        }
        for _ in 0..3 {
            bench.leave.send(()).expect("the thread listens");
        }
        assert_eq!(first.await.expect("no panic").expect("an output").logits, [1.0]);
        assert_eq!((bench.begun.recv(), bench.begun.recv()), (Ok(3), Ok(1)), "at most three in a batch");
        for (task, expected) in waiting.into_iter().zip([2.0, 3.0, 4.0, 5.0]) {
            assert_eq!(
                task.await.expect("no panic").expect("an output").logits,
                [expected],
                "answers keep their photo"
            );
        }
    }

    #[tokio::test]
    async fn refuses_when_full_and_skips_who_left() {
        let bench = bench(2, 8);
        let first = bench.ask(1.0).await;
        bench.begun.recv().expect("it runs");
        let second = bench.ask(2.0).await;
        let third = bench.ask(3.0).await;
        assert_eq!(bench.ask(4.0).await.await.expect("no panic"), Err(QueueError::Full));
        second.abort();
        assert!(second.await.expect_err("aborted").is_cancelled());
        bench.leave.send(()).expect("the thread listens");
        bench.leave.send(()).expect("the thread listens");
        assert_eq!(bench.begun.recv(), Ok(1), "the second is skipped");
        assert!(first.await.expect("no panic").is_ok());
        assert_eq!(third.await.expect("no panic").expect("an output").batch, 1);
    }

    #[tokio::test]
    async fn survives_a_panic_and_an_error() {
        let bench = bench(8, 1);
        for _ in 0..3 {
            bench.leave.send(()).expect("the thread listens");
        }
        let panicked = bench.ask(-1.0).await.await.expect("no panic here");
        assert_eq!(panicked, Err(QueueError::Failed("the backend panicked".to_owned())));
        let failed = bench.ask(1000.0).await.await.expect("no panic here");
        assert_eq!(failed, Err(QueueError::Failed("too hot".to_owned())));
        assert!(bench.ask(1.0).await.await.expect("no panic here").is_ok(), "the thread lives on");
    }

    /// Cannot be made ready.
    struct Never(bool);

    impl Run for Never {
        fn run(&mut self, _: usize, _: &[f32]) -> Result<Outputs, String> {
            unreachable!("nothing runs before it is ready")
        }

        fn prepare(&mut self, max_batch: usize) -> Result<(), String> {
            assert!(!self.0, "a backend's fault");
            Err(format!("no memory for {max_batch} photos"))
        }
    }

    #[test]
    fn what_cannot_be_made_ready_does_not_start() {
        assert_eq!(
            Queue::start(Never(false), 4, 3, Meters::default()).err(),
            Some("no memory for 3 photos".to_owned())
        );
        assert_eq!(Queue::start(Never(true), 4, 3, Meters::default()).err(), Some("the backend panicked".to_owned()));
    }

    #[tokio::test]
    async fn stopping_answers_what_waits() {
        let Bench { queue, begun, leave } = bench(8, 8);
        let task = {
            let queue = queue.clone();
            tokio::spawn(async move { queue.run(vec![7.0]).await })
        };
        tokio::task::yield_now().await;
        begun.recv().expect("it runs");
        leave.send(()).expect("the thread listens");
        assert!(task.await.expect("no panic").is_ok());
        drop(queue);
        assert!(leave.send(()).is_err(), "the thread has ended");
    }
}
