//! What calls change in the cloud.

use super::answer::Failure;
use super::arguments::Arguments;
use super::calls::Caller;
use super::node::Node;
use crate::catalog::Api;

impl Node {
    /// Runs an API whose parameters and session are good.
    pub(super) fn run(&mut self, api: &Api, arguments: &Arguments, caller: &Caller) -> Result<String, Failure> {
        if let Some(outcome) = self.run_log_in(api.name, arguments) {
            return outcome;
        }
        if let Some(outcome) = self.read(api.name, arguments, caller) {
            return outcome;
        }
        Err(Failure::not_simulated(api.name))
    }

    /// What a call changes as soon as it is taken, and whether it can run at all.
    pub(super) fn prepare(&mut self, api: &Api, arguments: &Arguments, caller: &Caller) -> Result<(), Failure> {
        let _ = (api, arguments, caller);
        Ok(())
    }
}
