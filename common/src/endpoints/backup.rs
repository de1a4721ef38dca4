//! `/api/backup/`: everything, as one file.

use super::endpoint;
use crate::answer::File;

endpoint! {
    /// A backup of everything as of now, while others go on writing: a file for `coffer restore`, not JSON.
    Get: GET "/api/backup/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer File as OK
}
