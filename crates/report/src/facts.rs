//! What model files state about themselves, in short words for people.

use tagship_domain::facts::ModelFacts;

use crate::{number, text::clean};

/// Element types and statements that are named.
const TYPES: usize = 6;
const STATEMENTS: usize = 8;

/// One word or two for each thing that is stated: parameters, licences, versions. Texts are cleaned.
pub(crate) fn words(facts: &ModelFacts) -> Vec<String> {
    let mut words = Vec::new();
    if let Some(parameters) = facts.parameters {
        let mut dtypes: Vec<(&String, &u64)> = facts.dtypes.iter().collect();
        dtypes.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named: Vec<String> = dtypes.iter().take(TYPES).map(|(name, _)| clean(name, 20)).collect();
        let more = if dtypes.len() > TYPES { ", …" } else { "" };
        let noun = if parameters == 1 { "parameter" } else { "parameters" };
        words.push(format!("{} {noun} ({}{more})", number::grouped_exactly(parameters), named.join(", ")));
    }
    words.extend(facts.licences.iter().map(|licence| format!("licence {}", clean(licence, 60))));
    let stated = facts.stated.iter().take(STATEMENTS);
    words.extend(stated.map(|stated| format!("{} {}", clean(&stated.name, 40), clean(&stated.value, 60))));
    words
}

#[cfg(test)]
mod tests {
    use tagship_domain::facts::Statement;

    use super::*;

    #[test]
    fn what_is_stated_fits_on_a_line() {
        let facts = ModelFacts {
            parameters: Some(1_234_567),
            tensors: Some(3),
            dtypes: [("F32".to_owned(), 7), ("F16".to_owned(), 1_234_560)].into(),
            licences: vec!["apache-2.0".to_owned()],
            stated: vec![Statement { name: "producer".to_owned(), value: "py\u{1b}torch\n2.4".to_owned() }],
        };
        assert_eq!(
            words(&facts),
            ["1,234,567 parameters (F16, F32)", "licence apache-2.0", "producer py\\u{1b}torch 2.4"]
        );
        assert!(words(&ModelFacts::default()).is_empty());
    }
}
