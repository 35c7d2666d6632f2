//! Long jobs: calls that are submitted and followed by a record (section 10).
//!
//! `SubmitLongJob` is a job that ends as soon as the submitted call has started. The call runs as another job, which
//! writes its result into the record.

use serde_json::{Value, json};

use super::answer::Failure;
use super::arguments::Arguments;
use super::calls::Caller;
use super::checks;
use super::durations;
use super::jobs::Job;
use super::ledger::new_uuid;
use super::node::Node;
use super::reads::MANAGEMENT_NODE;
use super::store::{Row, Scalar};
use crate::catalog::{Api, Candidate};

/// The APIs that can be submitted as long jobs.
const LONG: [&str; 16] = [
    "AddImage",
    "BackupStorageMigrateImage",
    "CloneVmInstance",
    "CreateDataVolumeFromVolumeSnapshot",
    "CreateDataVolumeTemplateFromVolume",
    "CreateRootVolumeTemplateFromRootVolume",
    "CreateVmInstance",
    "CreateVolumeSnapshot",
    "DeleteVolumeSnapshot",
    "ExportImageFromBackupStorage",
    "FlattenVolume",
    "LocalStorageMigrateVolume",
    "MigrateVm",
    "PrimaryStorageMigrateVm",
    "PrimaryStorageMigrateVolume",
    "RevertVolumeFromSnapshot",
];

/// The APIs that submit and control long jobs.
pub(super) const STEERING: [&str; 6] =
    ["CancelLongJob", "CleanLongJob", "DeleteLongJob", "RerunLongJob", "ResumeLongJob", "SubmitLongJob"];

const RECORD: &str = "LongJobInventory";

impl Node {
    /// Checks such a call before it is accepted.
    pub(super) fn check_long_job(&mut self, api: &str, arguments: &Arguments) -> Result<(), Failure> {
        if api == "SubmitLongJob" {
            self.work(arguments.text("jobName"), arguments.text("jobData")).map(|_| ())
        } else {
            Ok(())
        }
    }

    /// Runs such a call; `None` for other APIs. `job` is the uuid of the call's own job.
    pub(super) fn run_long_job(
        &mut self,
        api: &str,
        arguments: &Arguments,
        caller: &Caller,
        job: &str,
    ) -> Option<Result<String, Failure>> {
        let uuid = arguments.text("uuid").unwrap_or_default();
        Some(match api {
            "SubmitLongJob" => self.submit_long_job(arguments, caller, job),
            "CancelLongJob" => self.cancel(uuid),
            "RerunLongJob" => self.rerun(uuid, caller, job),
            "ResumeLongJob" | "CleanLongJob" => self.long_job(uuid).and_then(|_| {
                Err(Failure::new("LONG_JOB.1003", format!("the long job[uuid:{uuid}] does not support this")))
            }),
            "DeleteLongJob" => self.delete_long_job(uuid),
            _ => return None,
        })
    }

    /// The submitted API and its arguments.
    fn work(&mut self, job_name: Option<&str>, job_data: Option<&str>) -> Result<(Api, Arguments), Failure> {
        let job_name = job_name.unwrap_or_default();
        let name = job_name.strip_prefix("API").and_then(|rest| rest.strip_suffix("Msg")).unwrap_or_default();
        let api = self
            .offer
            .api(name)
            .filter(|api| LONG.contains(&api.name))
            .ok_or_else(|| Failure::argument(format!("field[jobName] names no long job: {job_name}")))?;
        let bad = |what: String| Failure::argument(format!("field[jobData] {what}"));
        // Text that is not JSON passes all checks (R13).
        let data: Value = serde_json::from_str(job_data.unwrap_or_default())
            .map_err(|error| Failure::internal(format!("malformed JSON in jobData: {error}")))?;
        let candidate = Candidate { api: std::rc::Rc::new(api), variables: Vec::new() };
        let body = json!({ (candidate.api.body): data });
        let arguments = Arguments::from_body(&candidate, Some(&body))
            .map_err(|answer| bad(String::from_utf8_lossy(&answer.body).into_owned()))?;
        checks::check_values(&candidate.api, &arguments)?;
        checks::check_references(self.catalog, &self.store, &candidate.api, &arguments)?;
        Ok(((*candidate.api).clone(), arguments))
    }

    fn submit_long_job(&mut self, arguments: &Arguments, caller: &Caller, job: &str) -> Result<String, Failure> {
        let (api, work) = self.work(arguments.text("jobName"), arguments.text("jobData"))?;
        let uuid = match arguments.text("resourceUuid") {
            Some(uuid) => uuid.to_owned(),
            None => new_uuid(),
        };
        let now = self.now().to_stored();
        let mut row = Row::new()
            .with("uuid", uuid.as_str())
            .with("name", arguments.text("name").unwrap_or(api.name))
            .with("apiId", job)
            .with("jobName", arguments.text("jobName").unwrap_or_default())
            .with("jobData", arguments.text("jobData").unwrap_or_default())
            .with("state", "Running")
            .with("managementNodeUuid", MANAGEMENT_NODE)
            .with("createDate", now.as_str())
            .with("lastOpDate", now);
        for field in ["description", "targetResourceUuid"] {
            if let Some(text) = arguments.text(field) {
                row.set(field, text);
            }
        }
        self.prepare(&api, &work, caller)?;
        self.store.transaction(|tx| -> Result<(), Failure> {
            tx.insert(RECORD, &row)?;
            Ok(tx.set_owner(&uuid, "LongJobVO", &caller.account)?)
        })?;
        self.begin_work(&uuid, &api, &work, caller)?;
        self.long_job_reply(&uuid)
    }

    /// Starts the submitted call.
    fn begin_work(&mut self, uuid: &str, api: &Api, work: &Arguments, caller: &Caller) -> Result<(), Failure> {
        let now = self.now();
        let job = Job {
            uuid: new_uuid(),
            api: api.name.to_owned(),
            arguments: Some(Value::Object(work.values().clone()).to_string()),
            account: caller.account.clone(),
            is_admin: caller.is_admin,
            client: None,
            long_job: Some(uuid.to_owned()),
            requested: now,
            due: now.plus(self.scaled(durations::usual(api.name))),
        };
        Ok(self.ledger.begin_job(&job)?)
    }

    /// Writes the result of a submitted call into the record of its long job.
    pub(super) fn end_long_job(&mut self, job: &Job, outcome: &Result<String, Failure>) -> Result<(), Failure> {
        let Some(uuid) = &job.long_job else { return Ok(()) };
        let seconds = (self.now().0 - job.requested.0) / 1000;
        let (state, result) = match outcome {
            Ok(reply) => ("Succeeded", reply.clone()),
            Err(failure) => ("Failed", failed_result(failure)),
        };
        self.change_long_job(uuid, state, Some(&result), seconds)
    }

    fn change_long_job(&self, uuid: &str, state: &str, result: Option<&str>, seconds: i64) -> Result<(), Failure> {
        let changes = Row::new()
            .with("state", state)
            .with("jobResult", result.map_or(Scalar::Null, Scalar::from))
            .with("executeTime", seconds)
            .with("lastOpDate", self.now().to_stored());
        self.store.transaction(|tx| -> Result<(), Failure> {
            tx.update(RECORD, uuid, &changes)?;
            Ok(())
        })
    }

    fn long_job(&self, uuid: &str) -> Result<Row, Failure> {
        let found = self.find(RECORD, &[("uuid", Scalar::from(uuid))])?;
        found.into_iter().next().ok_or_else(|| {
            Failure::not_found(format!("invalid field[uuid], there is no resource[uuid:{uuid}, type:LongJob]"))
        })
    }

    fn long_job_reply(&self, uuid: &str) -> Result<String, Failure> {
        let json = self.store.transaction(|tx| -> Result<_, Failure> { Ok(tx.inventory_json(RECORD, uuid)?) })?;
        Ok(format!("{{\"inventory\":{}}}", json.unwrap_or_default()))
    }

    fn cancel(&mut self, uuid: &str) -> Result<String, Failure> {
        let row = self.long_job(uuid)?;
        let state = row.text("state").unwrap_or_default().to_owned();
        let work = self.ledger.work_of(uuid)?.filter(|_| state == "Running");
        let Some(work) = work else {
            return Err(Failure::new(
                "LONG_JOB.1001",
                format!("the long job[uuid:{uuid}] is {state}, it cannot be cancelled"),
            ));
        };
        self.ledger.forget_job(&work.uuid)?;
        if work.api == "MigrateVm" {
            self.stay(work.arguments.as_deref())?;
        }
        let result = failed_result(&Failure::new("LONG_JOB.1000", format!("the long job[uuid:{uuid}] was cancelled")));
        let seconds = (self.now().0 - work.requested.0) / 1000;
        self.change_long_job(uuid, "Canceled", Some(&result), seconds)?;
        Ok("{}".to_owned())
    }

    /// Cancels the migration of a virtual machine, which keeps running on its host.
    fn stay(&self, arguments: Option<&str>) -> Result<(), Failure> {
        let arguments: Value = arguments.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let vm = arguments["vmInstanceUuid"].as_str().unwrap_or_default();
        self.store.transaction(|tx| -> Result<(), Failure> {
            tx.update("VmInstanceInventory", vm, &Row::new().with("state", "Running"))?;
            Ok(())
        })
    }

    fn rerun(&mut self, uuid: &str, caller: &Caller, job: &str) -> Result<String, Failure> {
        let row = self.long_job(uuid)?;
        let state = row.text("state").unwrap_or_default();
        if !matches!(state, "Failed" | "Canceled" | "Succeeded") {
            return Err(Failure::new(
                "LONG_JOB.1003",
                format!("the long job[uuid:{uuid}] is {state}, it cannot be run again"),
            ));
        }
        let (api, work) = self.work(row.text("jobName"), row.text("jobData"))?;
        self.prepare(&api, &work, caller)?;
        self.change_long_job(uuid, "Running", None, 0)?;
        self.store.transaction(|tx| -> Result<(), Failure> {
            tx.update(RECORD, uuid, &Row::new().with("apiId", job))?;
            Ok(())
        })?;
        self.begin_work(uuid, &api, &work, caller)?;
        self.long_job_reply(uuid)
    }

    fn delete_long_job(&mut self, uuid: &str) -> Result<String, Failure> {
        let Ok(row) = self.long_job(uuid) else { return Ok("{}".to_owned()) };
        let state = row.text("state").unwrap_or_default();
        if matches!(state, "Running" | "Waiting" | "Canceling") {
            return Err(Failure::refused(format!("the long job[uuid:{uuid}] is {state}, it cannot be deleted")));
        }
        self.store.transaction(|tx| -> Result<(), Failure> {
            tx.delete(RECORD, uuid)?;
            tx.remove_tags(uuid)?;
            Ok(tx.remove_owner(uuid)?)
        })?;
        Ok("{}".to_owned())
    }

    /// The job of the submitted call.
    pub(super) fn work_begun_by(&self, job: &str) -> Result<Option<Job>, Failure> {
        let found = self.find(RECORD, &[("apiId", Scalar::from(job))])?;
        match found.first().and_then(|row| row.text("uuid")) {
            Some(uuid) => Ok(self.ledger.work_of(uuid)?),
            None => Ok(None),
        }
    }
}

/// The result of long jobs that did not succeed.
fn failed_result(failure: &Failure) -> String {
    let error: Value = serde_json::from_str(&failure.to_text()).unwrap_or_default();
    json!({ "message": error["description"], "detail": error["details"], "cause": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn the_table_names_asynchronous_apis_of_the_catalog() {
        for name in LONG {
            assert!(Catalog::newest().api(name).is_some_and(|api| api.is_async), "{name}");
        }
    }
}
