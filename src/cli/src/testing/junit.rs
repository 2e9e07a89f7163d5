//! Writes the results as JUnit XML, which most CI systems read.
//!
//! Times are left out, so that the same seed gives the same file.

use std::path::Path;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::outcome::Outcome;
use crate::problem::Problem;

pub(super) fn write(path: &Path, outcomes: &[Outcome]) -> Result<(), Problem> {
    let mut report = Report::new("palabre test");
    let mut suites: Vec<TestSuite> = Vec::new();
    for outcome in outcomes {
        let status = match &outcome.failure {
            None => TestCaseStatus::success(),
            Some(failed) => {
                let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                let chat: Vec<_> = failed.chat.iter().map(ToString::to_string).collect();
                status.set_message(failed.message.as_str());
                status.set_description(chat.join("\n"));
                status
            }
        };
        let mut case = TestCase::new(outcome.test.as_str(), status);
        case.set_classname(outcome.suite.as_str());
        match suites.iter_mut().find(|suite| suite.name.as_str() == outcome.suite) {
            Some(suite) => {
                suite.add_test_case(case);
            }
            None => {
                let mut suite = TestSuite::new(outcome.suite.as_str());
                suite.add_test_case(case);
                suites.push(suite);
            }
        }
    }
    // Only now, since the report counts the test cases of a suite when it is added.
    report.add_test_suites(suites);
    let text = report.to_string().map_err(|error| Problem::Other(format!("cannot write JUnit XML: {error}")))?;
    std::fs::write(path, text).map_err(|cause| Problem::File { doing: "write", path: path.to_owned(), cause })
}
