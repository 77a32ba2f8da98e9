//! The same question about each of many things, as many at once as the machine has processors.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many are worked on at once.
pub fn count() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from)
}

/// Asks `work` about each item and gives the answers in the items' order.
///
/// Every thread begins with a state of its own (an open repository cannot be shared), made by
/// `begin`. Items are taken one by one, so that a slow one holds up nobody else.
pub fn each<T: Sync, S, R: Send>(
    items: &[T],
    begin: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &T) -> R + Sync,
) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let take = || {
        let (mut state, mut answers) = (begin(), Vec::new());
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return answers };
            answers.push((at, work(&mut state, item)));
        }
    };
    let mut answers = std::thread::scope(|scope| {
        let others: Vec<_> = (1..count().min(items.len())).map(|_| scope.spawn(take)).collect();
        let mut answers = take();
        for other in others {
            match other.join() {
                Ok(more) => answers.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        answers
    });
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        let begun = AtomicUsize::new(0);
        let begin = || begun.fetch_add(1, Ordering::Relaxed);
        let doubled = each(&items, begin, |_, item| item * 2);
        assert_eq!(doubled, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        assert!(begun.into_inner() <= count());
        assert!(each(&[], || (), |(), item: &u32| *item).is_empty());
    }
}
