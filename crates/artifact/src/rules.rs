//! Every rule of the analysis: its stable id, how bad a hit is, what it means for completeness, and what to do.
//!
//! Ids are additive: one is never reused for something else. `INT` is integrity (the bytes are not what they
//! should be), `SEC` is content that no model needs and text that runs, `POL` is the team's policy, the others are
//! security by kind of file (`ARC`: containers).

mod background;

use tagship_domain::validation::{Severity, Status};

pub use background::{Background, Reference};

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Stable id, e.g. `PKL101`.
    pub id: &'static str,
    /// How bad a hit is; decides the verdict.
    pub severity: Severity,
    /// How far the analysis can have got where the rule hits.
    pub status: Status,
    /// What it says, a fragment of a sentence.
    pub title: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($list:ident: $($name:ident $id:literal $severity:ident $status:ident $title:literal $remedy:literal;)*) => {
        $(
            pub(crate) const $name: Rule = Rule {
                id: $id,
                severity: Severity::$severity,
                status: Status::$status,
                title: $title,
                remedy: $remedy,
            };
        )*
        /// The rules of this file, by group and id.
        pub(super) const $list: &[Rule] = &[$($name),*];
    };
}

mod formats;

pub(crate) use formats::*;

/// All rules, by file, group and id.
pub const ALL: &[Rule] = &JOINED;

const JOINED: [Rule; GENERAL.len() + LIST.len()] = {
    let mut joined = [MISSING; GENERAL.len() + LIST.len()];
    let mut at = 0;
    while at < joined.len() {
        joined[at] = if at < GENERAL.len() { GENERAL[at] } else { LIST[at - GENERAL.len()] };
        at += 1;
    }
    joined
};

/// The rule with this id, in any case of letters.
pub fn find(id: &str) -> Option<&'static Rule> {
    ALL.iter().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

rules! {
    GENERAL:
    // Reading the artifact
    MISSING "INT001" Medium Error
        "nothing lies at the path"
        "Check the path; fetch the artifact (DVC, Git LFS, download step) before validating it.";
    UNREADABLE "INT002" Medium Error
        "the file could not be read"
        "Check permissions and the disk, then run again.";
    CHANGED "INT003" High Error
        "the file changed while it was read"
        "Make sure that nothing writes to the artifact while it is validated.";
    LINK "INT004" High Error
        "a link inside the artifact"
        "Put the file itself in the artifact; links are not covered by the digest and may lead outside.";
    NOT_REGULAR "INT005" High Error
        "a pipe, socket or device inside the artifact"
        "Remove it.";
    NAME "INT006" High Error
        "a file name that is not portable text"
        "Rename the file to printable UTF-8.";
    TOO_MANY "INT007" Medium Incomplete
        "too many files or nested folders"
        "Name the folder of the model itself as the artifact.";
    // What the file is
    EMPTY "INT101" High Error
        "the file is empty"
        "Export the model again; the writer was probably interrupted.";
    POINTER "INT102" High Error
        "a pointer that was not materialised"
        "Fetch the real file first: `git lfs pull` or `dvc pull` in the job, or `lfs: true` on checkout.";
    HTML "INT103" High Error
        "an HTML page instead of a model"
        "The download was answered with a page (log-in, error); fetch the artifact again.";
    MISNAMED "INT104" High Complete
        "the extension claims another format than the content has"
        "Give the file the extension of its real format, or export the format that the name says.";
    UNKNOWN "INT105" Medium Incomplete
        "the format is not recognised"
        "Export the model as ONNX or safetensors.";
    NOT_ANALYSED "INT106" Medium Incomplete
        "the format is recognised, and not analysed"
        "Export the model as ONNX or safetensors.";
    POLYGLOT "INT107" High Complete
        "the file is valid in two formats at once"
        "Export the model again with its own library; no writer makes such a file by accident.";
    NO_MODEL "INT108" Medium Incomplete
        "no model among the files"
        "Point the artifact at the folder that holds the model.";
    ACTIVE_SIDECAR "INT109" Medium Incomplete
        "a settings file that can make a loader run code"
        "Remove the key; ship the model without remote code or templates.";
    BAD_JSON "INT110" High Error
        "a JSON file that does not parse"
        "Write the file again.";
    MORE "INT120" Info Complete
        "more findings than are listed"
        "Fix the listed ones and validate again.";
    REPEATED "INT122" Info Complete
        "a rule hits the same thing several times"
        "Nothing beyond what the listed finding says.";
    // Pickle integrity
    PICKLE_TRUNCATED "INT201" High Error
        "the pickle ends before its STOP"
        "Write the file again; it is cut.";
    PICKLE_OPCODE "INT202" High Error
        "a byte that is no pickle opcode"
        "Write the file again; it is damaged or no pickle.";
    PICKLE_STACK "INT203" High Error
        "an opcode takes what the stack or memo does not hold"
        "Write the file again; every unpickler fails here or does something else.";
    PICKLE_OPERAND "INT204" High Error
        "a malformed operand"
        "Write the file again; it is damaged.";
    // safetensors integrity
    ST_HEADER "INT301" High Error
        "the header length does not fit"
        "Write the file again with the safetensors library.";
    ST_JSON "INT302" High Error
        "the header is not the JSON it must be"
        "Write the file again with the safetensors library.";
    ST_DTYPE "INT303" High Error
        "an element type that does not exist"
        "Write the file again with the safetensors library.";
    ST_EXTENT "INT304" High Error
        "shape and type do not give the size of the data"
        "Write the file again; loading it would read other bytes than were written.";
    ST_OVERLAP "INT305" High Error
        "tensors overlap"
        "Write the file again; no writer stores two tensors in the same bytes.";
    ST_TRUNCATED "INT306" High Error
        "the data is shorter than the header says"
        "Fetch or write the file again; it is cut.";
    ST_DUPLICATE "INT307" High Error
        "a key twice in the header"
        "Write the file again; readers disagree on which of the two counts.";
    INDEX_SHARD "INT308" High Error
        "a shard is missing"
        "Add the shard named by the index, or write the index again.";
    INDEX_DISAGREES "INT309" High Error
        "index and shards disagree"
        "Save the sharded model again as a whole.";
    // ONNX integrity
    ONNX_WIRE "INT401" High Error
        "the protobuf encoding is broken"
        "Export the model again; the file is cut or damaged.";
    ONNX_MODEL "INT402" High Error
        "a required part of the model is missing"
        "Export the model again.";
    ONNX_NEWER "INT403" Medium Incomplete
        "a newer format version than is known here"
        "Export with an older opset, or update Tagship.";
    ONNX_OPSET "INT404" High Error
        "an operator set is used and not imported, or imported in two versions"
        "Export the model again.";
    ONNX_DANGLING "INT405" High Error
        "a name is used and never defined"
        "Export the model again; onnx.checker refuses it too.";
    ONNX_TWICE "INT406" High Error
        "a name is defined twice"
        "Export the model again; onnx.checker refuses it too.";
    ONNX_ORDER "INT407" High Error
        "a cycle, or nodes out of order"
        "Export the model again; a graph must be sorted so that every value is defined before it is used.";
    ONNX_SIZE "INT408" High Error
        "shape and type do not give the size of the data"
        "Export the model again.";
    ONNX_EXTERNAL "INT409" High Error
        "an external data file is missing or too short"
        "Put the data file beside the model, complete.";
    ONNX_FIELD "INT410" Medium Incomplete
        "a field that ONNX does not define"
        "Export the model with a released exporter, or update Tagship.";
    ONNX_TYPE "INT411" Medium Incomplete
        "a type that is missing or not known here"
        "Export the model again with types on its inputs and outputs.";
    ONNX_OPERATOR "INT412" Medium Incomplete
        "an operator that the standard does not define"
        "Export with a released exporter, or update Tagship.";
    // Container integrity
    ZIP_DIRECTORY "INT501" High Error
        "the directory of a zip archive is missing or broken"
        "Fetch or write the file again; it is cut or damaged.";
    ZIP_HEADER "INT502" High Error
        "the header of a member is missing or broken"
        "Write the archive again; it is damaged.";
    BAD_CRC "INT503" High Error
        "a checksum that the bytes do not have"
        "Fetch the file again; bytes of it have changed since it was written.";
    MEMBER_SIZE "INT504" High Error
        "a member that is longer or shorter than declared"
        "Write the archive again; readers would see other bytes than were written.";
    BAD_COMPRESSION "INT505" High Error
        "compressed bytes that cannot be expanded"
        "Fetch the file again; it is cut or damaged.";
    MEMBER_CUT "INT506" High Error
        "a member or archive that ends too early"
        "Fetch or write the file again; it is cut.";
    METHOD "INT507" Medium Incomplete
        "a compression method that is not supported"
        "Write the archive again with deflate, or stored.";
    NOT_HELD "INT508" Medium Incomplete
        "something nested that is too large to be judged in memory"
        "Unpack the outer container and validate what is inside.";
    MEMBERS "INT509" Medium Incomplete
        "more members than are followed"
        "Split the archive.";
    TAR_HEADER "INT510" High Error
        "a broken header in a tar archive"
        "Fetch or write the archive again; it is damaged.";
    BLOB_DIGEST "INT511" High Error
        "a blob of an OCI image that does not have its digest"
        "Fetch the image again; bytes of it have changed.";
    // PyTorch integrity
    STORAGE_MISSING "INT521" High Error
        "a storage that the model needs is not there"
        "Save the model again; the file is incomplete.";
    STORAGE_SIZE "INT522" High Error
        "a storage of another size than the model says"
        "Save the model again; loading it would read other bytes than were written.";
    TORCH_LAYOUT "INT523" High Error
        "a part of a PyTorch file that is not what its place says"
        "Save the model again with torch.save.";
    // numpy integrity
    NPY_HEADER "INT531" High Error
        "a header that numpy does not write"
        "Save the array again with numpy.";
    NPY_SIZE "INT532" High Error
        "shape and type do not give the size of the elements"
        "Save the array again; the file is cut or damaged.";
    // Pickle security
    DANGEROUS_GLOBAL "PKL101" Critical Complete
        "a global that runs code, or reads, writes or connects"
        "Do not load this file. Find out where it came from.";
    UNLISTED_GLOBAL "PKL102" High Complete
        "a global that is not on the allow-list"
        "Export the model as ONNX or safetensors; a pickle can run anything this global reaches.";
    UNRESOLVED_GLOBAL "PKL103" Critical Complete
        "a global whose name is computed"
        "Do not load this file; no writer makes such a pickle by accident.";
    BAD_CALLEE "PKL104" Critical Complete
        "a call of something that is no global"
        "Do not load this file; no writer makes such a pickle by accident.";
    REFERENCE_CALLED "PKL105" High Complete
        "a call of a global that may only be named"
        "Export the model as ONNX or safetensors.";
    BAD_ARGUMENTS "PKL106" High Complete
        "a call with arguments that its writer never uses"
        "Do not load this file; write it again with the model's own library.";
    BAD_BUILD "PKL107" Critical Complete
        "state that contradicts its object, or is set on no instance of an allowed class"
        "Do not load this file; no writer makes such a pickle by accident.";
    DUNDER_STATE "PKL108" Critical Complete
        "state that replaces a special method"
        "Do not load this file; no writer makes such a pickle by accident.";
    BAD_ITEMS "PKL109" High Complete
        "items are added to something that is no container"
        "Do not load this file; no writer makes such a pickle by accident.";
    EXTENSION "PKL110" High Complete
        "the extension registry is used"
        "Write the file again without copyreg extensions.";
    PERSISTENT_ID "PKL111" High Complete
        "a persistent id outside a container that defines it"
        "Save the model in its library's own container, or as safetensors.";
    DOTTED_GLOBAL "PKL112" Critical Complete
        "a dotted name that walks through attributes"
        "Do not load this file; no model library writes such names.";
    ARROW_BROKEN "PKL113" High Complete
        "an Arrow array that does not fit its buffers"
        "Do not load this file; reading the array reads memory that is not the model's.";
    ARROW_UNKNOWN "PKL114" Medium Incomplete
        "an Arrow array that is not understood"
        "Write the file again with pickle protocol 4 or later, or keep tables as Parquet.";
    FRAME "PKL201" High Complete
        "a frame that loaders read differently"
        "Write the file again; the C and Python unpicklers disagree on it.";
    PROTOCOL "PKL202" High Complete
        "a protocol marker that is repeated, late or unknown"
        "Write the file again with Python's pickle.";
    LAX_TEXT "PKL203" High Complete
        "a text operand that loaders read differently"
        "Write the file again with Python's pickle.";
    TRAILING "PKL204" High Complete
        "bytes after the end of the pickle"
        "Write the file again; nothing explains these bytes.";
    HIDDEN_STREAM "PKL205" Critical Complete
        "another pickle hidden behind unexplained bytes"
        "Do not load this file.";
    ARRAY_AS_OPCODES "PKL206" High Complete
        "array bytes that a plain unpickler would execute"
        "Do not load this file; write the model again with a current joblib.";
    OUT_OF_BAND "PKL207" Medium Incomplete
        "an out-of-band buffer"
        "Write the file again without a buffer callback.";
    ARRAY_UNKNOWN "PKL208" Medium Incomplete
        "an inline array that is not understood"
        "Export the model as ONNX or safetensors.";
    ARRAY_BAD "PKL209" High Error
        "an inline array that does not fit its description"
        "Write the file again with joblib.";
    MEMO_BOMB "PKL301" High Complete
        "a memo index far above the number of objects"
        "Do not load this file; it makes the loader reserve memory without bound.";
    LENGTH_BOMB "PKL302" High Error
        "a length beyond the end of the file"
        "Do not load this file; it is cut, or made to exhaust memory.";
    EXPANSION_BOMB "PKL303" High Complete
        "shared references that expand without bound"
        "Do not load this file; copying or printing the object would exhaust memory.";
    PICKLE_LIMIT "PKL304" Medium Incomplete
        "objects that are not followed, or more than can be in bounded memory"
        "Export the model as ONNX or safetensors.";
    // Containers
    NAME_ESCAPES "ARC101" Critical Complete
        "a member that an extractor would write elsewhere"
        "Do not extract this file.";
    MEMBER_LINK "ARC102" High Complete
        "a link inside an archive"
        "Write the archive again with the file itself in it.";
    DUPLICATE_MEMBER "ARC103" High Complete
        "two members that are one file to some reader"
        "Write the archive again; no model library writes a name twice.";
    HEADERS_DISAGREE "ARC104" High Complete
        "a member that two places of the archive describe differently"
        "Do not load this file; what a scanner sees in it need not be what a loader sees.";
    HIDDEN_MEMBER "ARC105" Critical Complete
        "a member that the directory does not list"
        "Do not load this file; it hides content from readers that go by the directory.";
    PREFIX "ARC106" High Complete
        "bytes in front of an archive"
        "Write the archive again; readers disagree on where it begins.";
    GAP "ARC107" High Complete
        "bytes between members that nothing explains"
        "Write the archive again.";
    MEMBER_OVERLAP "ARC108" High Incomplete
        "members that share bytes"
        "Do not load this file; it is a bomb, or shows readers different things.";
    ENCRYPTED "ARC109" High Incomplete
        "a member that is marked as encrypted"
        "Ship the model without a password; what cannot be read cannot be judged.";
    SEVERAL_ENDS "ARC110" High Complete
        "more than one end of the archive"
        "Do not load this file; readers disagree on what it holds.";
    ARCHIVE_TRAILING "ARC111" High Complete
        "bytes after the end of an archive or compressed stream"
        "Write the file again; nothing explains these bytes.";
    BOMB "ARC112" High Incomplete
        "compressed content that expands without bound"
        "Do not open this file; it exhausts memory or disk.";
    DEPTH "ARC113" High Incomplete
        "containers nested deeper than any model needs"
        "Unpack the outer containers and validate what is inside.";
    SPECIAL_FILE "ARC114" High Complete
        "a device, pipe or privileged file inside an archive"
        "Write the archive again with regular files only.";
    // Content that no model needs
    EXECUTABLE "SEC101" High Complete
        "a native program or library"
        "Remove it; ship native code as a package that can be reviewed.";
    SETTING_RUNS "SEC102" Critical Complete
        "a setting that makes a loader run code"
        "Do not load this file.";
    // PyTorch security
    STORAGE_SCHEMA "TOR101" Critical Complete
        "a persistent id that torch does not write"
        "Do not load this file; no version of torch.save makes such an id.";
    STORAGE_BOUNDS "TOR102" High Complete
        "a tensor that reaches beyond its storage"
        "Do not load this file; old loaders read memory that is not the model's.";
    LEGACY_EXTRA "TOR103" High Complete
        "bytes that a legacy PyTorch file does not need"
        "Save the model again with torch.save; nothing explains these bytes.";
    STORAGE_RUNS "TOR104" Critical Complete
        "a storage that is something a loader would run or open"
        "Do not load this file; it hides content among the weights.";
    SCRIPT_REACHES "TOR105" High Complete
        "TorchScript code that reads, writes or loads"
        "Do not load this file; the code of a model computes, and needs no files.";
    SCRIPT_LIBRARY "TOR106" Medium Incomplete
        "TorchScript code that calls a library of operators that is not known"
        "Script the model with operators of PyTorch alone, or review the library that adds these.";
    // numpy security
    NPY_TRAILING "NPY101" High Complete
        "bytes after the elements of an array"
        "Save the array again; nothing explains these bytes.";
    NPY_LONG_HEADER "NPY102" Medium Incomplete
        "a header longer than is parsed"
        "Save the array with fewer or shorter field names.";
    // safetensors security
    ST_TRAILING "STF101" High Complete
        "bytes behind the last tensor"
        "Write the file again; nothing explains these bytes.";
    ST_HOLE "STF102" High Complete
        "bytes between tensors"
        "Write the file again; nothing explains these bytes.";
    ST_SCRIPT "STF103" Medium Complete
        "metadata that reads like a script"
        "Remove it; metadata is a place for names and numbers.";
    ST_HEADER_BOMB "STF104" High Error
        "a header larger than the format allows"
        "Do not load this file; it makes a reader reserve memory without bound.";
    ST_LIMIT "STF105" Medium Incomplete
        "more tensors than can be followed in bounded memory"
        "Split the model into shards.";
    // ONNX security
    EXTERNAL_PATH "ONX101" Critical Complete
        "external data outside the artifact"
        "Do not load this file; it makes the loader read a file of the machine.";
    EXTERNAL_LINK "ONX102" Critical Complete
        "external data through a link"
        "Put the data file itself beside the model.";
    EXTERNAL_SHARED "ONX103" High Complete
        "external data in a file with other hard links"
        "Copy the data file, so that nothing else can change it.";
    EXTERNAL_UNCOVERED "ONX104" Medium Incomplete
        "external data that the digest does not cover"
        "Name the folder as the artifact, not the .onnx file in it.";
    CODE_OPERATOR "ONX201" Critical Complete
        "an operator that runs code"
        "Do not load this file.";
    CUSTOM_DOMAIN "ONX202" Medium Complete
        "an operator of a domain that needs a native library"
        "Export with standard operators, or review the library that implements it.";
    RECURSION "ONX203" High Complete
        "functions that call themselves"
        "Do not load this file; expanding it never ends.";
    NESTING "ONX204" High Error
        "messages nested deeper than any model"
        "Do not load this file; it exhausts the stack of a loader.";
    SIZE_BOMB "ONX205" High Complete
        "an operator that makes a huge tensor out of nothing"
        "Do not load this file; it makes a loader reserve memory without bound.";
    FUNCTION_BOMB "ONX206" High Complete
        "functions that expand without bound"
        "Do not load this file; expanding it exhausts memory.";
    ONNX_LIMIT "ONX207" Medium Incomplete
        "sizes that are not followed, or more nodes or names than can be"
        "Split the model, and export sizes as constants where they are used.";
    COMPILED_OPERATOR "ONX208" High Complete
        "an operator that holds or names a compiled program"
        "Ship the model itself, and have it compiled where it is served.";
    // Policy
    FORMAT_REFUSED "POL001" High Complete
        "a format that the policy does not list"
        "Export the model in a listed format, or add the format to `validate.formats`.";
    SIZE_REFUSED "POL002" High Complete
        "larger than the policy allows"
        "Shrink the model, or raise `validate.max-size`.";
    BUNDLE_REFUSED "POL003" High Complete
        "an object of a library that the policy does not list"
        "Find out why the model needs this library, or add its bundle to `validate.bundles`.";
    ADDED_GLOBAL "POL004" Info Complete
        "a global that only the policy lets through"
        "Nothing, as long as the reason that `validate.allow` gives still holds.";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_name_a_family() {
        let ids: HashSet<_> = ALL.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), ALL.len());
        for rule in ALL {
            let (family, number) = rule.id.split_at(3);
            assert!(
                [
                    "INT", "ARC", "PKL", "TOR", "NPY", "STF", "ONX", "GGU", "KER", "TFS", "HDF", "SKO",
                    "SEC", "POL"
                ]
                .contains(&family),
                "{}",
                rule.id
            );
            assert!(number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()), "{}", rule.id);
            assert!(rule.remedy.ends_with('.'), "{} says what to do in sentences", rule.id);
        }
    }

    #[test]
    fn no_rule_is_worth_nothing_and_complete() {
        for rule in ALL.iter().filter(|rule| ![MORE.id, REPEATED.id, ADDED_GLOBAL.id].contains(&rule.id)) {
            assert!(rule.severity > Severity::Low || rule.status > Status::Complete, "{}", rule.id);
        }
    }
}
