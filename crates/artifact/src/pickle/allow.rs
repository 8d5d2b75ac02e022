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

use Usage::{
    Array as ARRAY, ArrayWrapper as WRAPPER, Callable as CALL, Class as CLASS, DictLike as DICT_LIKE,
    Dtype as DTYPE, Encode as ENCODE, ListLike as LIST_LIKE, Literal as LITERAL, NewObject as NEWOBJ,
    Random as RANDOM, Reconstruct as RECONSTRUCT, Reference as REF, SamePackage as SAME, Texts as TEXTS,
    Value as VALUE,
};

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

/// Whether a global that is not on the list is known to run code, or to read, write or connect. Only the
/// severity and the message depend on it: what is not listed is refused either way.
pub(super) fn is_dangerous(module: &str, name: &str) -> bool {
    const PACKAGES: &[&str] = &[
        "_posixsubprocess",
        "aiohttp",
        "asyncio",
        "atexit",
        "bdb",
        "cProfile",
        "cffi",
        "cloudpickle",
        "code",
        "codeop",
        "commands",
        "ctypes",
        "dill",
        "distutils",
        "doctest",
        "ensurepip",
        "ftplib",
        "http",
        "httplib",
        "imaplib",
        "imp",
        "importlib",
        "inspect",
        "jsonpickle",
        "lib2to3",
        "linecache",
        "logging",
        "marshal",
        "mmap",
        "multiprocessing",
        "nt",
        "ntpath",
        "os",
        "pdb",
        "pickle",
        "pip",
        "pkgutil",
        "platform",
        "popen2",
        "posix",
        "poplib",
        "posixpath",
        "profile",
        "pty",
        "pydoc",
        "requests",
        "runpy",
        "setuptools",
        "shelve",
        "shutil",
        "signal",
        "site",
        "smtplib",
        "socket",
        "socketserver",
        "sqlite3",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "telnetlib",
        "test",
        "threading",
        "timeit",
        "trace",
        "types",
        "urllib",
        "urllib2",
        "venv",
        "webbrowser",
        "winreg",
        "xmlrpc",
        "zipimport",
    ];
    const GLOBALS: &[(&str, &str)] = &[
        ("builtins", "__import__"),
        ("builtins", "apply"),
        ("builtins", "breakpoint"),
        ("builtins", "compile"),
        ("builtins", "delattr"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "execfile"),
        ("builtins", "file"),
        ("builtins", "getattr"),
        ("builtins", "globals"),
        ("builtins", "input"),
        ("builtins", "map"),
        ("builtins", "open"),
        ("builtins", "setattr"),
        ("builtins", "vars"),
        ("copyreg", "add_extension"),
        ("operator", "attrgetter"),
        ("operator", "methodcaller"),
        ("functools", "reduce"),
        ("torch.storage", "_load_from_bytes"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("numpy", "load"),
        ("numpy._core", "_ufunc_reconstruct"),
        ("joblib", "load"),
        ("pandas", "read_pickle"),
    ];
    let package = module.split('.').next().unwrap_or(module);
    PACKAGES.contains(&package) || GLOBALS.contains(&(module, name))
}

type Names = &'static [(Usage, &'static [&'static str])];

/// Modules in order, with their names by usage.
#[rustfmt::skip]
static MODULES: &[(&str, Names)] = &[
    ("_codecs", &[(ENCODE, &["encode"])]),
    ("_operator", &[(REF, &["add", "mul", "sub"])]),
    ("argparse", &[(CALL, &["Namespace"])]),
    ("array", &[(REF, &["array"]), (SAME, &["_array_reconstructor"])]),
    ("builtins", &[(CALL, &["range", "slice"]), (LITERAL, &["bytearray", "bytes", "complex", "frozenset", "set"]), (REF, &["DeprecationWarning", "Ellipsis", "FutureWarning", "NotImplemented", "RuntimeWarning", "UserWarning", "abs", "bool", "dict", "float", "int", "len", "list", "max", "min", "object", "sorted", "str", "sum", "tuple"])]),
    ("catboost.core", &[(CLASS, &["CatBoostClassifier", "CatBoostRegressor"])]),
    ("collections", &[(CALL, &["ChainMap"]), (DICT_LIKE, &["Counter", "OrderedDict", "defaultdict"]), (LIST_LIKE, &["deque"])]),
    ("copyreg", &[(NEWOBJ, &["__newobj__"]), (RECONSTRUCT, &["_reconstructor"])]),
    ("datetime", &[(CALL, &["date", "datetime", "time", "timedelta", "timezone"])]),
    ("decimal", &[(LITERAL, &["Decimal"])]),
    ("fractions", &[(LITERAL, &["Fraction"])]),
    ("functools", &[(CALL, &["partial"])]),
    ("ipaddress", &[(LITERAL, &["IPv4Address", "IPv6Address"])]),
    ("joblib.numpy_pickle", &[(WRAPPER, &["NumpyArrayWrapper"])]),
    ("lightgbm.basic", &[(CLASS, &["Booster"])]),
    ("lightgbm.sklearn", &[(CLASS, &["LGBMClassifier", "LGBMRanker", "LGBMRegressor"])]),
    ("numpy", &[(CLASS, &["poly1d"]), (DTYPE, &["dtype"]), (REF, &["bool_", "bytes_", "chararray", "complex128", "complex64", "datetime64", "exp", "expm1", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "intc", "log", "log1p", "longlong", "matrix", "mean", "median", "memmap", "ndarray", "number", "object_", "recarray", "record", "sqrt", "str_", "timedelta64", "uint16", "uint32", "uint64", "uint8", "void"])]),
    ("numpy._core._internal", &[(VALUE, &["_convert_to_stringdtype_kwargs"])]),
    ("numpy._core._multiarray_umath", &[(REF, &["log1p"])]),
    ("numpy._core.fromnumeric", &[(REF, &["clip", "mean"])]),
    ("numpy._core.memmap", &[(REF, &["memmap"])]),
    ("numpy._core.multiarray", &[(ARRAY, &["_reconstruct"]), (VALUE, &["scalar"])]),
    ("numpy._core.numeric", &[(VALUE, &["_frombuffer"])]),
    ("numpy.char", &[(REF, &["chararray"])]),
    ("numpy.ma.core", &[(REF, &["MaskedArray"]), (SAME, &["_mareconstruct"])]),
    ("numpy.matrixlib.defmatrix", &[(REF, &["matrix"])]),
    ("numpy.random", &[(RANDOM, &["__RandomState_ctor", "__generator_ctor"])]),
    ("numpy.random._mt19937", &[(REF, &["MT19937"])]),
    ("numpy.random._pcg64", &[(REF, &["PCG64", "PCG64DXSM"])]),
    ("numpy.random._philox", &[(REF, &["Philox"])]),
    ("numpy.random._pickle", &[(RANDOM, &["__bit_generator_ctor", "__generator_ctor", "__randomstate_ctor"])]),
    ("numpy.random._sfc64", &[(REF, &["SFC64"])]),
    ("numpy.random.bit_generator", &[(REF, &["SeedSequence"]), (SAME, &["__pyx_unpickle_SeedSequence"])]),
    ("numpy.rec", &[(REF, &["recarray"])]),
    ("operator", &[(CALL, &["itemgetter"])]),
    ("pandas", &[(CLASS, &["BooleanDtype", "Categorical", "CategoricalDtype", "DataFrame", "Float64Dtype", "Int64Dtype", "PeriodDtype", "Series", "StringDtype"]), (REF, &["CategoricalIndex", "DatetimeIndex", "Index", "IntervalIndex", "MultiIndex", "NA", "RangeIndex"])]),
    ("pandas._libs.arrays", &[(SAME, &["__pyx_unpickle_NDArrayBacked"])]),
    ("pandas._libs.internals", &[(VALUE, &["_unpickle_block"])]),
    ("pandas._libs.missing", &[(REF, &["NA"])]),
    ("pandas._libs.sparse", &[(CLASS, &["IntIndex"])]),
    ("pandas._libs.tslibs.nattype", &[(VALUE, &["_nat_unpickle"])]),
    ("pandas._libs.tslibs.offsets", &[(CLASS, &["BusinessDay", "Day", "MonthBegin", "MonthEnd"])]),
    ("pandas._libs.tslibs.period", &[(SAME, &["__pyx_unpickle_PeriodMixin"])]),
    ("pandas._libs.tslibs.timedeltas", &[(VALUE, &["_timedelta_unpickle"])]),
    ("pandas._libs.tslibs.timestamps", &[(VALUE, &["_unpickle_timestamp"])]),
    ("pandas.arrays", &[(CLASS, &["BooleanArray", "DatetimeArray", "FloatingArray", "IntegerArray", "PeriodArray", "StringArray"])]),
    ("pandas.core.arrays.boolean", &[(CLASS, &["BooleanArray", "BooleanDtype"])]),
    ("pandas.core.arrays.categorical", &[(CLASS, &["Categorical"])]),
    ("pandas.core.arrays.datetimes", &[(CLASS, &["DatetimeArray"])]),
    ("pandas.core.arrays.floating", &[(CLASS, &["Float64Dtype", "FloatingArray"])]),
    ("pandas.core.arrays.integer", &[(CLASS, &["Int64Dtype", "IntegerArray"])]),
    ("pandas.core.arrays.period", &[(CLASS, &["PeriodArray"])]),
    ("pandas.core.arrays.sparse", &[(CLASS, &["SparseArray", "SparseDtype"])]),
    ("pandas.core.arrays.sparse.array", &[(CLASS, &["SparseArray"])]),
    ("pandas.core.arrays.sparse.dtype", &[(CLASS, &["SparseDtype"])]),
    ("pandas.core.arrays.string_", &[(CLASS, &["StringArray", "StringDtype"])]),
    ("pandas.core.arrays.timedeltas", &[(CLASS, &["TimedeltaArray"])]),
    ("pandas.core.dtypes.dtypes", &[(CALL, &["CategoricalDtype", "DatetimeTZDtype", "PeriodDtype"])]),
    ("pandas.core.frame", &[(CLASS, &["DataFrame"])]),
    ("pandas.core.indexes.base", &[(REF, &["Index"]), (SAME, &["_new_Index"])]),
    ("pandas.core.indexes.category", &[(REF, &["CategoricalIndex"])]),
    ("pandas.core.indexes.datetimes", &[(REF, &["DatetimeIndex"]), (SAME, &["_new_DatetimeIndex"])]),
    ("pandas.core.indexes.interval", &[(REF, &["IntervalIndex"]), (SAME, &["_new_IntervalIndex"])]),
    ("pandas.core.indexes.multi", &[(REF, &["MultiIndex"])]),
    ("pandas.core.indexes.numeric", &[(REF, &["Float64Index", "Int64Index", "UInt64Index"])]),
    ("pandas.core.indexes.period", &[(REF, &["PeriodIndex"]), (SAME, &["_new_PeriodIndex"])]),
    ("pandas.core.indexes.range", &[(REF, &["RangeIndex"])]),
    ("pandas.core.indexes.timedeltas", &[(REF, &["TimedeltaIndex"])]),
    ("pandas.core.internals.blocks", &[(VALUE, &["new_block"])]),
    ("pandas.core.internals.managers", &[(CLASS, &["BlockManager", "SingleBlockManager"])]),
    ("pandas.core.series", &[(CLASS, &["Series"])]),
    ("pathlib", &[(LITERAL, &["PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath"])]),
    ("pytz", &[(CALL, &["_UTC"]), (TEXTS, &["_p"])]),
    ("random", &[(CALL, &["Random"])]),
    ("re", &[(LITERAL, &["_compile"])]),
    ("river.anomaly.hst", &[(CLASS, &["HSTBranch", "HSTLeaf", "HalfSpaceTrees"])]),
    ("river.drift.adwin", &[(CLASS, &["ADWIN"])]),
    ("river.drift.adwin_c", &[(CLASS, &["AdaptiveWindowing", "Bucket"]), (SAME, &["__pyx_unpickle_AdaptiveWindowing", "__pyx_unpickle_Bucket"])]),
    ("river.feature_extraction.vectorize", &[(CLASS, &["BagOfWords"]), (REF, &["strip_accents_unicode", "tokenize_using_regex_pattern"])]),
    ("river.linear_model.log_reg", &[(CLASS, &["LogisticRegression"])]),
    ("river.metrics.accuracy", &[(CLASS, &["Accuracy"])]),
    ("river.metrics.base", &[(CLASS, &["Metrics"])]),
    ("river.metrics.confusion", &[(CLASS, &["ConfusionMatrix"])]),
    ("river.metrics.fbeta", &[(CLASS, &["F1"])]),
    ("river.metrics.precision", &[(CLASS, &["Precision"])]),
    ("river.metrics.recall", &[(CLASS, &["Recall"])]),
    ("river.multiclass.ovr", &[(CLASS, &["OneVsRestClassifier"])]),
    ("river.optim.initializers", &[(CLASS, &["Zeros"])]),
    ("river.optim.losses", &[(CLASS, &["Log"])]),
    ("river.optim.schedulers", &[(CLASS, &["Constant"])]),
    ("river.optim.sgd", &[(CLASS, &["SGD"])]),
    ("river.utils.vectordict", &[(CLASS, &["VectorDict"]), (SAME, &["__pyx_unpickle_VectorDict"])]),
    ("scipy.interpolate._bsplines", &[(CLASS, &["BSpline"])]),
    ("scipy.interpolate._cubic", &[(CLASS, &["CubicSpline", "PchipInterpolator"])]),
    ("scipy.interpolate._fitpack2", &[(CLASS, &["LSQUnivariateSpline"])]),
    ("scipy.interpolate._interpolate", &[(CLASS, &["_PPoly", "interp1d"])]),
    ("scipy.interpolate._rbfinterp", &[(CLASS, &["RBFInterpolator"])]),
    ("scipy.interpolate._rgi", &[(CLASS, &["RegularGridInterpolator"])]),
    ("scipy.interpolate.fitpack2", &[(CLASS, &["LSQUnivariateSpline"])]),
    ("scipy.interpolate.interpolate", &[(CLASS, &["RegularGridInterpolator", "interp1d"])]),
    ("scipy.optimize._optimize", &[(DICT_LIKE, &["OptimizeResult"])]),
    ("scipy.optimize.optimize", &[(DICT_LIKE, &["OptimizeResult"])]),
    ("scipy.signal._ltisys", &[(CLASS, &["TransferFunctionContinuous"])]),
    ("scipy.signal.ltisys", &[(CLASS, &["TransferFunctionContinuous"])]),
    ("scipy.sparse._arrays", &[(CLASS, &["csr_array"])]),
    ("scipy.sparse._bsr", &[(CLASS, &["bsr_matrix"])]),
    ("scipy.sparse._coo", &[(CLASS, &["coo_matrix"])]),
    ("scipy.sparse._csc", &[(CLASS, &["csc_matrix"])]),
    ("scipy.sparse._csr", &[(CLASS, &["csr_matrix"])]),
    ("scipy.sparse._dok", &[(CLASS, &["dok_matrix"])]),
    ("scipy.sparse._lil", &[(CLASS, &["lil_matrix"])]),
    ("scipy.sparse.bsr", &[(CLASS, &["bsr_matrix"])]),
    ("scipy.sparse.coo", &[(CLASS, &["coo_matrix"])]),
    ("scipy.sparse.csc", &[(CLASS, &["csc_matrix"])]),
    ("scipy.sparse.csr", &[(CLASS, &["csr_matrix"])]),
    ("scipy.sparse.dok", &[(CLASS, &["dok_matrix"])]),
    ("scipy.spatial._ckdtree", &[(CLASS, &["cKDTree"])]),
    ("scipy.spatial.ckdtree", &[(CLASS, &["cKDTree"]), (SAME, &["new_object"])]),
    ("scipy.spatial.transform._rotation", &[(CLASS, &["Rotation"])]),
    ("scipy.spatial.transform.rotation", &[(CLASS, &["Rotation"])]),
    ("scipy.stats._covariance", &[(CLASS, &["CovViaPSD"])]),
    ("scipy.stats._multivariate", &[(CLASS, &["_PSD", "multivariate_normal_frozen", "multivariate_normal_gen"])]),
    ("scipy.stats._stats_mstats_common", &[(CLASS, &["LinregressResult"])]),
    ("sklearn._loss._loss", &[(CALL, &["CyAbsoluteError", "CyHalfBinomialLoss", "CyHalfMultinomialLoss", "CyHalfPoissonLoss", "CyHalfSquaredError"]), (SAME, &["__pyx_unpickle_CyHalfMultinomialLoss"])]),
    ("sklearn._loss.glm_distribution", &[(CLASS, &["DistributionBoundary", "PoissonDistribution", "TweedieDistribution"])]),
    ("sklearn._loss.link", &[(CLASS, &["IdentityLink", "Interval", "LogLink", "LogitLink", "MultinomialLogit"])]),
    ("sklearn._loss.loss", &[(CLASS, &["AbsoluteError", "HalfBinomialLoss", "HalfMultinomialLoss", "HalfPoissonLoss", "HalfSquaredError"])]),
    ("sklearn.base", &[(REF, &["BaseEstimator", "TransformerMixin"])]),
    ("sklearn.calibration", &[(CLASS, &["CalibratedClassifierCV", "_CalibratedClassifier", "_SigmoidCalibration"])]),
    ("sklearn.cluster._agglomerative", &[(CLASS, &["AgglomerativeClustering"])]),
    ("sklearn.cluster._birch", &[(CLASS, &["Birch", "_CFNode", "_CFSubcluster"])]),
    ("sklearn.cluster._dbscan", &[(CLASS, &["DBSCAN"])]),
    ("sklearn.cluster._hdbscan.hdbscan", &[(CLASS, &["HDBSCAN"])]),
    ("sklearn.cluster._kmeans", &[(CLASS, &["KMeans", "MiniBatchKMeans"])]),
    ("sklearn.cluster._mean_shift", &[(CLASS, &["MeanShift"])]),
    ("sklearn.cluster._optics", &[(CLASS, &["OPTICS"])]),
    ("sklearn.cluster._spectral", &[(CLASS, &["SpectralClustering"])]),
    ("sklearn.cluster.k_means_", &[(CLASS, &["KMeans", "MiniBatchKMeans"])]),
    ("sklearn.cluster.mean_shift_", &[(CLASS, &["MeanShift"])]),
    ("sklearn.cluster.spectral", &[(CLASS, &["SpectralClustering"])]),
    ("sklearn.compose._column_transformer", &[(CLASS, &["ColumnTransformer", "_RemainderColsList", "make_column_selector"])]),
    ("sklearn.compose._target", &[(CLASS, &["TransformedTargetRegressor"])]),
    ("sklearn.covariance._elliptic_envelope", &[(CLASS, &["EllipticEnvelope"])]),
    ("sklearn.covariance._shrunk_covariance", &[(CLASS, &["LedoitWolf"])]),
    ("sklearn.covariance.elliptic_envelope", &[(CLASS, &["EllipticEnvelope"])]),
    ("sklearn.cross_decomposition._pls", &[(CLASS, &["PLSRegression"])]),
    ("sklearn.cross_decomposition.pls_", &[(CLASS, &["PLSRegression"])]),
    ("sklearn.decomposition._dict_learning", &[(CLASS, &["MiniBatchDictionaryLearning"])]),
    ("sklearn.decomposition._fastica", &[(CLASS, &["FastICA"])]),
    ("sklearn.decomposition._incremental_pca", &[(CLASS, &["IncrementalPCA"])]),
    ("sklearn.decomposition._kernel_pca", &[(CLASS, &["KernelPCA"])]),
    ("sklearn.decomposition._lda", &[(CLASS, &["LatentDirichletAllocation"])]),
    ("sklearn.decomposition._nmf", &[(CLASS, &["NMF"])]),
    ("sklearn.decomposition._pca", &[(CLASS, &["PCA"])]),
    ("sklearn.decomposition._truncated_svd", &[(CLASS, &["TruncatedSVD"])]),
    ("sklearn.decomposition.kernel_pca", &[(CLASS, &["KernelPCA"])]),
    ("sklearn.discriminant_analysis", &[(CLASS, &["LinearDiscriminantAnalysis", "QuadraticDiscriminantAnalysis"])]),
    ("sklearn.dummy", &[(CLASS, &["DummyClassifier", "DummyRegressor"])]),
    ("sklearn.ensemble._bagging", &[(CLASS, &["BaggingClassifier", "BaggingRegressor"])]),
    ("sklearn.ensemble._forest", &[(CLASS, &["ExtraTreesClassifier", "ExtraTreesRegressor", "RandomForestClassifier", "RandomForestRegressor", "RandomTreesEmbedding"])]),
    ("sklearn.ensemble._gb", &[(CLASS, &["GradientBoostingClassifier", "GradientBoostingRegressor"])]),
    ("sklearn.ensemble._gb_losses", &[(CLASS, &["BinomialDeviance", "LeastSquaresError", "MultinomialDeviance"])]),
    ("sklearn.ensemble._hist_gradient_boosting.binning", &[(CLASS, &["_BinMapper"])]),
    ("sklearn.ensemble._hist_gradient_boosting.gradient_boosting", &[(CLASS, &["HistGradientBoostingClassifier", "HistGradientBoostingRegressor"])]),
    ("sklearn.ensemble._hist_gradient_boosting.loss", &[(CLASS, &["LeastSquares"])]),
    ("sklearn.ensemble._hist_gradient_boosting.predictor", &[(CLASS, &["TreePredictor"])]),
    ("sklearn.ensemble._iforest", &[(CLASS, &["IsolationForest"])]),
    ("sklearn.ensemble._stacking", &[(CLASS, &["StackingClassifier", "StackingRegressor"])]),
    ("sklearn.ensemble._voting", &[(CLASS, &["VotingClassifier", "VotingRegressor"])]),
    ("sklearn.ensemble._weight_boosting", &[(CLASS, &["AdaBoostClassifier", "AdaBoostRegressor"])]),
    ("sklearn.ensemble.forest", &[(CLASS, &["ExtraTreesRegressor", "RandomForestClassifier"])]),
    ("sklearn.ensemble.iforest", &[(CLASS, &["IsolationForest"])]),
    ("sklearn.ensemble.weight_boosting", &[(CLASS, &["AdaBoostClassifier"])]),
    ("sklearn.feature_extraction._dict_vectorizer", &[(CLASS, &["DictVectorizer"])]),
    ("sklearn.feature_extraction._hash", &[(CLASS, &["FeatureHasher"])]),
    ("sklearn.feature_extraction.text", &[(CLASS, &["CountVectorizer", "HashingVectorizer", "TfidfTransformer", "TfidfVectorizer"])]),
    ("sklearn.feature_selection._from_model", &[(CLASS, &["SelectFromModel"])]),
    ("sklearn.feature_selection._mutual_info", &[(REF, &["mutual_info_classif", "mutual_info_regression"])]),
    ("sklearn.feature_selection._rfe", &[(CLASS, &["RFE", "RFECV"])]),
    ("sklearn.feature_selection._univariate_selection", &[(CLASS, &["SelectKBest", "SelectPercentile"]), (REF, &["chi2", "f_classif", "f_regression"])]),
    ("sklearn.feature_selection._variance_threshold", &[(CLASS, &["VarianceThreshold"])]),
    ("sklearn.feature_selection.mutual_info_", &[(REF, &["mutual_info_classif"])]),
    ("sklearn.feature_selection.rfe", &[(CLASS, &["RFECV"])]),
    ("sklearn.feature_selection.univariate_selection", &[(CLASS, &["SelectKBest"]), (REF, &["chi2", "f_classif", "f_regression"])]),
    ("sklearn.gaussian_process._gpc", &[(CLASS, &["GaussianProcessClassifier", "_BinaryGaussianProcessClassifierLaplace"])]),
    ("sklearn.gaussian_process._gpr", &[(CLASS, &["GaussianProcessRegressor"])]),
    ("sklearn.gaussian_process.gpc", &[(CLASS, &["GaussianProcessClassifier", "_BinaryGaussianProcessClassifierLaplace"])]),
    ("sklearn.gaussian_process.gpr", &[(CLASS, &["GaussianProcessRegressor"])]),
    ("sklearn.gaussian_process.kernels", &[(CLASS, &["ConstantKernel", "Product", "RBF", "Sum", "WhiteKernel"])]),
    ("sklearn.impute", &[(CLASS, &["SimpleImputer"])]),
    ("sklearn.impute._base", &[(CLASS, &["MissingIndicator", "SimpleImputer"])]),
    ("sklearn.impute._iterative", &[(CLASS, &["IterativeImputer", "_ImputerTriplet"])]),
    ("sklearn.impute._knn", &[(CLASS, &["KNNImputer"])]),
    ("sklearn.isotonic", &[(CLASS, &["IsotonicRegression"])]),
    ("sklearn.kernel_approximation", &[(CLASS, &["Nystroem"])]),
    ("sklearn.kernel_ridge", &[(CLASS, &["KernelRidge"])]),
    ("sklearn.linear_model._base", &[(CLASS, &["LinearRegression"])]),
    ("sklearn.linear_model._bayes", &[(CLASS, &["ARDRegression", "BayesianRidge"])]),
    ("sklearn.linear_model._coordinate_descent", &[(CLASS, &["ElasticNet", "ElasticNetCV", "Lasso", "LassoCV"])]),
    ("sklearn.linear_model._glm.glm", &[(CLASS, &["PoissonRegressor", "TweedieRegressor"])]),
    ("sklearn.linear_model._glm.link", &[(CLASS, &["LogLink"])]),
    ("sklearn.linear_model._huber", &[(CLASS, &["HuberRegressor"])]),
    ("sklearn.linear_model._logistic", &[(CLASS, &["LogisticRegression", "LogisticRegressionCV"])]),
    ("sklearn.linear_model._passive_aggressive", &[(CLASS, &["PassiveAggressiveClassifier"])]),
    ("sklearn.linear_model._perceptron", &[(CLASS, &["Perceptron"])]),
    ("sklearn.linear_model._quantile", &[(CLASS, &["QuantileRegressor"])]),
    ("sklearn.linear_model._ransac", &[(CLASS, &["RANSACRegressor"])]),
    ("sklearn.linear_model._ridge", &[(CLASS, &["Ridge", "RidgeCV", "RidgeClassifier", "RidgeClassifierCV"])]),
    ("sklearn.linear_model._sgd_fast", &[(CLASS, &["EpsilonInsensitive", "Hinge", "Huber", "Log", "ModifiedHuber", "SquaredHinge", "SquaredLoss"])]),
    ("sklearn.linear_model._stochastic_gradient", &[(CLASS, &["SGDClassifier", "SGDRegressor"])]),
    ("sklearn.linear_model._theil_sen", &[(CLASS, &["TheilSenRegressor"])]),
    ("sklearn.linear_model.base", &[(CLASS, &["LinearRegression"])]),
    ("sklearn.linear_model.coordinate_descent", &[(CLASS, &["ElasticNet"])]),
    ("sklearn.linear_model.huber", &[(CLASS, &["HuberRegressor"])]),
    ("sklearn.linear_model.logistic", &[(CLASS, &["LogisticRegression", "LogisticRegressionCV"])]),
    ("sklearn.linear_model.ransac", &[(CLASS, &["RANSACRegressor"])]),
    ("sklearn.linear_model.ridge", &[(CLASS, &["Ridge"])]),
    ("sklearn.linear_model.sgd_fast", &[(CLASS, &["ModifiedHuber"])]),
    ("sklearn.linear_model.stochastic_gradient", &[(CLASS, &["SGDClassifier"])]),
    ("sklearn.linear_model.theil_sen", &[(CLASS, &["TheilSenRegressor"])]),
    ("sklearn.manifold._isomap", &[(CLASS, &["Isomap"])]),
    ("sklearn.manifold._t_sne", &[(CLASS, &["TSNE"])]),
    ("sklearn.metrics._classification", &[(REF, &["accuracy_score", "balanced_accuracy_score", "f1_score", "log_loss", "precision_score", "recall_score"])]),
    ("sklearn.metrics._dist_metrics", &[(REF, &["ChebyshevDistance", "ChebyshevDistance64", "EuclideanDistance", "EuclideanDistance32", "EuclideanDistance64", "ManhattanDistance", "ManhattanDistance64", "MinkowskiDistance", "MinkowskiDistance64"]), (SAME, &["newObj"])]),
    ("sklearn.metrics._ranking", &[(REF, &["average_precision_score", "roc_auc_score"])]),
    ("sklearn.metrics._regression", &[(REF, &["mean_absolute_error", "mean_squared_error", "r2_score"])]),
    ("sklearn.metrics._scorer", &[(CLASS, &["_CurveScorer", "_PassthroughScorer", "_PredictScorer", "_Scorer"]), (REF, &["_passthrough_scorer"])]),
    ("sklearn.metrics.classification", &[(REF, &["accuracy_score", "balanced_accuracy_score", "f1_score", "log_loss", "precision_score", "recall_score"])]),
    ("sklearn.metrics.pairwise", &[(REF, &["cosine_similarity", "euclidean_distances", "linear_kernel", "polynomial_kernel", "rbf_kernel"])]),
    ("sklearn.metrics.scorer", &[(CLASS, &["_PredictScorer"])]),
    ("sklearn.mixture._bayesian_mixture", &[(CLASS, &["BayesianGaussianMixture"])]),
    ("sklearn.mixture._gaussian_mixture", &[(CLASS, &["GaussianMixture"])]),
    ("sklearn.mixture.gaussian_mixture", &[(CLASS, &["GaussianMixture"])]),
    ("sklearn.model_selection._classification_threshold", &[(CLASS, &["TunedThresholdClassifierCV"])]),
    ("sklearn.model_selection._search", &[(CLASS, &["GridSearchCV", "RandomizedSearchCV"])]),
    ("sklearn.model_selection._search_successive_halving", &[(CLASS, &["HalvingGridSearchCV"])]),
    ("sklearn.model_selection._split", &[(CLASS, &["StratifiedKFold"])]),
    ("sklearn.multiclass", &[(CLASS, &["OneVsRestClassifier", "OutputCodeClassifier", "_ConstantPredictor"])]),
    ("sklearn.multioutput", &[(CLASS, &["ClassifierChain", "MultiOutputClassifier"])]),
    ("sklearn.naive_bayes", &[(CLASS, &["BernoulliNB", "CategoricalNB", "ComplementNB", "GaussianNB", "MultinomialNB"])]),
    ("sklearn.neighbors._ball_tree", &[(REF, &["BallTree"]), (SAME, &["newObj"])]),
    ("sklearn.neighbors._classification", &[(CLASS, &["KNeighborsClassifier", "RadiusNeighborsClassifier"])]),
    ("sklearn.neighbors._dist_metrics", &[(REF, &["ChebyshevDistance", "ChebyshevDistance64", "EuclideanDistance", "EuclideanDistance32", "EuclideanDistance64", "ManhattanDistance", "ManhattanDistance64", "MinkowskiDistance", "MinkowskiDistance64"]), (SAME, &["newObj"])]),
    ("sklearn.neighbors._kd_tree", &[(REF, &["KDTree"]), (SAME, &["newObj"])]),
    ("sklearn.neighbors._lof", &[(CLASS, &["LocalOutlierFactor"])]),
    ("sklearn.neighbors._nearest_centroid", &[(CLASS, &["NearestCentroid"])]),
    ("sklearn.neighbors._regression", &[(CLASS, &["KNeighborsRegressor", "RadiusNeighborsRegressor"])]),
    ("sklearn.neighbors._unsupervised", &[(CLASS, &["NearestNeighbors"])]),
    ("sklearn.neighbors.ball_tree", &[(REF, &["BallTree"]), (SAME, &["newObj"])]),
    ("sklearn.neighbors.classification", &[(CLASS, &["KNeighborsClassifier"])]),
    ("sklearn.neighbors.dist_metrics", &[(REF, &["ChebyshevDistance", "ChebyshevDistance64", "EuclideanDistance", "EuclideanDistance32", "EuclideanDistance64", "ManhattanDistance", "ManhattanDistance64", "MinkowskiDistance", "MinkowskiDistance64"]), (SAME, &["newObj"])]),
    ("sklearn.neighbors.kd_tree", &[(REF, &["KDTree"]), (SAME, &["newObj"])]),
    ("sklearn.neighbors.kde", &[(CLASS, &["KernelDensity"])]),
    ("sklearn.neighbors.nearest_centroid", &[(CLASS, &["NearestCentroid"])]),
    ("sklearn.neighbors.unsupervised", &[(CLASS, &["NearestNeighbors"])]),
    ("sklearn.neural_network._multilayer_perceptron", &[(CLASS, &["MLPClassifier", "MLPRegressor"])]),
    ("sklearn.neural_network._rbm", &[(CLASS, &["BernoulliRBM"])]),
    ("sklearn.neural_network._stochastic_optimizers", &[(CLASS, &["AdamOptimizer", "SGDOptimizer"])]),
    ("sklearn.neural_network.multilayer_perceptron", &[(CLASS, &["MLPRegressor"])]),
    ("sklearn.pipeline", &[(CLASS, &["FeatureUnion", "Pipeline"])]),
    ("sklearn.preprocessing._data", &[(CLASS, &["Binarizer", "KernelCenterer", "MaxAbsScaler", "MinMaxScaler", "Normalizer", "PolynomialFeatures", "PowerTransformer", "QuantileTransformer", "RobustScaler", "StandardScaler"])]),
    ("sklearn.preprocessing._discretization", &[(CLASS, &["KBinsDiscretizer"])]),
    ("sklearn.preprocessing._encoders", &[(CLASS, &["OneHotEncoder", "OrdinalEncoder"])]),
    ("sklearn.preprocessing._function_transformer", &[(CLASS, &["FunctionTransformer"])]),
    ("sklearn.preprocessing._label", &[(CLASS, &["LabelBinarizer", "LabelEncoder", "MultiLabelBinarizer"])]),
    ("sklearn.preprocessing._polynomial", &[(CLASS, &["PolynomialFeatures", "SplineTransformer"])]),
    ("sklearn.preprocessing._target_encoder", &[(CLASS, &["TargetEncoder"])]),
    ("sklearn.preprocessing.data", &[(CLASS, &["MinMaxScaler", "PolynomialFeatures", "StandardScaler"])]),
    ("sklearn.preprocessing.label", &[(CLASS, &["LabelBinarizer", "LabelEncoder"])]),
    ("sklearn.semi_supervised.label_propagation", &[(CLASS, &["LabelSpreading"])]),
    ("sklearn.svm._classes", &[(CLASS, &["LinearSVC", "LinearSVR", "NuSVC", "NuSVR", "OneClassSVM", "SVC", "SVR"])]),
    ("sklearn.svm.classes", &[(CLASS, &["NuSVR", "SVC"])]),
    ("sklearn.tree._classes", &[(CLASS, &["DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor"])]),
    ("sklearn.tree._tree", &[(CALL, &["Tree"])]),
    ("sklearn.tree.tree", &[(CLASS, &["DecisionTreeClassifier", "ExtraTreeRegressor"])]),
    ("sklearn.utils", &[(DICT_LIKE, &["Bunch"])]),
    ("sklearn.utils._bunch", &[(DICT_LIKE, &["Bunch"])]),
    ("sklearn.utils._metadata_requests", &[(CLASS, &["MetadataRequest", "MethodMetadataRequest"])]),
    ("sklearn.utils.deprecation", &[(DICT_LIKE, &["DeprecationDict"])]),
    ("string", &[(CALL, &["Template"])]),
    ("types", &[(CALL, &["SimpleNamespace"])]),
    ("uuid", &[(CALL, &["UUID"])]),
    ("xgboost.core", &[(CLASS, &["Booster"])]),
    ("xgboost.sklearn", &[(CLASS, &["XGBClassifier", "XGBRFClassifier", "XGBRFRegressor", "XGBRanker", "XGBRegressor"])]),
];

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
        assert_eq!(usage_of("__builtin__", "xrange"), Some(Usage::Class));
        assert_eq!(
            usage_of("sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"),
            Some(Usage::ArrayWrapper)
        );
        assert_eq!(usage_of("builtins", "eval"), None);
    }
}
