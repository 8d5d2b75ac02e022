//! The files of an artifact, as many at a time as the machine has processors. The report is the same however many there are.

use std::{
    num::NonZero,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Sender},
    },
    thread,
};

use super::{
    file::{self, Judged},
    remembered,
};
use crate::{memory::Memory, pickle::Trust, tree::Tree};

/// What a worker tells.
enum Told {
    /// So many more bytes were read.
    Read(u64),
    /// The file in this place was judged.
    Judged(usize, Box<Judged>),
}

/// Where files lie, which globals they may name, and what earlier runs found in them.
#[derive(Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) tree: &'p dyn Tree,
    pub(super) trust: Trust<'p>,
    pub(super) memory: Option<&'p dyn Memory>,
}

impl Place<'_> {
    /// Judges one file by itself.
    pub(super) fn judge(&self, path: &str, progress: &mut dyn FnMut(u64)) -> Judged {
        match self.memory {
            Some(memory) => remembered::judge(self.tree, path, self.trust, memory, progress),
            None => file::judge(self.tree, path, self.trust, progress),
        }
    }
}

/// Judges files by themselves; the answers are in the order of the paths.
pub(super) fn judge(place: Place<'_>, paths: &[String], progress: &mut dyn FnMut(u64)) -> Vec<Judged> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    judge_by(processors.min(paths.len()), place, paths, progress)
}

fn judge_by(
    workers: usize,
    place: Place<'_>,
    paths: &[String],
    progress: &mut dyn FnMut(u64),
) -> Vec<Judged> {
    if workers < 2 {
        return paths.iter().map(|path| place.judge(path, progress)).collect();
    }
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut judged: Vec<(usize, Judged)> = Vec::with_capacity(paths.len());
    thread::scope(|scope| {
        for _ in 0..workers {
            let (next, sender) = (&next, sender.clone());
            scope.spawn(move || work(place, paths, next, &sender));
        }
        // The workers' ends are all that keeps the channel open.
        drop(sender);
        for told in receiver {
            match told {
                Told::Read(bytes) => progress(bytes),
                Told::Judged(at, file) => judged.push((at, *file)),
            }
        }
    });
    judged.sort_by_key(|(at, _)| *at);
    judged.into_iter().map(|(_, file)| file).collect()
}

/// Takes one path after the other until there is none. Nobody hears what is told after the receiver is gone, which it never
/// is before the workers.
fn work(place: Place<'_>, paths: &[String], next: &AtomicUsize, sender: &Sender<Told>) {
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        let Some(path) = paths.get(at) else { return };
        let mut progress = |bytes| {
            let _ = sender.send(Told::Read(bytes));
        };
        let file = place.judge(path, &mut progress);
        let _ = sender.send(Told::Judged(at, Box::new(file)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::DiskTree;

    #[test]
    fn however_many_work_the_answers_and_the_progress_are_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let names: Vec<String> = (0..40).map(|number| format!("{number:02}.bin")).collect();
        for (at, name) in names.iter().enumerate() {
            std::fs::write(directory.path().join(name), vec![b'N'; 1 + at * 1000]).unwrap();
        }
        let tree = DiskTree::new(directory.path()).unwrap();
        let policy = crate::ValidationPolicy::default();
        let place = Place { tree: &tree, trust: policy.trust(), memory: None };
        let by = |workers| {
            let mut read = 0;
            let judged = judge_by(workers, place, &names, &mut |bytes| read += bytes);
            let told: Vec<_> = judged
                .into_iter()
                .map(|file| (file.path, file.size, file.digest, file.findings.into_list(None)))
                .collect();
            (told, read)
        };
        let alone = by(1);
        assert_eq!(alone.0.iter().map(|file| &file.0).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
        for workers in [2, 7, 64] {
            assert_eq!(by(workers), alone, "{workers}");
        }
    }
}
