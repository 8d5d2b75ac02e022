//! Many files of one artifact, as many at a time as the machine has processors. The answers are the same however many there
//! are.

use std::{
    num::NonZero,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread,
};

/// What is done with one file, at its path. It tells how many more bytes it has read.
pub(crate) trait Work<T>: Fn(&str, &mut dyn FnMut(u64)) -> T + Sync {}

impl<T, W: Fn(&str, &mut dyn FnMut(u64)) -> T + Sync> Work<T> for W {}

/// What a worker tells.
enum Told<T> {
    /// So many more bytes were read.
    Read(u64),
    /// What came of the path in this place.
    Done(usize, T),
}

/// Does the work with every path; the answers are in the order of the paths.
pub(crate) fn each<T: Send>(paths: &[String], work: &impl Work<T>, progress: &mut dyn FnMut(u64)) -> Vec<T> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    each_by(processors.min(paths.len()), paths, work, progress)
}

fn each_by<T: Send>(
    workers: usize,
    paths: &[String],
    work: &impl Work<T>,
    progress: &mut dyn FnMut(u64),
) -> Vec<T> {
    if workers < 2 {
        return paths.iter().map(|path| work(path, progress)).collect();
    }
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut done: Vec<(usize, T)> = Vec::with_capacity(paths.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || take(paths, work, next, &sender));
        }
        // The workers' ends are all that keeps the channel open.
        drop(sender);
        for told in receiver {
            match told {
                Told::Read(bytes) => progress(bytes),
                Told::Done(at, answer) => done.push((at, answer)),
            }
        }
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// Takes one path after the other until there is none. Nobody hears what is told after the receiver is gone, which it never
/// is before the workers.
fn take<T>(paths: &[String], work: &impl Work<T>, next: &AtomicUsize, sender: &Sender<Told<T>>) {
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(path) = paths.get(at) else { return };
        let mut progress = |bytes| {
            let _ = sender.send(Told::Read(bytes));
        };
        let answer = work(path, &mut progress);
        let _ = sender.send(Told::Done(at, answer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_work_the_answers_and_the_progress_are_the_same() {
        let paths: Vec<String> = (0..40).map(|number| format!("{number:02}")).collect();
        let work = |path: &str, progress: &mut dyn FnMut(u64)| {
            let bytes: u64 = path.parse().unwrap();
            progress(bytes);
            progress(1);
            bytes * bytes
        };
        let by = |workers| {
            let mut read = 0;
            (each_by(workers, &paths, &work, &mut |bytes| read += bytes), read)
        };
        let expected = ((0..40).map(|number| number * number).collect(), 39 * 40 / 2 + 40);
        for workers in [0, 1, 2, 7, 64] {
            assert_eq!(by(workers), expected, "{workers}");
        }
    }
}
