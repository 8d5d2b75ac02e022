//! Why rules matter: what a hit would lead to, and where to read more.
//!
//! A rule's own entry counts, else that of the longest beginning of its id, so that every rule has one.

use tagship_domain::rule::{RuleDescription, RuleReference};

use super::Rule;

/// Why a rule, or a group of rules, is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Background {
    /// What a hit would lead to, in sentences.
    pub why: &'static str,
    /// Where to read more.
    pub references: &'static [Reference],
}

/// A place to read more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// What it is called.
    pub title: &'static str,
    /// Its address.
    pub url: &'static str,
}

impl Rule {
    /// Why the rule is there.
    pub fn background(&self) -> Background {
        let fits = |(beginning, _): &&(&str, Background)| self.id.starts_with(beginning);
        let longest = BACKGROUNDS.iter().filter(fits).max_by_key(|(beginning, _)| beginning.len());
        longest.map_or(GENERAL, |(_, background)| *background)
    }

    /// All that is to be said about the rule.
    pub fn describe(&self) -> RuleDescription {
        let Background { why, references } = self.background();
        let reference = |at: &Reference| RuleReference { title: at.title.to_owned(), url: at.url.to_owned() };
        RuleDescription {
            id: self.id.to_owned(),
            title: self.title.to_owned(),
            severity: self.severity,
            verdict: self.severity.verdict(),
            status: self.status,
            why: why.to_owned(),
            remedy: self.remedy.to_owned(),
            references: references.iter().map(reference).collect(),
        }
    }
}

const ARROW: Background = Background {
    why: "pandas keeps texts in arrays of Arrow. pyarrow makes them of what a pickle says and checks neither offsets nor \
          sizes; an array whose offsets lead out of its buffers hands out whatever lies in memory there, or ends the process.",
    references: &[CWE_125, CWE_502, ARROW_LAYOUT],
};

const SKOPS_NATIVE: Background = Background {
    why: "The native code of scikit-learn and scipy follows the nodes of trees, the sizes of support vectors and the indices of \
          sparse matrices without a check. skops hands them on as the file has them; what leads outside reads or writes other \
          memory when the model predicts, or ends the process.",
    references: &[CWE_125, CWE_502],
};

const GENERAL: Background = Background {
    why: "A model file is judged before anything loads it. What cannot be judged is never called good.",
    references: &[],
};

macro_rules! references {
    ($($name:ident $title:literal $url:literal;)*) => {
        $(const $name: Reference = Reference { title: $title, url: $url };)*
    };
}

references! {
    CWE_22 "CWE-22: path traversal" "https://cwe.mitre.org/data/definitions/22.html";
    CWE_59 "CWE-59: link following" "https://cwe.mitre.org/data/definitions/59.html";
    CWE_94 "CWE-94: code injection" "https://cwe.mitre.org/data/definitions/94.html";
    CWE_125 "CWE-125: out-of-bounds read" "https://cwe.mitre.org/data/definitions/125.html";
    CWE_354 "CWE-354: improper validation of an integrity check value" "https://cwe.mitre.org/data/definitions/354.html";
    CWE_400 "CWE-400: uncontrolled resource consumption" "https://cwe.mitre.org/data/definitions/400.html";
    CWE_409 "CWE-409: highly compressed data" "https://cwe.mitre.org/data/definitions/409.html";
    CWE_436 "CWE-436: interpretation conflict" "https://cwe.mitre.org/data/definitions/436.html";
    CWE_502 "CWE-502: deserialization of untrusted data" "https://cwe.mitre.org/data/definitions/502.html";
    CWE_1336 "CWE-1336: template injection" "https://cwe.mitre.org/data/definitions/1336.html";
    PICKLE "Python: what can be pickled and unpickled" "https://docs.python.org/3/library/pickle.html";
    BYPASSES "arXiv 2508.19774: loading paths and bypasses of scanners" "https://arxiv.org/abs/2508.19774";
    ARROW_LAYOUT "Arrow: the columnar format" "https://arrow.apache.org/docs/format/Columnar.html";
    SAFETENSORS "The safetensors format" "https://docs.rs/safetensors/latest/safetensors/";
    ONNX_EXTERNAL_DATA "ONNX: external data" "https://onnx.ai/onnx/repo-docs/ExternalData.html";
    ONNX_IR "ONNX: the intermediate representation" "https://onnx.ai/onnx/repo-docs/IR.html";
    CVE_2025_51480 "CVE-2025-51480: ONNX external data" "https://nvd.nist.gov/vuln/detail/CVE-2025-51480";
    CVE_2024_27318 "CVE-2024-27318: ONNX path traversal" "https://nvd.nist.gov/vuln/detail/CVE-2024-27318";
    CVE_2025_32434 "CVE-2025-32434: torch.load with weights_only" "https://nvd.nist.gov/vuln/detail/CVE-2025-32434";
    CVE_2025_1944 "CVE-2025-1944: zip names that readers disagree on" "https://nvd.nist.gov/vuln/detail/CVE-2025-1944";
    CVE_2025_10156 "CVE-2025-10156: scanners that stop at a wrong CRC" "https://nvd.nist.gov/vuln/detail/CVE-2025-10156";
    CVE_2019_6446 "CVE-2019-6446: pickled objects in NumPy files" "https://nvd.nist.gov/vuln/detail/CVE-2019-6446";
    CVE_2024_3660 "CVE-2024-3660: Lambda layers of Keras" "https://nvd.nist.gov/vuln/detail/CVE-2024-3660";
    CVE_2025_1550 "CVE-2025-1550: configuration of .keras files" "https://nvd.nist.gov/vuln/detail/CVE-2025-1550";
    CVE_2024_34359 "CVE-2024-34359: chat templates of GGUF files" "https://nvd.nist.gov/vuln/detail/CVE-2024-34359";
    CVE_2025_23304 "CVE-2025-23304: _target_ in NeMo files" "https://nvd.nist.gov/vuln/detail/CVE-2025-23304";
    GGUF "The GGUF format" "https://en.wikipedia.org/wiki/Llama.cpp";
    NPY "NumPy: the npy format" "https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html";
    APPNOTE "PKWARE: the zip format" "https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT";
    GIT_LFS "Git LFS" "https://git-lfs.com";
    DVC "DVC: pull" "https://dvc.org/doc/command-reference/pull";
}

/// Backgrounds by the beginning of a rule's id.
const BACKGROUNDS: &[(&str, Background)] = &[
    (
        "INT0",
        Background {
            why: "A verdict is about bytes, and the digest that is released names exactly those bytes. What could not \
                  be read, or is not a plain file inside the artifact, is neither judged nor covered by the digest.",
            references: &[CWE_59],
        },
    ),
    (
        "INT1",
        Background {
            why: "What a file is follows from its content; the name is only a claim. A file that is something else \
                  than it says, or nothing that can be judged, would reach production without anybody having looked at it.",
            references: &[],
        },
    ),
    (
        "INT102",
        Background {
            why: "The repository holds a short text that stands for the model; the model itself lies elsewhere. \
                  Releasing the pointer would deploy a text of a hundred bytes.",
            references: &[GIT_LFS, DVC],
        },
    ),
    (
        "INT107",
        Background {
            why: "Programs differ in which of the two formats they see. A scanner may judge one while the loader \
                  executes the other.",
            references: &[CWE_436],
        },
    ),
    (
        "INT2",
        Background {
            why: "A pickle is a program for a stack machine. One that breaks the rules of the machine was cut or \
                  damaged, and what an unpickler makes of it differs between implementations.",
            references: &[PICKLE],
        },
    ),
    (
        "INT3",
        Background {
            why: "A safetensors file says in its header where every tensor lies. Where header and data disagree, a \
                  loader fails, or gives other numbers than were written.",
            references: &[SAFETENSORS],
        },
    ),
    (
        "INT4",
        Background {
            why: "A graph that breaks the rules of ONNX fails when it is loaded, at the latest in production, or means \
                  different things to different runtimes.",
            references: &[ONNX_IR],
        },
    ),
    (
        "INT",
        Background {
            why: "The file contradicts itself, or ends before it should. A loader fails on it, or gives other numbers \
                  than were written; the place to notice that is before a release.",
            references: &[CWE_354],
        },
    ),
    (
        "PKL1",
        Background {
            why: "Loading a pickle imports what it names and calls it with arguments from the file. One callable that \
                  reaches the system is enough to run any command with the rights of the loader, so only globals that \
                  were reviewed one by one may be named, and only used as their own library uses them.",
            references: &[CWE_502, PICKLE, BYPASSES],
        },
    ),
    ("PKL113", ARROW),
    ("PKL114", ARROW),
    (
        "PKL2",
        Background {
            why: "No pickler writes such a stream. Its use is to make a scanner see something else than the unpickler, \
                  or stop looking before the unpickler does.",
            references: &[CWE_436, CWE_502, BYPASSES],
        },
    ),
    (
        "PKL3",
        Background {
            why: "A few bytes make the loader reserve or build more than a machine holds.",
            references: &[CWE_400],
        },
    ),
    (
        "STF",
        Background {
            why: "The format is safe because every byte of a file is explained by its header. Bytes that nothing \
                  explains, and texts that are no names, are a place to hide something in.",
            references: &[SAFETENSORS],
        },
    ),
    (
        "ONX1",
        Background {
            why: "An ONNX model may keep tensors in other files. A path that leaves the artifact, or a link, makes the \
                  loader read any file of the machine into a tensor, and the digest says nothing about it.",
            references: &[ONNX_EXTERNAL_DATA, CWE_22, CVE_2025_51480, CVE_2024_27318],
        },
    ),
    (
        "ONX2",
        Background {
            why: "What is not a standard operator is run by a library that comes from elsewhere, and a graph can be \
                  built to expand far beyond its size.",
            references: &[ONNX_IR, CWE_400],
        },
    ),
    (
        "TOR",
        Background {
            why: "A PyTorch file is an archive around a pickle, and code of TorchScript may lie in it. The pickle's \
                  tensors name storages of the archive; what they name must be there, and fit.",
            references: &[CWE_502, CVE_2025_32434],
        },
    ),
    (
        "NPY",
        Background {
            why: "An array of objects is a pickle inside of a NumPy file, and is executed when it is loaded with \
                  `allow_pickle`.",
            references: &[NPY, CVE_2019_6446],
        },
    ),
    (
        "ARC",
        Background {
            why: "Readers of archives disagree on damaged or doubled entries. What one of them shows to a scanner is \
                  not what another one unpacks for the loader; and names can lead out of the folder, links anywhere, \
                  and a few bytes can unpack to more than a disk holds.",
            references: &[APPNOTE, CWE_436, CWE_22, CWE_409, CVE_2025_1944, CVE_2025_10156],
        },
    ),
    (
        "KER",
        Background {
            why: "The configuration of a Keras model names the classes and functions to build it from. A Lambda layer \
                  carries bytecode, and a name from any other module makes the loader import and call it.",
            references: &[CWE_94, CVE_2024_3660, CVE_2025_1550],
        },
    ),
    (
        "HDF",
        Background {
            why: "An HDF5 file can refer to other files of the machine, and its structures can point anywhere in the \
                  file or in circles.",
            references: &[CWE_59, CWE_400],
        },
    ),
    (
        "TFS",
        Background {
            why: "A TensorFlow graph is a program. Some of its operators read and write files, load libraries or call \
                  Python, whenever the graph is run.",
            references: &[CWE_94],
        },
    ),
    (
        "GGU",
        Background {
            why: "Counts and lengths of a GGUF file decide how much a loader reserves, and its chat template is run as \
                  a program by many of them.",
            references: &[GGUF, CWE_1336, CVE_2024_34359],
        },
    ),
    (
        "SKO",
        Background {
            why: "A skops file names the classes and functions that are imported when it is loaded.",
            references: &[CWE_502],
        },
    ),
    ("SKO103", SKOPS_NATIVE),
    ("SKO201", SKOPS_NATIVE),
    (
        "NEM",
        Background {
            why: "Settings that name a class or function to call are a program for whoever reads them.",
            references: &[CWE_94, CVE_2025_23304],
        },
    ),
    (
        "SEC",
        Background {
            why: "Templates, scripts and programs beside or inside of a model are run by those who load it, often \
                  without being asked.",
            references: &[CWE_94, CWE_1336],
        },
    ),
    (
        "POL",
        Background {
            why: "The team decides what it deploys; `validate` in `tagship.yml` says so.",
            references: &[],
        },
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn the_longest_beginning_counts_and_every_rule_has_one() {
        assert_ne!(rules::POINTER.background(), rules::EMPTY.background());
        for rule in rules::ALL {
            assert_ne!(rule.background(), GENERAL, "{} has no background of its own", rule.id);
        }
    }
}
