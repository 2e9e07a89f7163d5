//! Limits on texts for which Fluent's formatter would be slow, or would panic.
//!
//! It panics on some texts once they have more than a hundred placeables.

use fluent_bundle::FluentResource;
use fluent_syntax::ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement};

/// The maximum number of variants of a selection: the formatter compares them one by one.
const VARIANTS_MAX: usize = 100;
/// The maximum number of arguments of a call: the formatter copies each.
const ARGUMENTS_MAX: usize = 16;
/// The maximum number of decimals of a number: the formatter computes ten to that power.
const DECIMALS_MAX: usize = 15;

/// Checks the texts of a file whose nesting depth was checked before.
///
/// # Errors
/// Returns the text and the limit that it exceeds.
pub(super) fn check(resource: &FluentResource) -> Result<(), String> {
    for entry in resource.entries() {
        let (name, value, attributes) = match entry {
            Entry::Message(message) => (message.id.name, message.value.as_ref(), &message.attributes),
            Entry::Term(term) => (term.id.name, Some(&term.value), &term.attributes),
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) | Entry::Junk { .. } => continue,
        };
        for pattern in value.into_iter().chain(attributes.iter().map(|attribute| &attribute.value)) {
            check_pattern(pattern).map_err(|problem| format!("the text \"{name}\" {problem}"))?;
        }
    }
    Ok(())
}

fn check_pattern(pattern: &Pattern<&str>) -> Result<(), String> {
    pattern.elements.iter().try_for_each(|element| match element {
        PatternElement::Placeable { expression } => check_expression(expression),
        PatternElement::TextElement { .. } => Ok(()),
    })
}

fn check_expression(expression: &Expression<&str>) -> Result<(), String> {
    match expression {
        Expression::Inline(inline) => check_inline(inline),
        Expression::Select { variants, .. } if variants.len() > VARIANTS_MAX => {
            Err(format!("has a choice of more than {VARIANTS_MAX} variants"))
        }
        // The formatter's errors name the selector, and panic for literals, which have no name.
        Expression::Select {
            selector: InlineExpression::StringLiteral { .. } | InlineExpression::NumberLiteral { .. },
            ..
        } => Err("chooses by something that is always the same; choose by a value, as { $count -> … }".to_owned()),
        Expression::Select { selector, variants } => {
            check_inline(selector)?;
            variants.iter().try_for_each(|variant| check_pattern(&variant.value))
        }
    }
}

fn check_inline(inline: &InlineExpression<&str>) -> Result<(), String> {
    match inline {
        InlineExpression::FunctionReference { arguments, .. } => check_call(arguments),
        InlineExpression::TermReference { arguments, .. } => arguments.as_ref().map_or(Ok(()), check_call),
        InlineExpression::Placeable { .. } => {
            Err("has a placeable directly in another; write { $x } for { { $x } }".to_owned())
        }
        InlineExpression::NumberLiteral { value } => match value.split_once('.') {
            Some((_, decimals)) if decimals.len() > DECIMALS_MAX => {
                Err(format!("has a number with more than {DECIMALS_MAX} decimals"))
            }
            _ => Ok(()),
        },
        InlineExpression::StringLiteral { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::VariableReference { .. } => Ok(()),
    }
}

fn check_call(arguments: &CallArguments<&str>) -> Result<(), String> {
    if arguments.positional.len() + arguments.named.len() > ARGUMENTS_MAX {
        return Err(format!("has a call with more than {ARGUMENTS_MAX} arguments"));
    }
    let named = arguments.named.iter().map(|argument| &argument.value);
    arguments.positional.iter().chain(named).try_for_each(check_inline)
}
