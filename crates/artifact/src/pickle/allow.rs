//! The exact allow-list of pickle globals, and how each may be used.
//!
//! Data, reviewed entry by entry: what the writers of scikit-learn, numpy, pandas, scipy, xgboost, lightgbm,
//! catboost, river and the standard library put into pickles of plain models and tables (scikit-learn 0.20 to
//! 1.9, numpy 1.15 to 2.5, pandas 0.24 to 3.1, scipy 1.2 to 1.18). Nothing is matched by prefix, because every one
//! of these packages holds functions that run code.
//!
//! Left out on purpose, although benign files use them:
//! - `getattr`, `type`, `operator.attrgetter`: they reach anything from anything.
//! - `scipy.stats` distributions: their `__setstate__` executes a template that is part of the state.
//! - statsmodels: its data objects evaluate a formula from the state.
//! - `numpy.core._ufunc_reconstruct`: it imports a module that its arguments name.
//! - cloudpickle and dill: they carry code.

mod dangerous;
mod listed;

pub(super) use dangerous::is_dangerous;
use listed::MODULES;

/// How a global may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    /// May be pushed as data, never called.
    Reference,
    /// A class: instances are made without running its `__init__`, or without arguments, and take state.
    Class,
    /// A class that may also be called with anything allowed.
    Callable,
    /// A class whose instances also take key-value items.
    DictLike,
    /// A class whose instances also take items.
    ListLike,
    /// Called with numbers, texts and containers only, never with instances or large sizes.
    Literal,
    /// Called with anything allowed; the result takes no state.
    Value,
    /// Called with a global of the same package in front, whose instance is the result.
    SamePackage,
    /// `numpy.dtype`: a short type text or a scalar class in front.
    Dtype,
    /// `numpy._reconstruct`: an array class of numpy and a small shape.
    Array,
    /// `_codecs.encode`: the only codec is latin-1.
    Encode,
    /// `copyreg._reconstructor`: a class, a built-in base, its state.
    Reconstruct,
    /// `copyreg.__newobj__`: a class in front.
    NewObject,
    /// A constructor of numpy's random generators: globals among the arguments are numpy's.
    Random,
    /// Called with texts and numbers only.
    Texts,
    /// joblib's wrapper, after whose state array bytes stand in the stream.
    ArrayWrapper,
}

/// How `module.name` may be used; `None` where it is not on the list. Both must be normalised, see
/// [`normalise`].
pub(super) fn usage(module: &str, name: &str) -> Option<Usage> {
    let at = MODULES.binary_search_by(|(listed, _)| (*listed).cmp(module)).ok()?;
    MODULES[at].1.iter().find(|(_, names)| names.contains(&name)).map(|(usage, _)| *usage)
}

/// The name that a global has on the list: Python 2 names and moved modules are the same thing.
pub(super) fn normalise<'a>(module: &'a str, name: &'a str) -> (String, &'a str) {
    match module {
        "__builtin__" | "exceptions" => {
            let name = match name {
                "xrange" => "range",
                "unicode" => "str",
                "long" => "int",
                name => name,
            };
            ("builtins".to_owned(), name)
        }
        "copy_reg" => ("copyreg".to_owned(), name),
        "numpy.core" => ("numpy._core".to_owned(), name),
        _ => {
            for (old, new) in [("numpy.core.", "numpy._core."), ("sklearn.externals.joblib.", "joblib.")] {
                if let Some(rest) = module.strip_prefix(old) {
                    return (format!("{new}{rest}"), name);
                }
            }
            (module.to_owned(), name)
        }
    }
}

/// Whether other formats may name a global: it is on the list, however a pickle might use it.
pub(crate) fn is_listed_global(module: &str, name: &str) -> bool {
    let (module, name) = normalise(module, name);
    usage(&module, name).is_some()
}

/// Whether a global is known to run code, or to read, write or connect.
pub(crate) fn is_dangerous_global(module: &str, name: &str) -> bool {
    let (module, name) = normalise(module, name);
    is_dangerous(&module, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_sorted_and_nothing_dangerous_is_listed() {
        assert!(MODULES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (module, groups) in MODULES {
            for name in groups.iter().flat_map(|(_, names)| *names) {
                let listed_anyway = matches!(*module, "types") && *name == "SimpleNamespace";
                assert!(listed_anyway || !is_dangerous(module, name), "{module}.{name}");
                assert!(!name.contains('.'), "{module}.{name}");
                assert_eq!(normalise(module, name), ((*module).to_owned(), *name));
            }
        }
    }

    #[test]
    fn old_names_are_the_same_thing() {
        let usage_of = |module, name| {
            let (module, name) = normalise(module, name);
            usage(&module, name)
        };
        assert_eq!(usage_of("numpy.core.multiarray", "_reconstruct"), Some(Usage::Array));
        assert_eq!(usage_of("__builtin__", "xrange"), Some(Usage::Callable));
        assert_eq!(
            usage_of("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"),
            Some(Usage::ArrayWrapper)
        );
        assert_eq!(usage_of("builtins", "eval"), None);
    }
}
