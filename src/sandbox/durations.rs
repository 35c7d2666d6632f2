//! Durations and time-outs of jobs.

use std::time::Duration;

const SECOND: i64 = 1000;
const HOUR: i64 = 3600 * SECOND;

/// The duration of jobs at speed 1 in milliseconds, by prefix of the API's name; the first match is used. Realistic
/// proportions, but short.
const USUAL: [(&str, u64); 27] = [
    ("AddImageStore", 2000),
    ("AddImage", 6000),
    ("AddKVMHost", 4000),
    ("AddSimulator", 500),
    ("Add", 2000),
    ("CreateVmInstance", 4000),
    ("CloneVmInstance", 6000),
    ("CreateRootVolumeTemplate", 5000),
    ("CreateDataVolumeTemplate", 5000),
    ("CreateVolumeSnapshot", 1500),
    ("CreateDataVolume", 800),
    ("MigrateVm", 5000),
    ("LocalStorageMigrateVolume", 6000),
    ("PrimaryStorageMigrate", 8000),
    ("BackupStorageMigrate", 8000),
    ("StartVmInstance", 2500),
    ("StopVmInstance", 2500),
    ("RebootVmInstance", 4000),
    ("DestroyVmInstance", 1500),
    ("ReimageVmInstance", 3000),
    ("RevertV", 3000),
    ("Reconnect", 1500),
    ("ExportImage", 4000),
    ("Delete", 400),
    ("Update", 100),
    ("Change", 150),
    ("", 300),
];

/// APIs with a time-out of 72 hours, by prefix (J8).
const LONG_LIMIT: [&str; 9] = [
    "AddImage",
    "CreateRootVolumeTemplate",
    "CreateDataVolumeTemplate",
    "CreateDataVolumeFrom",
    "PrimaryStorageMigrate",
    "BackupStorageMigrate",
    "LocalStorageMigrate",
    "ExportImage",
    "SyncImage",
];

/// The duration of an API at speed 1.
pub(super) fn usual(api: &str) -> Duration {
    let found = USUAL.iter().find(|(prefix, _)| api.starts_with(prefix));
    Duration::from_millis(found.map_or(0, |(_, milliseconds)| *milliseconds))
}

/// The default time-out of an API, in milliseconds.
pub(super) fn limit(api: &str) -> i64 {
    if LONG_LIMIT.iter().any(|prefix| api.starts_with(prefix)) { 72 * HOUR } else { HOUR / 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_prefix_counts() {
        assert_eq!(usual("AddImageStoreBackupStorage"), usual("AddSftpBackupStorage"));
        assert_eq!(usual("CreateZone"), Duration::from_millis(300));
        assert_eq!((limit("AddImage"), limit("CreateZone")), (259_200_000, 1_800_000));
    }
}
