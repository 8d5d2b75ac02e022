//! The exact allow-list of pickle globals, and how each may be used.
//!
//! Data, reviewed entry by entry: what the writers of scikit-learn, numpy, pandas, scipy, xgboost, lightgbm,
//! catboost, imbalanced-learn, river and the standard library put into pickles of plain models and tables (scikit-learn 0.20 to
//! 1.9, numpy 1.15 to 2.5, pandas 0.24 to 3.1 with dateutil 4.0 and pyarrow 26, scipy 1.2 to 1.18, torch 1.13 to 2.15,
//! statsmodels 0.13 to 0.15, of whose state space models 0.15 alone). Nothing is matched by prefix, because every one
//! of these packages holds functions that run code.
//!
//! Let through in exact forms only, because anything else of them runs code or reads other memory:
//! - `getattr`: the function that makes a time zone of its name, and methods that instances keep of themselves.
//! - `scipy.stats` distributions: their `__setstate__` executes a text of their state, which must be scipy's template.
//! - Arrow's arrays, which pandas 3 keeps texts in where it finds pyarrow: their buffers are checked, since Arrow does not.
//!
//! Left out on purpose, although benign files use them:
//! - `type`, `operator.attrgetter`: they reach anything from anything.
//! - frozen distributions of scipy before 1.9, whose class also makes what it is given.
//! - `scipy.spatial` triangulations and k-d trees: they use the indices of their state without a check, and a tree writes
//!   to where they lead as it is loaded.
//! - statsmodels' state with a formula: its data objects evaluate it. Without one they are listed.
//! - `torch.fx.graph_module.reduce_graph_module`: it runs source code from its arguments.
//! - cloudpickle and dill: they carry code. Of dill only the function around numpy's arrays is listed.

mod bundle;
mod dangerous;
mod listed;
mod standard;

use tagship_domain::addition::GlobalUse;

pub(crate) use bundle::bundle_of;
pub(crate) use dangerous::is_dangerous;
use listed::MODULES;
pub(super) use standard::is_standard;

/// How a global may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
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
    /// Gives back its first argument, for the interpreter of TorchScript to type it.
    First,
    /// `numpy.scalar`: a plain type and its bytes. With a type of objects it gives back what it is given.
    Scalar,
    /// A class of arrays that opens a file, or makes one, when it is called: only named as the class of an array.
    FileArray,
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
    /// A function of PyTorch that makes a tensor of a storage, an offset, sizes and strides.
    Tensor,
    /// `functools.partial`: a listed function in front, which its state names again.
    Partial,
    /// dill's function around an array's: a listed function, its arguments, a plain state, no attributes.
    Apply,
    /// numpy's function that finds another by name: exact names only.
    Ufunc,
    /// PyTorch's function that makes a tensor of a subclass: a listed function, a class of torch, the function's
    /// arguments, attributes.
    FromType,
    /// A class of storages of PyTorch, named by persistent ids and never called.
    Storage,
    /// joblib's wrapper, after whose state array bytes stand in the stream.
    ArrayWrapper,
    /// `getattr`: called at once, and for nothing but the attributes that its writers name.
    Attribute,
    /// The function of `ZoneInfo` that makes a time zone of its name.
    Zone,
    /// dateutil's time zone out of a file, made without the file: its state holds what was in there.
    ZoneFile,
    /// A class of scipy's distributions, whose state holds source text.
    Distribution,
    /// `numpy.vectorize`: around the method that a distribution keeps, and nothing else.
    Vectorize,
    /// A function of pyarrow that gives a type: a name, or a unit and numbers.
    ArrowType,
    /// A function of pyarrow that takes bytes for a buffer.
    ArrowBuffer,
    /// A function of pyarrow that makes an array of buffers.
    ArrowArray,
    /// A class of pandas around an array of Arrow.
    ArrowHolder,
    /// Not on the list: the team adds it, to be used so and with inert arguments.
    Own(GlobalUse),
}

impl Usage {
    /// Whether it is harmless by the checks of arguments and state alone that are made in a pickle. Then it may not be kept
    /// as data either, for others to call.
    pub(crate) fn needs_pickle(self) -> bool {
        matches!(
            self,
            Self::Attribute
                | Self::Zone
                | Self::ZoneFile
                | Self::Distribution
                | Self::Vectorize
                | Self::ArrowType
                | Self::ArrowBuffer
                | Self::ArrowArray
                | Self::ArrowHolder
        )
    }
}

/// How `module.name` may be used; `None` where it is not on the list. Both must be normalised, see
/// [`normalise`].
pub(super) fn usage(module: &str, name: &str) -> Option<Usage> {
    let at = MODULES.binary_search_by(|(listed, _)| (*listed).cmp(module)).ok()?;
    MODULES[at].1.iter().find(|(_, names)| names.contains(&name)).map(|(usage, _)| *usage)
}

/// Whether numpy's `_ufunc_reconstruct` may be called with this module and name: it imports the one and looks up the
/// other, so both are exact.
pub(super) fn is_ufunc(module: &str, name: &str) -> bool {
    let modules = ["numpy", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath"];
    modules.contains(&module)
        && matches!(
            name,
            "absolute"
                | "add"
                | "arcsinh"
                | "arctan"
                | "cbrt"
                | "ceil"
                | "clip"
                | "cos"
                | "cosh"
                | "divide"
                | "exp"
                | "exp2"
                | "expm1"
                | "floor"
                | "log"
                | "log10"
                | "log1p"
                | "log2"
                | "logaddexp"
                | "maximum"
                | "minimum"
                | "multiply"
                | "negative"
                | "power"
                | "reciprocal"
                | "rint"
                | "sign"
                | "sin"
                | "sinh"
                | "sqrt"
                | "square"
                | "subtract"
                | "tan"
                | "tanh"
        )
}

/// Whether instances of a listed class keep this method of themselves as an attribute, and their writers name it by `getattr`.
pub(super) fn keeps_method(module: &str, class: &str, method: &str) -> bool {
    match module {
        "scipy.stats._discrete_distns" => method == "_entropy",
        "statsmodels.tsa.exponential_smoothing.ets" => class == "ETSModel" && method == "loglike",
        _ => false,
    }
}

/// Bytes of an element of a storage class of PyTorch.
pub(super) fn storage_width(class: &str) -> Option<u64> {
    Some(match class {
        "ByteStorage" | "CharStorage" | "BoolStorage" | "QInt8Storage" | "QUInt8Storage"
        | "QUInt4x2Storage" | "QUInt2x4Storage" | "UntypedStorage" | "_UntypedStorage" => 1,
        "ShortStorage" | "HalfStorage" | "BFloat16Storage" => 2,
        "IntStorage" | "FloatStorage" | "QInt32Storage" => 4,
        "LongStorage" | "DoubleStorage" | "ComplexFloatStorage" => 8,
        "ComplexDoubleStorage" => 16,
        _ => return None,
    })
}

/// Bytes of an element of a type of PyTorch.
pub(super) fn dtype_width(name: &str) -> Option<u64> {
    Some(match name {
        "bool" | "int8" | "uint8" | "float8_e4m3fn" | "float8_e4m3fnuz" | "float8_e5m2"
        | "float8_e5m2fnuz" | "float8_e8m0fnu" | "qint8" | "quint8" => 1,
        "int16" | "uint16" | "float16" | "bfloat16" => 2,
        "int32" | "uint32" | "float32" | "complex32" | "qint32" => 4,
        "int64" | "uint64" | "float64" | "complex64" => 8,
        "complex128" => 16,
        _ => return None,
    })
}

/// The name that a global has on the list: Python 2 names and moved modules are the same thing.
pub(crate) fn normalise<'a>(module: &'a str, name: &'a str) -> (String, &'a str) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_sorted_and_nothing_dangerous_is_listed() {
        assert!(MODULES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (module, groups) in MODULES {
            for name in groups.iter().flat_map(|(_, names)| *names) {
                let listed_anyway = matches!(
                    (*module, *name),
                    ("types", "SimpleNamespace") | ("dill._dill", "_create_array") | ("builtins", "getattr")
                );
                assert!(listed_anyway || !is_dangerous(module, name), "{module}.{name}");
                // A method is what a class keeps of itself, and never called.
                let interpolate = ["scipy.interpolate._interpolate", "scipy.interpolate.interpolate"];
                let kept = interpolate.contains(module) && usage(module, name) == Some(Usage::Reference)
                    || (*module, *name) == ("zoneinfo", "ZoneInfo._unpickle");
                assert!(!name.contains('.') || kept, "{module}.{name}");
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
