//! Threads that have no member to train help those that have: parts of one large product, or of one update.
//!
//! Who helps with what is settled while it runs and differs from run to run; the numbers do not, because
//! a part is a set of elements whose sums nobody splits.

use super::real::Real;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a helper watches for the next task before it sleeps: longer than what lies between two large
/// products of a step, and waking takes as long.
const WATCH: Duration = Duration::from_micros(200);

/// After a task whose end was waited for longer than it was worked on, so many are computed without help:
/// another program has the helper's core. Each time it happens again, twice as many, up to the last number.
const ALONE: [usize; 2] = [64, 4096];

thread_local! {
    /// The team that this thread may call on.
    static CURRENT: RefCell<Option<Arc<Team>>> = const { RefCell::new(None) };
}

/// Threads that help, and what they know of each other.
pub struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

struct Shared {
    /// Threads that there are cores for.
    threads: usize,
    /// Members that a thread trains or is about to.
    busy: AtomicUsize,
    /// Goes up with each task: what helpers watch.
    tasks: AtomicU64,
    /// Parts of the task that somebody computes now.
    running: AtomicUsize,
    /// A part of the task panicked.
    failed: AtomicBool,
    /// Tasks that are yet to be computed without help, and how many the last time.
    alone: AtomicUsize,
    was_alone: AtomicUsize,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    task: Option<Task>,
    asleep: usize,
    closed: bool,
}

/// What is computed in parts.
struct Task {
    /// Lives until `run` returns, which waits for every part.
    body: *const (dyn Fn(usize) + Sync),
    /// Parts that nobody has begun: from here
    next: usize,
    /// to here.
    end: usize,
}

// SAFETY: the body may be called from any thread, and `run` keeps it alive while the task stands.
unsafe impl Send for Task {}

impl Team {
    /// A team for an engine of so many threads: one fewer that help.
    pub fn new(threads: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            threads,
            busy: AtomicUsize::new(0),
            tasks: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            alone: AtomicUsize::new(0),
            was_alone: AtomicUsize::new(0),
            state: Mutex::default(),
            wake: Condvar::new(),
        });
        let mut team = Self { shared, helpers: Vec::new() };
        for _ in 1..threads {
            let shared = Arc::clone(&team.shared);
            let builder = std::thread::Builder::new().name("helper".to_owned());
            team.helpers.push(builder.spawn(move || shared.help())?);
        }
        Ok(team)
    }

    /// One more member is to be trained.
    pub fn begin(&self) {
        self.shared.busy.fetch_add(1, Ordering::Relaxed);
    }

    /// One member fewer is being trained.
    pub fn end(&self) {
        self.shared.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.tasks.fetch_add(1, Ordering::Release);
        self.shared.wake.notify_all();
        for helper in self.helpers.drain(..) {
            // A helper that panicked has said so where its task was run.
            let _ = helper.join();
        }
    }
}

/// Lets this thread call on a team while `body` runs.
pub fn with<T>(team: &Arc<Team>, body: impl FnOnce() -> T) -> T {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            CURRENT.set(None);
        }
    }
    CURRENT.set(Some(Arc::clone(team)));
    let _leave = Leave;
    body()
}

/// How many threads, this one included, would compute a task of this thread now.
pub fn hands() -> usize {
    CURRENT.with_borrow(|team| {
        let Some(Team { shared, .. }) = team.as_deref() else { return 1 };
        let one_fewer = |count: usize| count.checked_sub(1);
        if shared.alone.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_fewer).is_ok() {
            return 1;
        }
        1 + shared.threads.saturating_sub(shared.busy.load(Ordering::Relaxed).max(1))
    })
}

/// Calls `body` with each part of 0..parts, once, on whichever threads are free.
pub fn run(parts: usize, body: &(dyn Fn(usize) + Sync)) {
    CURRENT.with_borrow(|team| match team.as_deref() {
        Some(team) if parts > 1 => team.shared.run(parts, body),
        _ => (0..parts).for_each(body),
    });
}

/// A slice whose disjoint parts are written by several threads.
pub struct Parts<'a, T> {
    start: *mut T,
    len: usize,
    _borrow: PhantomData<&'a mut [T]>,
}

// SAFETY: it hands out disjoint parts only, as `part` demands.
unsafe impl<T: Send> Sync for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    /// Of this slice.
    pub fn new(slice: &'a mut [T]) -> Self {
        Self { start: slice.as_mut_ptr(), len: slice.len(), _borrow: PhantomData }
    }

    /// The elements of a range.
    ///
    /// # Safety
    /// No two ranges that are in use at the same time may overlap.
    #[allow(clippy::mut_from_ref, reason = "the ranges are disjoint, as the caller promises")]
    pub unsafe fn part(&self, range: std::ops::Range<usize>) -> &mut [T] {
        assert!(range.start <= range.end && range.end <= self.len);
        // SAFETY: inside the slice, by the assertion, and nobody else's, as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, parts: usize, body: &(dyn Fn(usize) + Sync)) {
        {
            let mut state = self.lock();
            if state.task.is_some() {
                // Another member has the helpers.
                drop(state);
                return (0..parts).for_each(body);
            }
            // SAFETY: only the lifetime changes; nobody calls the body once `run` has taken the task back.
            let body: *const (dyn Fn(usize) + Sync) = unsafe {
                std::mem::transmute::<&(dyn Fn(usize) + Sync), &'static (dyn Fn(usize) + Sync)>(body)
            };
            self.failed.store(false, Ordering::Relaxed);
            state.task = Some(Task { body, next: 0, end: parts });
            self.tasks.fetch_add(1, Ordering::Release);
            if state.asleep > 0 {
                self.wake.notify_all();
            }
        }
        let began = Instant::now();
        let finish = Finish(self);
        self.work(|task| {
            task.next += 1;
            task.next - 1
        });
        let worked = began.elapsed();
        drop(finish);
        self.judge(worked, began.elapsed());
        assert!(!self.failed.load(Ordering::Relaxed), "a helper panicked");
    }

    /// Whether help was a help.
    fn judge(&self, worked: Duration, took: Duration) {
        let [fewest, most] = ALONE;
        let last = self.was_alone.load(Ordering::Relaxed);
        if took > 2 * worked + WATCH / 4 {
            let next = (2 * last).clamp(fewest, most);
            self.was_alone.store(next, Ordering::Relaxed);
            self.alone.store(next, Ordering::Relaxed);
        } else if last > 0 {
            self.was_alone.store(last - 1, Ordering::Relaxed);
        }
    }

    /// Computes parts until none is left to begin. Who asked takes the first and helpers the last, so that
    /// from one task to the next a core meets what is in its own cache.
    fn work(&self, take: fn(&mut Task) -> usize) {
        loop {
            let (body, part) = {
                let mut state = self.lock();
                let Some(task) = state.task.as_mut().filter(|task| task.next < task.end) else { return };
                let part = take(task);
                // Under the lock, so that the task is not taken back between the two.
                self.running.fetch_add(1, Ordering::Relaxed);
                (task.body, part)
            };
            let _done = Done(self);
            // SAFETY: `run` waits until no part is running before it returns and the body ends.
            unsafe { (*body)(part) };
        }
    }

    /// The life of a helper.
    fn help(&self) {
        let _flushing = f32::flushing();
        let mut seen = 0;
        loop {
            let now = self.tasks.load(Ordering::Acquire);
            if now == seen && !self.watch(seen) {
                let mut state = self.lock();
                state.asleep += 1;
                while self.tasks.load(Ordering::Acquire) == seen && !state.closed {
                    state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                state.asleep -= 1;
            }
            seen = self.tasks.load(Ordering::Acquire);
            if self.lock().closed {
                return;
            }
            // Members that came meanwhile need the core more.
            if self.busy.load(Ordering::Relaxed) < self.threads {
                let work = std::panic::AssertUnwindSafe(|| {
                    self.work(|task| {
                        task.end -= 1;
                        task.end
                    });
                });
                // Whoever asked for the task learns of it.
                let _ = std::panic::catch_unwind(work);
            }
        }
    }

    /// Watches for another task; returns whether there is one.
    fn watch(&self, seen: u64) -> bool {
        let began = Instant::now();
        while began.elapsed() < WATCH {
            for _ in 0..64 {
                if self.tasks.load(Ordering::Acquire) != seen {
                    return true;
                }
                std::hint::spin_loop();
            }
        }
        false
    }
}

/// Ends a part, also one that panicked.
struct Done<'a>(&'a Shared);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        // Before the part counts as ended: the task is taken back as soon as the last one has.
        if std::thread::panicking() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
        self.0.running.fetch_sub(1, Ordering::Release);
    }
}

/// Takes a task back once nobody computes a part of it.
struct Finish<'a>(&'a Shared);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        // No part begins from here on, also where one panicked on this thread.
        if let Some(task) = &mut self.0.lock().task {
            task.end = task.next;
        }
        let mut turns = 0_u32;
        while self.0.running.load(Ordering::Acquire) > 0 {
            turns += 1;
            if turns.is_multiple_of(4096) { std::thread::yield_now() } else { std::hint::spin_loop() }
        }
        self.0.lock().task = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_computed_once_whoever_computes_it() {
        let team = Arc::new(Team::new(4).unwrap());
        team.begin();
        for round in 0..2000 {
            let parts = 1 + round % 9;
            let mut counts = vec![0_u32; parts];
            let shared = Parts::new(&mut counts);
            // SAFETY: each part has an element of its own.
            with(&team, || run(parts, &|part| unsafe { shared.part(part..part + 1) }[0] += 1));
            assert_eq!(counts, vec![1; parts]);
        }
    }

    #[test]
    fn a_panic_of_a_part_reaches_who_asked_and_the_team_works_on() {
        let team = Arc::new(Team::new(3).unwrap());
        team.begin();
        for bad in 0..6 {
            let fails = || with(&team, || run(6, &|part| assert_ne!(part, bad)));
            assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(fails)).is_err());
            let sum = AtomicUsize::new(0);
            with(&team, || run(6, &|part| _ = sum.fetch_add(part, Ordering::Relaxed)));
            assert_eq!(sum.into_inner(), 15);
        }
    }

    #[test]
    fn hands_are_those_without_a_member() {
        let team = Arc::new(Team::new(4).unwrap());
        assert_eq!(hands(), 1);
        with(&team, || {
            for expected in [4, 3, 2, 1, 1] {
                team.begin();
                assert_eq!(hands(), expected);
            }
        });
        assert_eq!(hands(), 1);
    }
}
