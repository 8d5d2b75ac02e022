//! The prediction log: JSON Lines on disk, for later monitoring.
//!
//! Requests hand a line to a queue and go on; a thread of its own serialises and writes. Everything is bounded: the
//! queue (a line that finds it full is dropped and counted), the size of a file, the number of files. A full disk
//! costs lines, never requests, and leaves no half of a line.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TryRecvError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use tagship_domain::serving::LogLine;

use super::{ServeError, settings::LogBounds};
use crate::engine::{Tensor, TensorData};

/// Lines that may wait for the writer.
const QUEUE: usize = 1024;
/// Bytes of lines that are written together at most, but for one line that is longer.
const BATCH: usize = 64 << 10;

/// A line as requests make it.
type Line = LogLine<Tensor>;

/// The log of one server.
#[derive(Debug)]
pub(super) struct PredictionLog {
    bounds: LogBounds,
    queue: Mutex<Option<SyncSender<Line>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    written: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl PredictionLog {
    /// Opens the log in a directory, which is created where it does not exist; an earlier log is continued.
    pub(super) fn open(directory: &Path, bounds: LogBounds) -> Result<Self, ServeError> {
        fs::create_dir_all(directory).map_err(ServeError::storage("create", directory))?;
        let mut files = Files::open(directory.to_owned(), bounds)
            .map_err(ServeError::storage("open the prediction log in", directory))?;
        let (queue, lines) = sync_channel(QUEUE);
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        let writer = thread::Builder::new()
            .name("prediction-log".to_owned())
            .spawn(move || write_all(&lines, &mut files, &counted))
            .map_err(ServeError::storage("start the writer of", directory))?;
        Ok(Self { bounds, queue: Mutex::new(Some(queue)), writer: Mutex::new(Some(writer)), counts })
    }

    /// Hands a line to the writer, or drops it where the queue is full.
    pub(super) fn line(&self, line: Line) {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.as_ref().is_none_or(|queue| queue.try_send(line).is_err()) {
            self.counts.dropped.fetch_add(1, Relaxed);
        }
    }

    /// The tensors, unless they are too many values for a line.
    pub(super) fn keep(&self, tensors: Vec<Tensor>) -> Option<Vec<Tensor>> {
        let values: usize = tensors.iter().map(|tensor| weight(tensor.data())).sum();
        (values <= self.bounds.max_values).then_some(tensors)
    }

    /// Lines by what became of them.
    pub(super) fn counts(&self) -> [(&'static str, u64); 3] {
        let Counts { written, dropped, failed } = &*self.counts;
        [
            ("written", written.load(Relaxed)),
            ("dropped", dropped.load(Relaxed)),
            ("failed", failed.load(Relaxed)),
        ]
    }

    /// Writes what waits and closes the file. Lines that come later are dropped.
    pub(super) fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A writer that panicked has nothing left to write.
        let _ = writer.map(JoinHandle::join);
    }
}

/// How many numbers fill as much of a line; a text counts by its length.
fn weight(data: &TensorData) -> usize {
    match data {
        TensorData::Bytes(texts) => texts.iter().map(|text| 1 + text.len() / 8).sum(),
        numbers => numbers.len(),
    }
}

fn write_all(lines: &Receiver<Line>, files: &mut Files, counts: &Counts) {
    while let Ok(first) = lines.recv() {
        let mut next = Ok(first);
        while let Ok(line) = next {
            files.add(&line, counts);
            next = lines.try_recv();
        }
        // The queue is empty: readers should see what there is.
        files.flush(counts);
        if next.is_err_and(|error| error == TryRecvError::Disconnected) {
            return;
        }
    }
}

/// The current file and its closed predecessors: `predictions.jsonl`, `predictions.1.jsonl` (the newest closed), ...
///
/// Invariant: but for the moment of a write, the current file holds whole lines.
#[derive(Debug)]
struct Files {
    directory: PathBuf,
    bounds: LogBounds,
    file: File,
    /// Bytes in the file, all of whole lines.
    size: u64,
    /// Whole lines that wait to be written together.
    pending: Vec<u8>,
    pending_lines: u64,
}

impl Files {
    /// Opens the current file; the part of a line that a crash left at its end is removed.
    fn open(directory: PathBuf, bounds: LogBounds) -> io::Result<Self> {
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(current(&directory))?;
        let size = whole_lines(&mut file)?;
        if size < file.metadata()?.len() {
            file.set_len(size)?;
        }
        Ok(Self { directory, bounds, file, size, pending: Vec::new(), pending_lines: 0 })
    }

    /// Takes a line in and writes what waits where it is much.
    fn add(&mut self, line: &Line, counts: &Counts) {
        let begin = self.pending.len();
        if serde_json::to_writer(&mut self.pending, line).is_err() {
            self.pending.truncate(begin);
            counts.failed.fetch_add(1, Relaxed);
            return;
        }
        self.pending.push(b'\n');
        if self.size + self.pending.len() as u64 > self.bounds.max_file {
            // It would make the file too long, so it begins the next one.
            let line = self.pending.split_off(begin);
            self.flush(counts);
            if self.size > 0 && self.rotate().is_err() {
                counts.failed.fetch_add(1, Relaxed);
                return;
            }
            self.pending = line;
        }
        self.pending_lines += 1;
        if self.pending.len() >= BATCH {
            self.flush(counts);
        }
    }

    /// Writes the lines that wait, all or none of them.
    fn flush(&mut self, counts: &Counts) {
        if self.pending.is_empty() {
            return;
        }
        if self.file.write_all(&self.pending).is_err() {
            // Truncating needs no room. Where even that fails, the next opening does it.
            let _ = self.file.set_len(self.size);
            self.give_up(counts);
            return;
        }
        self.size += self.pending.len() as u64;
        counts.written.fetch_add(self.pending_lines, Relaxed);
        self.pending.clear();
        self.pending_lines = 0;
    }

    fn give_up(&mut self, counts: &Counts) {
        counts.failed.fetch_add(self.pending_lines, Relaxed);
        self.pending.clear();
        self.pending_lines = 0;
    }

    /// Closes the current file and begins a new one. Repeating it after a failure moves no closed file a second time.
    fn rotate(&mut self) -> io::Result<()> {
        let closed = |number: u32| self.directory.join(format!("predictions.{number}.jsonl"));
        let current = current(&self.directory);
        if current.exists() {
            for number in (1..self.bounds.closed_files).rev() {
                rename_if_there(&closed(number), &closed(number + 1))?;
            }
            if self.bounds.closed_files == 0 {
                fs::remove_file(current)?;
            } else {
                rename_if_there(&current, &closed(1))?;
            }
        }
        let next = Self::open(self.directory.clone(), self.bounds)?;
        (self.file, self.size) = (next.file, next.size);
        Ok(())
    }
}

/// Length of a file up to the end of its last whole line.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = [0; 4096];
    while end > 0 {
        let begin = end.saturating_sub(block.len() as u64);
        let part = &mut block[..usize::try_from(end - begin).map_err(io::Error::other)?];
        file.seek(SeekFrom::Start(begin))?;
        file.read_exact(part)?;
        if let Some(at) = part.iter().rposition(|byte| *byte == b'\n') {
            return Ok(begin + at as u64 + 1);
        }
        end = begin;
    }
    Ok(0)
}

fn current(directory: &Path) -> PathBuf {
    directory.join("predictions.jsonl")
}

fn rename_if_there(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use tagship_domain::{ModelName, Timestamp, Version, serving::PredictionRecord};

    use super::*;

    fn line(id: &str, inputs: Option<Vec<Tensor>>) -> Line {
        LogLine::Prediction(PredictionRecord {
            at: Timestamp::from_seconds(0).unwrap(),
            model: ModelName::new("churn").unwrap(),
            version: Version::new(1, 0, 0),
            id: id.to_owned(),
            latency_ms: 1.5,
            inputs,
            outputs: None,
        })
    }

    #[test]
    fn lines_read_back_and_files_are_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let bounds = LogBounds { max_file: 400, closed_files: 2, max_values: 2 };
        let log = PredictionLog::open(directory.path(), bounds).unwrap();
        let tensor = |values: usize| {
            vec![Tensor::new("x", vec![values], TensorData::Fp32(vec![f32::NAN; values])).unwrap()]
        };
        assert!(log.keep(tensor(3)).is_none());
        for number in 0..20 {
            log.line(line(&number.to_string(), log.keep(tensor(2))));
        }
        log.close();
        assert_eq!(log.counts(), [("written", 20), ("dropped", 0), ("failed", 0)]);
        let mut names: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["predictions.1.jsonl", "predictions.2.jsonl", "predictions.jsonl"]);
        let text = fs::read_to_string(directory.path().join("predictions.jsonl")).unwrap();
        let last: LogLine = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        let LogLine::Prediction(last) = last else { panic!("{last:?}") };
        assert_eq!(last.id, "19");
        assert_eq!(last.inputs.unwrap()[0].datatype, "FP32");
        log.line(line("late", None));
        assert_eq!(log.counts()[1], ("dropped", 1));
    }

    #[test]
    fn half_a_line_that_a_crash_left_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("predictions.jsonl");
        let bounds = LogBounds::default();
        for half in ["{\"kind\":\"pred".to_owned(), "x".repeat(10_000), String::new()] {
            let log = PredictionLog::open(directory.path(), bounds).unwrap();
            log.line(line("whole", None));
            log.close();
            let mut file = OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(half.as_bytes()).unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().filter(|line| serde_json::from_str::<LogLine>(line).is_ok()).count(), 3);
        assert_eq!((text.lines().count(), text.ends_with('\n')), (3, true));
    }
}
