//! Jobs: asynchronous calls (J1 to J11).
//!
//! A job is a row with a due time. Before a node handles a request it runs the jobs that are due. So there is no timer
//! and no race with one, and a job survives the process that accepted it: the process that handles the next request
//! claims and runs it.

use rusqlite::{OptionalExtension, Row, params};

use super::answer::Answer;
use super::arguments::Arguments;
use super::calls::Caller;
use super::clock::UnixMillis;
use super::ledger::Ledger;

const WAITING: i64 = 0;
const CLAIMED: i64 = 1;
const FINISHED: i64 = 2;
const IN_PARTS: i64 = 3;

/// A job that is due or running.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub(super) uuid: String,
    pub(super) api: String,
    /// The arguments as JSON. They are removed when the job ends, since they may contain secrets.
    pub(super) arguments: Option<String>,
    pub(super) account: String,
    pub(super) is_admin: bool,
    /// The address that the call came from.
    pub(super) client: Option<String>,
    /// The long job that this job works for.
    pub(super) long_job: Option<String>,
    pub(super) requested: UnixMillis,
    pub(super) due: UnixMillis,
}

impl Job {
    /// The arguments of the call.
    pub(super) fn arguments(&self) -> Arguments {
        let values = self.arguments.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Arguments::from_values(values.unwrap_or_default())
    }

    /// Who made the call.
    pub(super) fn caller(&self) -> Caller {
        Caller { account: self.account.clone(), is_admin: self.is_admin }
    }
}

/// The progress of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// It is running, with its start time and expected end time.
    Running(UnixMillis, UnixMillis),
    /// It has ended, with this reply to polls.
    Finished(Answer),
}

const COLUMNS: &str = "uuid, api, arguments, account, is_admin, client, long_job, requested, due";

fn read(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        uuid: row.get(0)?,
        api: row.get(1)?,
        arguments: row.get(2)?,
        account: row.get(3)?,
        is_admin: row.get(4)?,
        client: row.get(5)?,
        long_job: row.get(6)?,
        requested: UnixMillis(row.get(7)?),
        due: UnixMillis(row.get(8)?),
    })
}

impl Ledger {
    /// Whether the job uuid is known (J2).
    pub(super) fn knows_job(&self, uuid: &str) -> rusqlite::Result<bool> {
        self.connection.prepare_cached("select 1 from job where uuid = ?")?.exists([uuid])
    }

    /// Stores a job.
    pub(super) fn begin_job(&self, job: &Job) -> rusqlite::Result<()> {
        let sql = "insert into job (uuid, api, arguments, account, is_admin, client, long_job, requested, due, state)
                   values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        self.connection.prepare_cached(sql)?.execute(params![
            job.uuid,
            job.api,
            job.arguments,
            job.account,
            job.is_admin,
            job.client,
            job.long_job,
            job.requested.0,
            job.due.0,
            WAITING
        ])?;
        Ok(())
    }

    /// Claims the next job that is due, so that no other process runs it. If its API is done in parts, another process
    /// carries it on if this one is killed.
    pub(super) fn claim_job(
        &self,
        now: UnixMillis,
        is_in_parts: impl Fn(&str) -> bool,
    ) -> rusqlite::Result<Option<Job>> {
        loop {
            let sql = format!("select {COLUMNS} from job where state = ? and due <= ? order by due, number limit 1");
            let next = self.connection.prepare_cached(&sql)?.query_row(params![WAITING, now.0], read).optional()?;
            let Some(job) = next else { return Ok(None) };
            let state = if is_in_parts(&job.api) { IN_PARTS } else { CLAIMED };
            let sql = "update job set state = ? where uuid = ? and state = ?";
            if self.connection.prepare_cached(sql)?.execute(params![state, job.uuid, WAITING])? == 1 {
                return Ok(Some(job));
            }
        }
    }

    /// The jobs that are done in parts and have not ended.
    pub(super) fn jobs_in_parts(&self) -> rusqlite::Result<Vec<Job>> {
        let sql = format!("select {COLUMNS} from job where state = ? order by number");
        self.connection.prepare_cached(&sql)?.query_map([IN_PARTS], read)?.collect()
    }

    /// Stores a job's reply and removes its arguments.
    pub(super) fn finish_job(&self, uuid: &str, answer: &Answer) -> rusqlite::Result<()> {
        let sql = "update job set state = ?, status = ?, body = ?, arguments = null where uuid = ?";
        let body = String::from_utf8_lossy(&answer.body);
        self.connection.prepare_cached(sql)?.execute(params![FINISHED, answer.status, body, uuid])?;
        Ok(())
    }

    /// The progress of a job; `None` if it is unknown or purged (J4, J5). A reply is not returned before the job is
    /// due.
    pub(super) fn job_progress(&self, uuid: &str, now: UnixMillis) -> rusqlite::Result<Option<Progress>> {
        let sql = "select state, requested, due, status, body from job where uuid = ?";
        self.connection
            .prepare_cached(sql)?
            .query_row([uuid], |row| {
                if row.get::<_, i64>(0)? == FINISHED && row.get::<_, i64>(2)? <= now.0 {
                    let body: String = row.get(4)?;
                    return Ok(Progress::Finished(Answer {
                        status: row.get(3)?,
                        body: body.into_bytes(),
                        is_page: false,
                    }));
                }
                Ok(Progress::Running(UnixMillis(row.get(1)?), UnixMillis(row.get(2)?)))
            })
            .optional()
    }

    /// The API that a job runs.
    pub(super) fn job_api(&self, uuid: &str) -> rusqlite::Result<Option<String>> {
        self.connection.query_row("select api from job where uuid = ?", [uuid], |row| row.get(0)).optional()
    }

    /// The job that works for a long job, unless it has been claimed.
    pub(super) fn work_of(&self, long_job: &str) -> rusqlite::Result<Option<Job>> {
        let sql = format!("select {COLUMNS} from job where long_job = ? and state = ? order by number desc limit 1");
        self.connection.query_row(&sql, params![long_job, WAITING], read).optional()
    }

    /// Deletes a job, for the fault of a lost record.
    pub(super) fn forget_job(&self, uuid: &str) -> rusqlite::Result<()> {
        self.connection.execute("delete from job where uuid = ?", [uuid])?;
        Ok(())
    }

    /// Deletes ended jobs that were requested before a time (J5).
    pub(super) fn purge_jobs(&self, requested_before: UnixMillis) -> rusqlite::Result<()> {
        let sql = "delete from job where requested < ? and state = ?";
        self.connection.prepare_cached(sql)?.execute(params![requested_before.0, FINISHED])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(uuid: &str, due: i64) -> Job {
        Job {
            uuid: uuid.into(),
            api: "CreateZone".into(),
            arguments: Some("{}".into()),
            account: "a".into(),
            is_admin: true,
            client: None,
            long_job: None,
            requested: UnixMillis(0),
            due: UnixMillis(due),
        }
    }

    #[test]
    fn jobs_run_once_in_the_order_they_are_due() {
        let ledger = Ledger::in_memory().expect("a database in memory");
        for (uuid, due) in [("late", 30), ("soon", 10), ("sooner", 10)] {
            ledger.begin_job(&job(uuid, due)).expect("a job");
        }
        let mut order = Vec::new();
        while let Some(job) = ledger.claim_job(UnixMillis(20), |_| false).expect("a claim") {
            order.push(job.uuid);
        }
        assert_eq!(order, ["soon", "sooner"]);
        assert_eq!(
            ledger.job_progress("soon", UnixMillis(20)).expect("a look-up"),
            Some(Progress::Running(UnixMillis(0), UnixMillis(10)))
        );
        ledger.finish_job("soon", &Answer::text(200, "{}")).expect("an end");
        assert_eq!(
            ledger.job_progress("soon", UnixMillis(20)).expect("a look-up"),
            Some(Progress::Finished(Answer::text(200, "{}")))
        );
        ledger.purge_jobs(UnixMillis(1)).expect("a purge");
        assert_eq!(ledger.job_progress("soon", UnixMillis(20)).expect("a look-up"), None);
        assert!(ledger.knows_job("late").expect("a look-up"), "only finished jobs are purged");
    }
}
