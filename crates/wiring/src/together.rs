//! Several pieces of work at a time, on the thread that waits for them.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

/// Work that is under way, with its place among the answers.
type Running<'a, T> = (usize, Pin<Box<dyn Future<Output = T> + 'a>>);

/// Does all of it, `width` pieces at a time at most, and answers in the order of the work.
pub(crate) async fn together<'a, T>(
    work: impl IntoIterator<Item = impl Future<Output = T> + 'a>,
    width: usize,
) -> Vec<T> {
    let mut waiting: VecDeque<Running<'a, T>> = VecDeque::new();
    for (at, piece) in work.into_iter().enumerate() {
        waiting.push_back((at, Box::pin(piece)));
    }
    let (mut running, mut done): (Vec<Running<'a, T>>, Vec<(usize, T)>) = (vec![], vec![]);
    poll_fn(|context| {
        loop {
            while let Some(next) = (running.len() < width.max(1)).then(|| waiting.pop_front()).flatten() {
                running.push(next);
            }
            let before = done.len();
            running.retain_mut(|(at, piece)| match piece.as_mut().poll(context) {
                Poll::Ready(answer) => {
                    done.push((*at, answer));
                    false
                }
                Poll::Pending => true,
            });
            if running.is_empty() && waiting.is_empty() {
                return Poll::Ready(());
            }
            // What takes the place of what has ended must be polled as well, or nothing would wake it.
            if done.len() == before || waiting.is_empty() {
                return Poll::Pending;
            }
        }
    })
    .await;
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn so_much_is_under_way_at_a_time_and_answers_keep_their_order() {
        let (now, most) = (Cell::new(0), Cell::new(0));
        let piece = |number: u64| {
            let (now, most) = (&now, &most);
            async move {
                now.set(now.get() + 1);
                most.set(now.get().max(most.get()));
                for _ in 0..20 - number {
                    tokio::task::yield_now().await;
                }
                now.set(now.get() - 1);
                number
            }
        };
        for (width, expected) in [(0, 1), (1, 1), (3, 3), (100, 10)] {
            most.set(0);
            assert_eq!(together((0..10).map(piece), width).await, (0..10).collect::<Vec<_>>());
            assert_eq!(most.get(), expected, "{width} at a time");
        }
        assert!(together(Vec::<std::future::Ready<()>>::new(), 3).await.is_empty());
    }
}
