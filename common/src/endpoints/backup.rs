//! `/api/backup/`: everything, as one file.

use super::endpoint;
use crate::endpoint::Empty;

endpoint! {
    /// A backup of everything as of now, while others go on writing: a file for `coffer restore`, not JSON.
    Get: GET "/api/backup/", Admin, OK => Empty
}
