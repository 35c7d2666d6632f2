//! What several nodes are asked for goes on without those that fail.

use std::sync::{Arc, Mutex, PoisonError};

use crate::render::Failed;

/// The contexts whose nodes failed, in the order in which they did. Clones are the same.
#[derive(Debug)]
pub(crate) struct Lost<E> {
    errors: Arc<Mutex<Vec<(String, E)>>>,
    /// Whether there are any.
    pub(crate) failed: Failed,
}

impl<E> Lost<E> {
    pub(crate) fn add(&self, context: String, error: E) {
        self.failed.set();
        self.errors.lock().unwrap_or_else(PoisonError::into_inner).push((context, error));
    }

    pub(crate) fn take(&self) -> Vec<(String, E)> {
        std::mem::take(&mut *self.errors.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<E> Default for Lost<E> {
    fn default() -> Lost<E> {
        Lost { errors: Arc::default(), failed: Failed::default() }
    }
}

impl<E> Clone for Lost<E> {
    fn clone(&self) -> Lost<E> {
        Lost { errors: Arc::clone(&self.errors), failed: self.failed.clone() }
    }
}
