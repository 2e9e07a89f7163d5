//! The selene lints that are enabled, and their severities.
//!
//! An error is a problem that fails at run time.

use std::collections::HashMap;

use selene_lib::LintVariation::{Allow, Deny, Warn};
use selene_lib::standard_library::StandardLibrary;
use selene_lib::{Checker, CheckerConfig, LintVariation};
use serde_json::{Value, json};

use crate::error::LintError;

const LINTS: &[(&str, LintVariation)] = &[
    ("undefined_variable", Deny),
    ("incorrect_standard_library_use", Deny),
    ("almost_swapped", Warn),
    ("bad_string_escape", Warn),
    ("compare_nan", Warn),
    ("constant_table_comparison", Warn),
    ("deprecated", Warn),
    ("divide_by_zero", Warn),
    ("duplicate_keys", Warn),
    ("empty_if", Warn),
    ("empty_loop", Warn),
    ("global_usage", Warn),
    ("if_same_then_else", Warn),
    ("ifs_same_cond", Warn),
    ("invalid_lint_filter", Warn),
    ("manual_table_clone", Warn),
    ("mismatched_arg_count", Warn),
    ("mixed_table", Warn),
    ("must_use", Warn),
    ("suspicious_reverse_loop", Warn),
    ("type_check_inside_call", Warn),
    ("unbalanced_assignments", Warn),
    ("unscoped_variables", Warn),
    ("unused_variable", Warn),
    // Matters of taste.
    ("high_cyclomatic_complexity", Allow),
    ("multiple_statements", Allow),
    ("parenthese_conditions", Allow),
    ("shadowing", Allow),
    // Needs a configuration, which scripts do not have.
    ("restricted_module_paths", Allow),
    // For another platform.
    ("roblox_incorrect_color3_new_bounds", Allow),
    ("roblox_incorrect_roact_usage", Allow),
    ("roblox_manual_fromscale_or_fromoffset", Allow),
    ("roblox_suspicious_udim2_new", Allow),
];

/// Creates selene's checker with these settings.
pub(crate) fn checker(library: StandardLibrary) -> Result<Checker<Value>, LintError> {
    // A block with only a comment is empty on purpose.
    let comments_count = json!({ "comments_count": true });
    let config = CheckerConfig {
        config: HashMap::from([
            ("empty_if".to_owned(), comments_count.clone()),
            ("empty_loop".to_owned(), comments_count),
        ]),
        lints: LINTS.iter().map(|(name, variation)| ((*name).to_owned(), *variation)).collect(),
        ..CheckerConfig::default()
    };
    Checker::new(config, library).map_err(|error| LintError::Setup(error.to_string()))
}
