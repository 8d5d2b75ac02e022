//! `tagship monitor`.

mod check;
mod quality;
mod slo;

use tagship_adapters::{datasets, stores};
use tagship_domain::{
    Exit,
    drift::{DriftProfile, DriftReport},
    schema,
};
use tagship_monitor::drift::{Column, Settings, Side, Test, conclude, measure, unreadable};
use tagship_ports::{ColumnValues, Dataset, PortError, Problem};
use tagship_report::terminal;
use tagship_runner::{
    Context, Failure, Screen,
    args::{DriftArgs, DriftFailure, DriftRules, MonitorArgs, MonitorQuestion},
};

use crate::{answer::Answer, failure::failed, workspace::Workspace};

/// Only a look at everything needs a repository and a configuration.
pub(crate) async fn run(args: &MonitorArgs, context: &Context) -> Result<Answer, Failure> {
    match &args.question {
        MonitorQuestion::Drift(args) => drift(args, context),
        MonitorQuestion::Quality(args) => quality::run(args, context),
        MonitorQuestion::Slo(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            slo::run(args, &workspace).await
        }
        MonitorQuestion::Check(args) => {
            let workspace = Workspace::open(&args.common, context.clone(), stores::open)?;
            check::run(args, &workspace).await
        }
    }
}

fn drift(args: &DriftArgs, context: &Context) -> Result<Answer, Failure> {
    let settings = Settings {
        profile: match args.profile {
            DriftRules::Default => DriftProfile::Default,
            DriftRules::Evidently => DriftProfile::Evidently,
        },
        test: args.test.as_deref().map(str::parse::<Test>).transpose().map_err(Failure::usage)?,
        critical: args.critical.iter().cloned().collect(),
    };
    let reference = datasets::open(&args.reference).map_err(failed)?;
    let current = datasets::open(&args.current).map_err(failed)?;
    let mut tables = [reference, current];
    let names = names(args, &tables)?;
    let measured = names.iter().map(|name| match column(&mut tables, name) {
        Ok(column) => measure(&column, &settings),
        Err(error) => unreadable(name, &error.to_string()),
    });
    let report = conclude(measured.collect(), &settings);
    let text = terminal::drift(&report, &crate::style(&Screen::of(context, false)));
    let json = schema::to_json(&report).map_err(Failure::incomplete)?;
    let (exit, decision) = verdict(&report, args.fail_on);
    Ok(Answer::plain(exit, decision, decision, text, json))
}

fn verdict(report: &DriftReport, fail_on: Option<DriftFailure>) -> (Exit, &'static str) {
    match (report.dataset.drifted, fail_on) {
        (Some(true), Some(DriftFailure::Drift)) => (Exit::Negative, "drift"),
        (Some(true), None) => (Exit::Done, "drift"),
        (Some(false), _) => (Exit::Done, "no-drift"),
        (None, _) => (Exit::Incomplete, "unknown"),
    }
}

/// The columns to compare: those that were named, which one of the tables must have, or all of both, the reference's first.
fn names(args: &DriftArgs, tables: &[Box<dyn Dataset>; 2]) -> Result<Vec<String>, Failure> {
    let mut all = tables[0].columns();
    for name in tables[1].columns() {
        if !all.contains(&name) {
            all.push(name);
        }
    }
    let named = args.columns.iter().chain(&args.critical);
    if let Some(unknown) = named.into_iter().find(|name| !all.contains(name)) {
        let there = all.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!("neither table has a column {unknown:?}"))
            .hint(format!("there is {there}")));
    }
    if !args.columns.is_empty() {
        all.retain(|name| args.columns.contains(name) || args.critical.contains(name));
    }
    Ok(all)
}

/// A column of both tables. Where one of them holds nothing at all, it is of the other's kind.
fn column(tables: &mut [Box<dyn Dataset>; 2], name: &str) -> Result<Column, PortError> {
    let [reference, current] = tables;
    let (reference, current) = (values(reference.as_mut(), name)?, values(current.as_mut(), name)?);
    let numbers = |side: &Option<ColumnValues>| matches!(side, Some(ColumnValues::Numbers { .. }));
    let are_numbers = numbers(&reference) || numbers(&current);
    let side = |values: ColumnValues| match values {
        ColumnValues::Numbers { values, absent } => Side::of_numbers(values, absent),
        ColumnValues::Categories { counts, absent } => Side::of_categories(counts, absent),
        ColumnValues::Nothing { absent } if are_numbers => Side::of_numbers(vec![], absent),
        ColumnValues::Nothing { absent } => Side::of_categories([].into(), absent),
    };
    Ok(Column { name: name.to_owned(), reference: reference.map(side), current: current.map(side) })
}

/// Absent where the table does not have the column.
fn values(table: &mut dyn Dataset, name: &str) -> Result<Option<ColumnValues>, PortError> {
    match table.read(name) {
        Err(error) if error.problem == Problem::NotFound => Ok(None),
        read => read.map(Some),
    }
}
