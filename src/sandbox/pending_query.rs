//! Queries, which run in threads of their own, so that nobody waits for somebody else's.

use std::io;
use std::sync::Arc;

use hyper::body::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::answer::{Answer, Failure};
use super::store::{Pieces, QueryRequest, ServerError, Store, Viewer};

/// A query that was admitted and is still to be run.
#[derive(Clone, Debug)]
pub(super) struct PendingQuery {
    pub(super) text: QueryText,
    pub(super) viewer: Viewer,
    /// Why the caller gets no rows: the front end rejects malformed requests before the session is checked.
    pub(super) refusal: Option<Failure>,
}

/// What a query asks for.
#[derive(Clone, Debug)]
pub(super) enum QueryText {
    /// The parameters of a query API, and its inventory.
    Request(&'static str, Box<QueryRequest>),
    /// ZQL.
    Zql(String),
}

/// The further pieces of a body, or why there are none.
pub(super) type Rest = mpsc::Receiver<io::Result<Bytes>>;

impl PendingQuery {
    /// Runs the query. A long reply comes with its first piece; the rest is read while it is sent.
    pub(super) async fn run(self, store: Arc<Store>) -> (Answer, Option<Rest>) {
        let (sender, receiver) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let mut out =
                Output { is_whole: store.is_in_memory(), held: String::new(), head: Some(sender), rest: None };
            let outcome = self.write(&store, &mut out);
            out.end(outcome);
        });
        receiver.await.unwrap_or_else(|_| (Answer::text(500, ""), None))
    }

    fn write(&self, store: &Store, out: &mut Output) -> Result<(), Answer> {
        if let Some(failure) = &self.refusal {
            let mut ignored = String::new();
            return Err(match self.write_to(store, &mut ignored) {
                Err(text @ ServerError::Text { .. }) => Answer::from(text),
                _ => Answer::failed(failure),
            });
        }
        self.write_to(store, out).map_err(|error| match (&self.text, error) {
            (QueryText::Zql(_), ServerError::Text { text, .. }) => Answer::failed(&Failure::internal(text)),
            (_, error) => Answer::from(error),
        })
    }

    fn write_to(&self, store: &Store, out: &mut dyn Pieces) -> Result<(), ServerError> {
        match &self.text {
            QueryText::Request(inventory, request) => store.write_query(inventory, request, &self.viewer, out),
            QueryText::Zql(text) => store.write_zql(text, &self.viewer, out),
        }
    }
}

/// The reply on its way to the connection.
struct Output {
    /// Whether it is kept until it is complete: in memory a slow reader would hold up changes.
    is_whole: bool,
    held: String,
    head: Option<oneshot::Sender<(Answer, Option<Rest>)>>,
    rest: Option<mpsc::Sender<io::Result<Bytes>>>,
}

impl Pieces for Output {
    fn write(&mut self, piece: String) -> bool {
        if self.is_whole || self.held.is_empty() && self.head.is_some() {
            return self.held.write(piece);
        }
        if let Some(head) = self.head.take() {
            let (sender, receiver) = mpsc::channel(1);
            let first = Answer::complete(std::mem::take(&mut self.held));
            if head.send((first, Some(receiver))).is_err() {
                return false;
            }
            self.rest = Some(sender);
        }
        self.rest.as_ref().is_some_and(|rest| rest.blocking_send(Ok(piece.into())).is_ok())
    }
}

impl Output {
    fn end(mut self, outcome: Result<(), Answer>) {
        // Sending fails if the client has gone.
        match (self.head.take(), outcome) {
            (Some(head), Ok(())) => drop(head.send((Answer::complete(self.held), None))),
            (Some(head), Err(answer)) => drop(head.send((answer, None))),
            (None, Ok(())) => {}
            (None, Err(_)) => {
                let cut = Err(io::ErrorKind::ConnectionAborted.into());
                drop(self.rest.map(|rest| rest.blocking_send(cut)));
            }
        }
    }
}
