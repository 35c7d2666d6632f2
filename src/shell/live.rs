//! Live values: a cache of what the node answered, and the thread that asks it.
//!
//! Tab waits for the network only within a budget. Cached values are offered at once; others are fetched in the
//! background for the next Tab. In large clouds the node does the searching: the number of resources fetched for one
//! question is limited.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::complete::{Fitting, Live, LiveValue, LiveValues};

/// A question to the node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Question {
    /// The resources of a query whose name contains a text, or whose uuid does where the text could be the start of one.
    Resources {
        /// The query API that lists them.
        query: String,
        /// What narrows them down to those that fit.
        fitting: Option<Fitting>,
        /// The text; empty for any resource.
        typed: String,
    },
    /// The distinct values of a field in the rows of a query.
    Values {
        /// The query API.
        query: String,
        /// The field.
        field: String,
    },
    /// The metrics of the resources of an inventory.
    Metrics {
        /// The inventory.
        inventory: String,
    },
}

/// Asks the node a question and returns at most so many answers; distinct values are their names. An error means that
/// the node cannot be asked now.
pub type Fetch = dyn Fn(&Question, usize) -> Result<Vec<LiveValue>, Unreachable> + Send + Sync;

/// The node cannot be asked now: nobody is logged in, or it does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node cannot be asked")]
pub struct Unreachable;

/// Time-outs and size limits of the cache.
#[derive(Clone, Copy, Debug)]
pub struct LiveLimits {
    /// How long Tab may wait for an answer.
    pub budget: Duration,
    /// How long an answer counts as fresh. An older one is offered, and refreshed in the background.
    pub fresh: Duration,
    /// How long an answer is offered at all.
    pub kept: Duration,
    /// How long to wait before a node that could not be asked is asked again.
    pub pause: Duration,
    /// The largest number of resources fetched for one question.
    pub values: usize,
    /// The largest number of answers in the cache.
    pub answers: usize,
}

impl Default for LiveLimits {
    fn default() -> LiveLimits {
        LiveLimits {
            budget: Duration::from_millis(300),
            fresh: Duration::from_secs(20),
            kept: Duration::from_secs(300),
            pause: Duration::from_secs(10),
            values: 200,
            answers: 64,
        }
    }
}

/// A cache of answers that asks the node in the background.
pub struct LiveCache {
    shared: Arc<Shared>,
    limits: LiveLimits,
    /// Called once, at the next Tab.
    at_tab: Mutex<Option<AtTab>>,
}

/// A callback for a Tab press. It must return quickly.
type AtTab = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for LiveCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveCache").field("limits", &self.limits).finish_non_exhaustive()
    }
}

struct Shared {
    fetch: Box<Fetch>,
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of another thread must not break completion; the state is consistent between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct State {
    answers: HashMap<Question, Answer>,
    queue: VecDeque<Question>,
    /// The question that the thread is asking, and since when.
    running: Option<(Question, Instant)>,
    has_thread: bool,
    off: bool,
    stop: bool,
    /// Incremented when the cache is cleared, so that answers to earlier questions are dropped.
    era: u64,
    unreachable_since: Option<Instant>,
}

struct Answer {
    values: Vec<LiveValue>,
    /// Whether these are all matches, so that they answer narrower questions too.
    complete: bool,
    at: Instant,
}

impl LiveCache {
    /// Returns a cache that asks through `fetch`. It asks nothing and starts no thread before the first look-up.
    pub fn new(limits: LiveLimits, fetch: Box<Fetch>) -> LiveCache {
        let state = State {
            answers: HashMap::new(),
            queue: VecDeque::new(),
            running: None,
            has_thread: false,
            off: false,
            stop: false,
            era: 0,
            unreachable_since: None,
        };
        LiveCache {
            shared: Arc::new(Shared { fetch, state: Mutex::new(state), changed: Condvar::new() }),
            limits,
            at_tab: Mutex::default(),
        }
    }

    /// Runs a callback once, at the next Tab.
    pub fn at_next_tab(&self, run: impl FnOnce() + Send + 'static) {
        *self.at_tab.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(run));
    }

    /// Clears the cache: the node or account is another one now, or something on the node was changed.
    pub fn forget(&self) {
        let mut state = self.shared.lock();
        state.era += 1;
        state.answers.clear();
        state.queue.clear();
        state.unreachable_since = None;
    }

    /// Switches live values on or off.
    pub fn set_enabled(&self, enabled: bool) {
        self.shared.lock().off = !enabled;
    }

    /// Whether live values are switched on.
    pub fn is_enabled(&self) -> bool {
        !self.shared.lock().off
    }

    /// Starts the thread if it is not running. Returns false where the system cannot start another thread.
    fn start(&self, state: &mut State) -> bool {
        if !state.has_thread {
            let (shared, limits) = (Arc::clone(&self.shared), self.limits);
            let thread = thread::Builder::new().name("live-values".to_owned());
            state.has_thread = thread.spawn(move || work(&shared, limits)).is_ok();
        }
        state.has_thread
    }

    /// Waits until nothing is being asked.
    #[cfg(test)]
    fn settle(&self) {
        let mut state = self.shared.lock();
        while state.running.is_some() || !state.queue.is_empty() {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl LiveValues for LiveCache {
    fn wake(&self) {
        let run = self.at_tab.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(run) = run {
            run();
        }
    }

    fn values(&self, query_api: &str, field: &str) -> Live {
        self.answer(Question::Values { query: query_api.to_owned(), field: field.to_owned() })
    }

    fn metrics(&self, inventory: &str) -> Live {
        self.answer(Question::Metrics { inventory: inventory.to_owned() })
    }

    fn lookup(&self, query_api: &str, typed: &str) -> Live {
        self.answer(Question::Resources { query: query_api.to_owned(), fitting: None, typed: typed.to_owned() })
    }

    fn fitting(&self, query_api: &str, fitting: &Fitting, typed: &str) -> Live {
        let fitting = Some(fitting.clone());
        self.answer(Question::Resources { query: query_api.to_owned(), fitting, typed: typed.to_owned() })
    }
}

impl LiveCache {
    /// Answers from the cache, or asks the node within the budget.
    fn answer(&self, question: Question) -> Live {
        let asked = Instant::now();
        let mut state = self.shared.lock();
        if state.off {
            return Live::Unavailable;
        }
        if let Some((known, at)) = state.known(&question, asked, self.limits) {
            if asked.duration_since(at) >= self.limits.fresh && self.start(&mut state) {
                state.ask(question);
                self.shared.changed.notify_all();
            }
            return known;
        }
        if state.unreachable_since.is_some_and(|since| asked.duration_since(since) < self.limits.pause) {
            return Live::Unavailable;
        }
        // The budget counts from the start of the request in progress, so that a slow or stuck one delays only one Tab.
        let waited = state.running.as_ref().map_or(Duration::ZERO, |(_, since)| asked.duration_since(*since));
        if !self.start(&mut state) {
            return Live::Unavailable;
        }
        state.ask(question.clone());
        self.shared.changed.notify_all();
        let era = state.era;
        let mut left = self.limits.budget.saturating_sub(waited);
        loop {
            if state.era != era || left.is_zero() {
                return Live::Pending;
            }
            state = match self.shared.changed.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            let now = Instant::now();
            if let Some((known, _)) = state.known(&question, now, self.limits) {
                return known;
            }
            if state.unreachable_since.is_some_and(|since| since >= asked) {
                return Live::Unavailable;
            }
            left = self.limits.budget.saturating_sub(waited + now.duration_since(asked));
        }
    }
}

impl Drop for LiveCache {
    fn drop(&mut self) {
        // The thread may be blocked on a node that never answers, so it is not joined.
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
    }
}

impl State {
    /// Returns the cached answer to a question, or to a wider one whose answer is complete.
    fn known(&self, question: &Question, now: Instant, limits: LiveLimits) -> Option<(Live, Instant)> {
        let usable = |answer: &&Answer| now.duration_since(answer.at) <= limits.kept;
        let exact = self.answers.get(question).filter(usable);
        let found = exact.or_else(|| {
            let Question::Resources { query, fitting, typed } = question else { return None };
            let wider = typed.char_indices().rev().map(|(at, _)| typed[..at].to_owned());
            let (query, fitting) = (|| query.clone(), || fitting.clone());
            let wider = wider.map(|typed| Question::Resources { query: query(), fitting: fitting(), typed });
            let mut answers = wider.filter_map(|question| self.answers.get(&question));
            answers.find(|answer| answer.complete && usable(answer))
        })?;
        let values = found.values.clone();
        Some((if found.complete { Live::Ready(values) } else { Live::Part(values) }, found.at))
    }

    /// Adds a question to the queue unless it is there already. Drops the oldest ones, which nobody waits for any more.
    fn ask(&mut self, question: Question) {
        if self.running.as_ref().is_some_and(|(running, _)| *running == question) || self.queue.contains(&question) {
            return;
        }
        self.queue.push_back(question);
        if self.queue.len() > 4 {
            self.queue.pop_front();
        }
    }

    /// Adds an answer to the cache; evicts the oldest one when it is full.
    fn remember(&mut self, question: Question, answer: Answer, limits: LiveLimits) {
        if self.answers.len() >= limits.answers && !self.answers.contains_key(&question) {
            let oldest = self.answers.iter().min_by_key(|(_, answer)| answer.at).map(|(question, _)| question.clone());
            if let Some(oldest) = oldest {
                self.answers.remove(&oldest);
            }
        }
        self.answers.insert(question, answer);
    }
}

/// The main loop of the thread: answers one question after the other.
fn work(shared: &Shared, limits: LiveLimits) {
    let mut state = shared.lock();
    while !state.stop {
        // The latest question is the one that the user is waiting for.
        let Some(question) = state.queue.pop_back() else {
            state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let era = state.era;
        state.running = Some((question.clone(), Instant::now()));
        drop(state);
        let fetched = (shared.fetch)(&question, limits.values);
        state = shared.lock();
        state.running = None;
        if state.era == era {
            match fetched {
                Ok(values) => {
                    let complete = values.len() < limits.values;
                    state.unreachable_since = None;
                    state.remember(question, Answer { values, complete, at: Instant::now() }, limits);
                }
                Err(Unreachable) => {
                    state.queue.clear();
                    state.unreachable_since = Some(Instant::now());
                }
            }
        }
        shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    /// In these tests answers do not expire unless a test says so.
    fn limits(budget: Duration) -> LiveLimits {
        let long = Duration::from_secs(3600);
        LiveLimits { budget, fresh: long, kept: long, pause: long, values: 3, answers: 2 }
    }

    fn patient() -> LiveLimits {
        limits(Duration::from_secs(3600))
    }

    fn host(name: &str) -> LiveValue {
        LiveValue { uuid: format!("{name}-uuid"), name: name.to_owned(), ..LiveValue::default() }
    }

    fn counting(calls: &Arc<AtomicUsize>, values: Vec<LiveValue>) -> Box<Fetch> {
        let calls = Arc::clone(calls);
        Box::new(move |_, _| {
            calls.fetch_add(1, Ordering::SeqCst);
            Ok(values.clone())
        })
    }

    #[test]
    fn an_answer_in_time_is_offered_and_remembered() {
        let calls = Arc::default();
        let cache = LiveCache::new(patient(), counting(&calls, vec![host("a")]));
        assert_eq!(cache.lookup("QueryHost", ""), Live::Ready(vec![host("a")]));
        assert_eq!(cache.lookup("QueryHost", ""), Live::Ready(vec![host("a")]));
        // A complete answer serves narrower questions.
        assert_eq!(cache.lookup("QueryHost", "kv"), Live::Ready(vec![host("a")]));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_large_cloud_is_searched_by_the_node() {
        let calls = Arc::default();
        let cache = LiveCache::new(patient(), counting(&calls, vec![host("a"), host("b"), host("c")]));
        let part = Live::Part(vec![host("a"), host("b"), host("c")]);
        assert_eq!(cache.lookup("QueryVmInstance", ""), part);
        assert_eq!(cache.lookup("QueryVmInstance", "web"), part);
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_node_that_does_not_answer_holds_nobody() {
        let (release, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let cache = LiveCache::new(
            limits(Duration::ZERO),
            Box::new(move |_, _| {
                let gate = gate.lock().unwrap_or_else(PoisonError::into_inner);
                gate.recv().map_err(|_| Unreachable)?;
                Ok(vec![host("late")])
            }),
        );
        assert_eq!(cache.lookup("QueryHost", ""), Live::Pending);
        assert_eq!(cache.lookup("QueryHost", ""), Live::Pending);
        release.send(()).expect("the thread waits");
        cache.settle();
        assert_eq!(cache.lookup("QueryHost", ""), Live::Ready(vec![host("late")]));
    }

    #[test]
    fn a_node_that_cannot_be_asked_is_left_alone() {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&calls);
        let cache = LiveCache::new(
            patient(),
            Box::new(move |_, _| {
                counted.fetch_add(1, Ordering::SeqCst);
                Err(Unreachable)
            }),
        );
        assert_eq!(cache.lookup("QueryHost", ""), Live::Unavailable);
        assert_eq!(cache.lookup("QueryZone", "x"), Live::Unavailable);
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        cache.forget();
        assert_eq!(cache.lookup("QueryHost", ""), Live::Unavailable);
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn switched_off_nothing_is_asked() {
        let calls = Arc::default();
        let cache = LiveCache::new(patient(), counting(&calls, Vec::new()));
        cache.set_enabled(false);
        assert_eq!(cache.lookup("QueryHost", ""), Live::Unavailable);
        cache.set_enabled(true);
        assert_eq!(cache.lookup("QueryHost", ""), Live::Ready(Vec::new()));
        assert_eq!(calls.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_old_answer_is_offered_and_renewed() {
        let calls = Arc::default();
        let limits = LiveLimits { fresh: Duration::ZERO, ..patient() };
        let cache = LiveCache::new(limits, counting(&calls, vec![host("a")]));
        cache.lookup("QueryHost", "");
        cache.settle();
        assert_eq!(cache.lookup("QueryHost", ""), Live::Ready(vec![host("a")]));
        cache.settle();
        assert_eq!(calls.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn few_answers_are_remembered() {
        let calls = Arc::default();
        let cache = LiveCache::new(patient(), counting(&calls, Vec::new()));
        for query in ["QueryHost", "QueryZone", "QueryCluster"] {
            cache.lookup(query, "");
        }
        assert_eq!(cache.shared.lock().answers.len(), 2);
    }
}
